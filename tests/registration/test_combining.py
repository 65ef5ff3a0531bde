"""Applications that several threads make at once are decided as a batch; each thread is told its own outcome."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from smki import Application, CertificateKind, DeviceType, EntityIdentifier, Issued, Refusal, Smki
from smki.keys.private_key import SystemRandomness
from smki.ledger import LedgerUnavailable
from smki.pki.request import make_device_request
from smki.problem import NotReady, Problem
from smki.registration import Actor, Apply
from smki.registration.combining import Combining
from tests.support import DS

SUPPLIER, OTHER = (Actor(interface="test", party=party) for party in ("LARGE-SUPPLIER", "OTHER-USER"))
FAILURE = Problem(code="ledger.missing", subject="x", seen="y", expected="z")


class Add:
    """A command that takes part in a sum."""

    def __init__(self, number: int) -> None:
        self.number = number

    def together(self, commands: Sequence[Add]) -> list[int]:
        return [each.number for each in commands]


class Runs:
    """Runs commands, and keeps the first in which it runs until the others wait."""

    def __init__(self, others: int) -> None:
        self.calls: list[tuple[Actor, Any]] = []
        self._others = others
        self.combining = Combining(self.execute)

    def execute(self, command: Any, actor: Actor) -> Any:
        while not self.calls and len(self.combining._waiting) < self._others:
            threading.Event().wait(0.001)
        self.calls.append((actor, command.number if isinstance(command, Add) else command))
        numbers = [command.number] if isinstance(command, Add) else command
        if any(number < 0 for number in numbers):
            raise NotReady(FAILURE)
        return 10 * command.number if isinstance(command, Add) else [10 * number for number in numbers]

    def all(self, *commands: tuple[int, Actor]) -> list[Any]:
        """The outcomes, or errors, of commands: the first has begun when the others are made, in that order."""

        def run(number: int, actor: Actor) -> Any:
            try:
                return self.combining.run(Add(number), actor)
            except (NotReady, LedgerUnavailable, ValueError) as error:
                return error

        with ThreadPoolExecutor(len(commands)) as pool:
            futures = []
            for position, command in enumerate(commands):
                futures.append(pool.submit(run, *command))
                while position and len(self.combining._waiting) < position:
                    threading.Event().wait(0.001)
                while not position and not self.combining._running.locked():
                    threading.Event().wait(0.001)
            return [future.result(30) for future in futures]


def test_those_that_wait_are_run_together() -> None:
    runs = Runs(3)
    assert runs.all((1, SUPPLIER), (2, SUPPLIER), (3, SUPPLIER), (4, SUPPLIER)) == [10, 20, 30, 40]
    assert runs.calls == [(SUPPLIER, 1), (SUPPLIER, [2, 3, 4])]


def test_those_of_one_actor_are() -> None:
    runs = Runs(3)
    assert runs.all((1, SUPPLIER), (2, SUPPLIER), (3, OTHER), (4, SUPPLIER)) == [10, 20, 30, 40]
    assert runs.calls == [(SUPPLIER, 1), (SUPPLIER, [2, 4]), (OTHER, 3)]


def test_an_error_is_told_to_whom_it_concerns() -> None:
    runs = Runs(3)
    first, failed, third, fourth = runs.all((1, SUPPLIER), (-2, SUPPLIER), (3, SUPPLIER), (4, SUPPLIER))
    assert (first, third, fourth) == (10, 30, 40)
    assert isinstance(failed, NotReady)
    assert runs.calls == [(SUPPLIER, 1), (SUPPLIER, [-2, 3, 4]), (SUPPLIER, -2), (SUPPLIER, 3), (SUPPLIER, 4)]


@pytest.mark.parametrize("error", [LedgerUnavailable(FAILURE), ValueError("of one")])
def test_an_error_of_all_is_told_to_all_at_once_and_any_other_to_whom_it_concerns(error: Exception) -> None:
    runs = Runs(3)
    inner = runs.execute

    def execute(command: Any, actor: Actor) -> Any:
        try:
            return inner(command, actor)
        except NotReady:
            raise error from None

    runs.combining._execute = execute
    first, *others, last = runs.all((1, SUPPLIER), (-2, SUPPLIER), (3, SUPPLIER), (4, OTHER))
    assert (first, last) == (10, 40)
    if isinstance(error, LedgerUnavailable):
        assert others == [error, error]
        assert runs.calls == [(SUPPLIER, 1), (SUPPLIER, [-2, 3]), (OTHER, 4)]
    else:
        assert others == [error, 30]


def test_a_command_whose_thread_was_interrupted_while_it_waited_is_never_run() -> None:
    class Interrupted:
        def __enter__(self) -> None:
            raise KeyboardInterrupt

        def __exit__(self, *exc_info: object) -> None: ...

    runs = Runs(0)
    running, runs.combining._running = runs.combining._running, Interrupted()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        runs.combining.run(Add(1), SUPPLIER)
    runs.combining._running = running
    assert runs.combining.run(Add(2), SUPPLIER) == 20
    assert runs.calls == [(SUPPLIER, 2)]


@pytest.mark.parametrize("threads", [8])
def test_applications_of_many_threads(smki: Smki, threads: int) -> None:
    """Each thread has its own outcome, and some are refused: the same key twice, and a Device that nobody knows."""
    draw = SystemRandomness()

    def applications(thread: int) -> list[Application]:
        made = []
        for number in range(6):
            entity = EntityIdentifier(bytes((0xDB, 0, 0, 0, 0, 0, thread, number)))
            request = make_device_request(draw.private_key(""), entity, DS)
            made += [Application(kind=CertificateKind.DEVICE, request=request, device_type=DeviceType.ESME)] * 2
        unknown = make_device_request(draw.private_key(""), EntityIdentifier(bytes((0xDC, *[0] * 6, thread))), DS)
        return [*made, Application(kind=CertificateKind.DEVICE, request=unknown)]

    actor = Actor(interface="test", party="MANUFACTURER")

    def apply(thread: int) -> list[Issued | Refusal]:
        return [smki.registration.execute(Apply(each), actor) for each in applications(thread)]

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(apply, range(threads)))
    for thread, outcomes in enumerate(found):
        issued = [each.record.entity_identifier for each in outcomes if isinstance(each, Issued)]
        assert issued == [EntityIdentifier(bytes((0xDB, 0, 0, 0, 0, 0, thread, number))) for number in range(6)]
        codes = [each.problems[0].code for each in outcomes if isinstance(each, Refusal)]
        assert codes == ["public-key.already-certified"] * 6 + ["device.unknown"]
    assert smki.check().problems == ()
