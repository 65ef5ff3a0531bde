"""Comparison of the ledger with the latest extract, to find what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from smki.interchange.extracts.chain import Tally, chain_lines
from smki.interchange.extracts.lines import added, changed, line_of, number_of, state_of
from smki.interchange.extracts.manifest import Extract
from smki.interchange.extracts.progress import Progress, silent
from smki.ledger.snapshot import Snapshot
from smki.problem import IntegrityError, Problem

_PROGRESS_EVERY = 10_000


class Comparison:
    """The differences between the ledger at one moment and the extracts so far.

    :param chain: the full extract and the deltas after it.
    :ivar delta: the tally of the lines of the delta.
    :ivar result: the tally of the lines of the resulting full extract.
    """

    def __init__(self, snapshot: Snapshot, moment: datetime, chain: Sequence[Extract]) -> None:
        self._snapshot = snapshot
        self._moment = moment
        self._chain = chain
        self.delta = Tally()
        self.result = Tally()
        self.added = 0
        self.changed = 0

    def lines(self, progress: Progress = silent) -> Iterator[bytes]:
        """Yield the lines of the delta, in the order of their numbers.

        :raises IntegrityError: if an extract was altered, or contains a certificate that the ledger does not. This is
            only known
            after the last line, so no line may be used before.
        """
        lines = chain_lines(self._chain)
        before = next(lines, None)
        for record in self._snapshot.certificates(with_der=False):
            if record.id % _PROGRESS_EVERY == 0:
                progress(record.id, self._snapshot.last)
            state = state_of(record, self._moment)
            if before is not None and before.startswith(state):
                self.result.add(before)
                before = next(lines, None)
            elif before is None or number_of(before) > record.id:
                self.added += 1
                yield self.delta.add(added(self.result.add(self._line(record.id))))
            elif number_of(before) == record.id:
                self.changed += 1
                yield self.delta.add(changed(self.result.add(self._line(record.id)), before))
                before = next(lines, None)
            else:
                break
        if before is not None:
            raise IntegrityError(
                Problem(
                    code="extract.of-another-ledger",
                    subject=self._chain[-1].name,
                    seen=f"has a certificate number {number_of(before)} that is not in the ledger",
                    expected="extracts of this ledger",
                )
            )
        progress(self._snapshot.last, self._snapshot.last)

    def _line(self, identifier: int) -> bytes:
        return line_of(self._snapshot.certificate(identifier), self._moment)
