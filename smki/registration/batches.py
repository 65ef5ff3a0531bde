"""Applications in any number: decided in batches, with the work divided among the cores of the machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from smki.authority.batch_work import Examined, examine_in_workers
from smki.registration.actor import Actor
from smki.registration.application import Application, Issued, Refusal
from smki.registration.applications import ApplyTogether, DecideTogether
from smki.registration.command import Registration
from smki.registration.examination import ExaminedApplication, examined, is_examined, too_large
from smki.workers import Workers

BATCH = 1024
"""Number of applications that are recorded in one transaction. Others can write between two transactions."""

BATCH_BYTES = 4 * 1024 * 1024
"""Number of bytes of requests from which on a batch takes no more. Those of a thousand Devices have a tenth of it."""

AHEAD = 3
"""Number of batches whose requests are examined while an earlier one is decided on."""


def apply_in_batches(
    registration: Registration,
    applications: Iterable[Application],
    actor: Actor,
    workers: Workers,
) -> Iterator[tuple[Application, Issued | Refusal]]:
    """Decide on applications in their order, and return each with its outcome once that is durable.

    :param applications: read as they are needed, so that any number fits into memory.
    :param workers: share the work if there is more than one batch.
    :raises SmkiError: as :meth:`Registration.execute` does. Batches that were returned before are recorded; nothing of
        the others is.
    """
    batches = _batched(applications)
    first, second = next(batches, ()), next(batches, ())
    if not second:
        if first:
            outcomes = registration.execute(ApplyTogether(first), actor)
            yield from zip(first, outcomes, strict=True)
        return
    begun: deque[tuple[tuple[Application, ...], Callable[[], list[Examined]]]] = deque()
    for batch in chain((first, second), batches):
        requests = [(each.kind, each.request) for each in batch if is_examined(each)]
        begun.append((batch, examine_in_workers(workers, requests)))
        if len(begun) > AHEAD:
            yield from _decided(registration, *begun.popleft(), actor, workers)
    while begun:
        yield from _decided(registration, *begun.popleft(), actor, workers)


def _decided(
    registration: Registration,
    batch: tuple[Application, ...],
    results: Callable[[], list[Examined]],
    actor: Actor,
    workers: Workers,
) -> Iterator[tuple[Application, Issued | Refusal]]:
    found = iter(results())
    every: list[ExaminedApplication] = [
        examined(each, *next(found)) if is_examined(each) else too_large(each) for each in batch
    ]
    outcomes = registration.execute(DecideTogether(tuple(every)), actor, workers)
    yield from zip(batch, outcomes, strict=True)


def _batched(applications: Iterable[Application]) -> Iterator[tuple[Application, ...]]:
    batch: list[Application] = []
    size = 0
    for each in applications:
        batch.append(each)
        size += len(each.request)
        if len(batch) == BATCH or size >= BATCH_BYTES:
            yield tuple(batch)
            batch, size = [], 0
    if batch:
        yield tuple(batch)
