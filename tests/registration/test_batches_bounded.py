"""How much is read of very many applications before the first of them has an outcome."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from smki import Application, CertificateKind, Refusal, Smki
from smki.home.device_issuing import DeviceIssuing
from smki.interchange.device_certificates import open_output
from smki.interchange.device_requests import DeviceRequest
from smki.registration import Actor

ACTOR = Actor(interface="test")
SIZE = 60_000
APPLICATION = Application(kind=CertificateKind.DEVICE, request=b"")


def garbage(number: int) -> bytes:
    return number.to_bytes(8, "big") + bytes(SIZE - 8)


def test_large_requests_are_in_smaller_batches() -> None:
    """A batch of a thousand would have 60 MB, and several are in the making at the same time."""
    taken = 0

    def applications() -> Iterator[Application]:
        nonlocal taken
        for taken in range(1, 1001):
            yield Application(kind=CertificateKind.DEVICE, request=garbage(taken))

    with Smki.in_memory() as smki:
        outcomes = smki.apply_all(applications(), ACTOR)
        next(outcomes)
        assert taken * SIZE < 24 << 20
        assert sum(isinstance(each, Refusal) for _, each in outcomes) == 999
    assert taken == 1000


def test_large_requests_of_a_file_are_held_in_smaller_numbers(tmp_path: Path) -> None:
    taken = 0

    def items() -> Iterator[DeviceRequest]:
        nonlocal taken
        for taken in range(1, 1601):
            yield DeviceRequest(source=str(taken), name=str(taken), request=garbage(taken))

    most = 0
    with Smki.in_memory() as smki, open_output(tmp_path / "out") as output:
        for number, outcome in enumerate(DeviceIssuing(smki, ACTOR, APPLICATION, output).run(items()), 1):
            assert outcome.source == str(number)
            assert outcome.problems
            most = max(most, taken - number)
    assert number == taken == 1600
    assert most * SIZE < 48 << 20
