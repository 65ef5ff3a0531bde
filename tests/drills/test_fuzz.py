"""Whatever anybody sends, nothing raises but the documented errors, takes over a second, or over 100 MB.

A failure names the input: `SMKI_FUZZ=<seed>:<number>` runs it alone, and its bytes are saved in a file.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path

from smki import Certificate, DeviceType, RelyingParty, RevocationLists, Smki
from smki.cli.defects import SEEDED_MOMENT
from smki.clock import FixedClock
from smki.pki.revocation_list import RevocationList
from smki.problem import Malformed, finding_text, problem_text
from smki.profile.issuer import IssuerFacts
from smki.profile.lint import examine_request, lint
from smki.registration import Actor, Application, Apply
from smki.sec.role import CertificateKind
from smki.testing.defects import Base, SamplePki
from tests.drills.mutation import Example, examples, mutated
from tests.support import SOAK

SEED = "bounds"
INPUTS = 200_000 if SOAK > 1 else 1_500
WARM_UP = 200
MAX_SECONDS, MAX_BYTES = 1.0, 100 << 20
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024

KINDS = (CertificateKind.DEVICE, CertificateKind.ORGANISATION)


class Subject:
    """Everything that reads what others send."""

    def __init__(self, pki: SamplePki, smki: Smki) -> None:
        self._smki = smki
        good = {base: pki.good_bytes(base) for base in Base}
        self._anchors = [Certificate.from_der(good[base]) for base in (Base.ROOT_OCA, Base.ROOT_DCA)]
        self._chain = [good[Base.ISSUING_OCA], good[Base.ISSUING_DCA]]
        self._good, self._clock = good, FixedClock(pki.moment)
        self._lists = RevocationLists.of([good[Base.CRL]], [good[Base.ARL]])
        self._issuers = {base: Certificate.from_der(good[base.issuer]) for base in Base if base.issuer is not None}
        self._party = self._relying_party(self._lists)

    def _relying_party(self, lists: RevocationLists) -> RelyingParty:
        return RelyingParty(self._anchors, lists, chain=self._chain, clock=self._clock)

    def take(self, example: Example) -> None:
        """Put one input through all of it."""
        self._lint(example)
        self._certificate(example.encoded)
        self._list(example)
        self._verdicts(example)
        self._request(example)

    def _lint(self, example: Example) -> None:
        issuer = self._issuers.get(example.base)
        for facts in (None, IssuerFacts.of(issuer) if issuer is not None else None):
            for finding in lint(example.encoded, issuer=facts):
                assert finding_text(finding).isprintable(), finding

    def _certificate(self, encoded: bytes) -> None:
        with suppress(Malformed):
            certificate = Certificate.from_der(encoded)
            certificate.as_json()
            assert certificate.kind
            assert (certificate.is_authority, certificate.path_length) is not None

    def _list(self, example: Example) -> None:
        with suppress(Malformed):
            found = RevocationList.from_der(example.encoded)
            assert f"{found.number}"
            assert len(list(islice(found.entries(), 1000))) <= len(found)

    def _verdicts(self, example: Example) -> None:
        encoded, good = example.encoded, self._good
        verdicts = [self._party.verify(encoded)]
        if not example.base.is_request and not example.base.is_list:
            verdicts.append(self._party.verify(good[Base.ORGANISATION], chain=[encoded]))
            verdicts.append(self._party.verify(good[Base.DEVICE], chain=[encoded]))
        if example.base.is_list:
            lists = RevocationLists.of([encoded, good[Base.CRL]], [encoded])
            verdicts.append(self._relying_party(lists).verify(good[Base.ORGANISATION]))
        for verdict in verdicts:
            verdict.as_json()
            if verdict.reason is not None:
                assert problem_text(verdict.reason)

    def _request(self, example: Example) -> None:
        for kind in KINDS:
            request, findings = examine_request(example.encoded, kind)
            assert request is not None or findings
        if example.base.is_request:
            kind = KINDS[example.base is Base.ORGANISATION_REQUEST]
            device_type = DeviceType.ESME if kind is CertificateKind.DEVICE else None
            application = Application(kind=kind, request=example.encoded, device_type=device_type)
            self._smki.registration.execute(Apply(application), Actor(interface="drill"))


def peak() -> int:
    """The largest that this process has been, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def failing(take: Callable[[Example], None], example: Example) -> str:
    """What is wrong with how an input was taken; empty for nothing."""
    began = time.thread_time()
    try:
        take(example)
    except Exception as error:
        return f"{type(error).__name__}: {error!s:.300}"
    spent = time.thread_time() - began
    return f"it took {spent:.1f} s" if spent > MAX_SECONDS else ""


def test_nothing_raises_or_takes_long_or_grows(home: Path, tmp_path: Path) -> None:
    pki = SamplePki(SEEDED_MOMENT, "drills")
    corpus = examples(pki)
    seed, _, only = os.environ.get("SMKI_FUZZ", SEED).partition(":")
    numbers = [int(only)] if only else range(INPUTS)
    failures: list[str] = []
    with Smki.open(home) as smki:
        subject = Subject(pki, smki)
        for example in [*corpus[: len(Base)], *(mutated(pki, corpus, f"{seed} warm", n) for n in range(WARM_UP))]:
            subject.take(example)
        before = peak()
        for number in numbers:
            if number % 10_000 == 0:
                print(f"{number} of {len(numbers)} inputs, {len(failures)} failures")
            example = mutated(pki, corpus, seed, number)
            wrong = failing(subject.take, example)
            grown = peak() - before
            if grown > MAX_BYTES and not wrong:
                wrong, before = f"the process grew by {grown >> 20} MB", peak()
            if wrong:
                file = Path(os.environ.get("SMKI_FUZZ_SAVE", tmp_path)) / f"{seed}-{number}.der"
                file.write_bytes(example.encoded)
                failures.append(f"SMKI_FUZZ={seed}:{number} ({example.base.value}, {file}): {wrong}")
    assert not failures, "\n".join([f"{len(failures)} of {len(numbers)} inputs:", *failures[:50]])
