"""A batch of applications has the outcomes that the applications would have one by one, and leaves the same ledger."""

from __future__ import annotations

import pickle
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smki import Application, CertificateKind, DeviceType, EntityIdentifier, Issued, KeyUsage, Refusal
from smki.pki.certificate import read_tbs_certificate
from smki.problem import Finding, Severity
from smki.profile.clearance import NotConformant, clear_for_signature
from smki.registration import Actor, Command
from smki.registration.applications import ApplyTogether, DecideTogether
from smki.registration.batches import apply_in_batches
from smki.registration.examination import examine
from smki.workers import Workers
from tests.registration.mixtures import UNKNOWN, WORLDS, Block, Copy, Requests, World, blocks, make_world
from tests.support import DS, KA, SOAK

REQUESTS = Requests()


@pytest.fixture(scope="module", params=list(WORLDS))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = make_world(*WORLDS[request.param])
    yield made
    made.smki.close()


@pytest.fixture(scope="module")
def plain() -> Iterator[World]:
    made = make_world()
    yield made
    made.smki.close()


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(2) as opened:
        yield opened


class InThisProcess(Workers):
    """Workers that are no processes, so that a test can change what they do; all is pickled as for processes."""

    def _submit(self, priority: int, function: Callable[..., Any], args: Any, kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        called, given, options = pickle.loads(pickle.dumps((function, args, dict(kwargs))))
        future.set_result(pickle.loads(pickle.dumps(called(*given, **options))))
        return future


def together(applications: list[Application]) -> Command[Any]:
    return ApplyTogether(tuple(applications))


def examined(applications: list[Application]) -> Command[Any]:
    return DecideTogether(tuple(examine(each, None) for each in applications))


def drawn(world: World, seed: int, total: int, longest: int) -> list[Block]:
    return blocks(random.Random(seed), REQUESTS, world.smki.authorities()[0].der, total, longest)


def assert_same(
    world: World,
    every: Sequence[Block],
    *sizes: int,
    batch: Callable[[list[Application]], Command[Any]] = together,
    workers: Workers | None = None,
) -> Counter[str]:
    """Apply singly and in batches, and compare the outcomes and everything in the ledgers. Return how many applications
    were granted, and refused for which first reason."""
    single = world.copy()
    expected = list(single.singly(every))
    for size in sizes:
        batched = world.copy()
        found = list(batched.together(every, size, batch, workers))
        same(single, expected, batched, found)
        batched.smki.close()
    assert single.smki.check().problems == ()
    single.smki.close()
    return Counter(each.problems[0].code if isinstance(each, Refusal) else "issued" for each in expected)


def same(single: Copy, expected: list[Issued | Refusal], batched: Copy, found: list[Issued | Refusal]) -> None:
    for one, other in zip(expected, found, strict=True):
        assert one == other
    # Row by row, leaves of the record included: nothing differs.
    assert batched.dump() == single.dump()
    assert batched.smki.check().problems == ()


def test_batches_of_1_and_7_and_1000(world: World) -> None:
    counts: Counter[str] = Counter()
    for seed in range(2 * SOAK):
        counts += assert_same(world, drawn(world, seed, 250, 60), 1, 7, 1000)
    assert counts["issued"] > 20
    assert len(counts) > 8


def test_one_thousand_of_one_actor(plain: World) -> None:
    """Actually 1,000 in one batch: also Devices that reach their limit, and quotas."""
    applications = [each for _, some in drawn(plain, 5, 1000, 50) for each in some]
    for party in ("", "MANUFACTURER"):
        counts = assert_same(plain, [(Actor(interface="test", party=party), applications)], 1000)
        assert counts["issued"] >= 25
        assert len(counts) > 5


def test_what_is_refused_in_the_mixtures(plain: World) -> None:
    """Otherwise the comparisons would show little."""
    every = drawn(plain, 1, 3000, 100)
    copy = plain.copy()
    outcomes = list(copy.together(every, 100, together, None))
    reasons = {problem.code for each in outcomes if isinstance(each, Refusal) for problem in each.problems}
    assert reasons >= {
        "authority.unknown", "device.limit-reached", "device.other-type", "device.unknown", "entity-identifier.not-owned",
        "entity-identifier.other-role", "kind.unexpected", "officer.unknown", "participant.quota-reached", "party.none",
        "public-key.already-certified", "request.is-certificate", "request.too-large", "top-up.not-a-supplier",
    }  # fmt: skip
    copy.smki.close()


@given(seed=st.integers(0, 2**32), size=st.integers(1, 40), longest=st.integers(1, 40))
@settings(max_examples=8 * SOAK, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_batches_of_any_size(plain: World, seed: int, size: int, longest: int) -> None:
    assert_same(plain, drawn(plain, seed, 40, longest), size)


def test_with_workers(world: World, workers: Workers) -> None:
    every = drawn(world, 77, 300, 200)
    assert_same(world, every, 7, 1000, batch=examined, workers=workers)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_any_number_with_workers(plain: World, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through all that there is, from one request in a file to the outcome in the same order."""
    monkeypatch.setattr("smki.registration.batches.BATCH", 64)
    every = drawn(plain, count, 300, 300)
    single, batched = plain.copy(), plain.copy()
    expected = list(single.singly(every))
    found: list[Issued | Refusal] = []
    with Workers(count) as workers:
        for actor, applications in every:
            pairs = list(apply_in_batches(batched.registration, iter(applications), actor, workers))
            assert [each for each, _ in pairs] == applications
            found += [outcome for _, outcome in pairs]
    same(single, expected, batched, found)


def break_profile(monkeypatch: pytest.MonkeyPatch, breaks: Callable[[bytes, bytes], bool]) -> None:
    """Have the lint find an error in some certificates.

    :param breaks: called with the public key and the issuer's name.
    """

    def strict(tbs: bytes, profile: Any, issuer: Any, *more: Any) -> Any:
        structure = read_tbs_certificate(tbs)
        assert structure.public_key is not None
        if breaks(structure.public_key.encoded, issuer.name or b""):
            finding = Finding(
                severity=Severity.ERROR,
                code="validity.form",
                location="validity",
                seen=issuer.name.hex(),
                expected="z",
                clause="",
            )
            raise NotConformant([finding])
        return clear_for_signature(tbs, profile, issuer, *more)

    monkeypatch.setattr("smki.authority.issuance.clear_for_signature", strict)


@pytest.mark.parametrize("one_in", [1, 2, 8])
def test_certificates_that_would_break_their_profile(
    world: World, one_in: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As what is refused adds no Device, counts for no limit and leaves the turn to the same authority, everything that
    is decided on afterwards may be different."""
    break_profile(monkeypatch, lambda key, issuer: (key[-1] + issuer[-1]) % one_in == 0)
    for workers in (None, InThisProcess()):
        counts = assert_same(world, drawn(world, 3 + one_in, 120, 60), 7, 1000, batch=examined, workers=workers)
        assert counts["validity.form"] >= (5 if one_in < 8 else 1)


def test_an_authority_whose_certificates_all_break_their_profile(plain: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that cannot be made by one authority may be made by the next, if others leave the turn to it."""
    break_profile(monkeypatch, lambda _, issuer: b"TD02" in issuer)
    requests = [REQUESTS.device(device, usage, 10_000 + number) for number, (device, usage) in enumerate(several())]
    names = ("", "TD01", "", "TD02", "", "", "TD01", "", "")
    applications = [
        Application(kind=CertificateKind.DEVICE, request=request, device_type=each, issuer=name)
        for request, each, name in zip(requests, types(), names * len(requests), strict=False)
    ]
    counts = assert_same(plain, [(Actor(interface="test"), applications)], 2, 7, 1000)
    assert counts["issued"] > 5
    assert counts["validity.form"] > 5


def several() -> Iterator[tuple[EntityIdentifier, KeyUsage]]:
    """New Devices, each with both usages."""
    for device in UNKNOWN[:30]:
        yield device, DS
        yield device, KA


def types() -> Iterator[DeviceType | None]:
    """The type with the first application of a Device only, with both, or with neither."""
    while True:
        yield from (
            DeviceType.ESME,
            None,
            DeviceType.ESME,
            DeviceType.ESME,
            None,
            None,
            DeviceType.ESME,
            DeviceType.GSME,
        )


def test_a_new_device_twice_in_one_batch(plain: World) -> None:
    applications = [
        Application(
            kind=CertificateKind.DEVICE, request=REQUESTS.device(device, usage, 20_000 + number), device_type=each
        )
        for number, ((device, usage), each) in enumerate(zip(several(), types(), strict=False))
    ]
    counts = assert_same(plain, [(Actor(interface="test"), applications)], 1, 2, 7, 1000)
    assert {"issued", "device.unknown", "device.other-type"} == set(counts)
