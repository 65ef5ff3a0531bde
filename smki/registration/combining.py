"""Combines the commands of several threads into one, so that applications made at once are decided as a batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from smki.ledger import LedgerUnavailable
from smki.registration.actor import Actor

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Waiting:
    """A command that a thread waits for."""

    command: Any
    actor: Actor
    outcome: Any = None
    error: BaseException | None = None
    done: bool = False


class Combining:
    """Runs commands. The first thread that finds no other running runs those of all waiting threads.

    :param execute: runs a command for an actor.
    """

    def __init__(self, execute: Callable[[Any, Actor], Any]) -> None:
        self._execute = execute
        self._waiting: list[_Waiting] = []
        self._waiting_lock = threading.Lock()
        self._running = threading.Lock()

    def run(self, command: Any, actor: Actor) -> Any:
        """Run a command, and return its outcome or raise its error.

        :param command: one of which there can be several together (:meth:`~smki.registration.command.Command.together`).
        """
        own = _Waiting(command, actor)
        with self._waiting_lock:
            self._waiting.append(own)
        try:
            with self._running:
                if not own.done:
                    with self._waiting_lock:
                        waiting, self._waiting = self._waiting, []
                    self._run_all(waiting)
        finally:
            # If this thread was interrupted while it waited, nobody is to run its command later.
            with self._waiting_lock:
                if own in self._waiting:
                    self._waiting.remove(own)
        if own.error is not None:
            raise own.error
        return own.outcome

    def _run_all(self, waiting: Sequence[_Waiting]) -> None:
        by_actor: dict[Actor, list[_Waiting]] = {}
        for each in waiting:
            by_actor.setdefault(each.actor, []).append(each)
        try:
            for actor, some in by_actor.items():
                self._run_some(some, actor)
        finally:
            for each in waiting:
                if not each.done and each.error is None:
                    each.error = RuntimeError("the thread that ran this command was interrupted")
                each.done = True

    def _run_some(self, some: Sequence[_Waiting], actor: Actor) -> None:
        if len(some) > 1:
            try:
                outcomes = self._execute(some[0].command.together([each.command for each in some]), actor)
            except LedgerUnavailable as error:  # of all of them; it can take a minute to find out
                for each in some:
                    each.error, each.done = error, True
                return
            except Exception:  # noqa: S110  (of one of them, perhaps: each is told its own error)
                pass
            else:
                for each, outcome in zip(some, outcomes, strict=True):
                    each.outcome, each.done = outcome, True
                return
        for each in some:
            try:
                each.outcome = self._execute(each.command, actor)
            except Exception as error:
                each.error = error
            each.done = True
