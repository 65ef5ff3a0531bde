"""Creation of extracts from a ledger: atomic, and resumed after an interruption."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from smki.clock import Clock
from smki.file import replacing
from smki.interchange.extracts.chain import Tally
from smki.interchange.extracts.comparison import Comparison
from smki.interchange.extracts.journal import Journal, Part, digest_of
from smki.interchange.extracts.lines import line_of, state_of
from smki.interchange.extracts.manifest import (
    EXTRACT_SUFFIX,
    MANIFEST_SUFFIX,
    NAME,
    Contents,
    Extract,
    ExtractType,
    extract_name,
    read_extract,
)
from smki.interchange.extracts.progress import Progress, silent
from smki.ledger import CertificateRecord, Ledger
from smki.ledger.snapshot import Snapshot
from smki.leftovers import left_in, remove
from smki.problem import NotFound, NotReady, Problem
from smki.profile.designation import policy_in

PART_CERTIFICATES = 10_000
"""Maximum number of certificates that have to be written again after an interruption."""

_CHUNK_BYTES = 1 << 20
_MAKING = ".making"
_LOCK = ".lock"


class Extracts:
    """The extracts of a home.

    :param directory: where they are stored; created with the first one.
    :param part_certificates: the number of certificates in a part, the unit from which a full extract can be resumed.
    """

    def __init__(
        self, directory: Path, ledger: Ledger, clock: Clock, part_certificates: int = PART_CERTIFICATES
    ) -> None:
        self.directory = directory
        self._ledger = ledger
        self._clock = clock
        self._part_certificates = part_certificates

    def all(self) -> list[Extract]:
        """Return every extract, oldest first.

        :raises IntegrityError: if a manifest cannot be read.
        """
        names = (path.name.removesuffix(MANIFEST_SUFFIX) for path in self.directory.glob(f"*{MANIFEST_SUFFIX}"))
        found = [read_extract(self.directory / f"{name}{EXTRACT_SUFFIX}") for name in names if NAME.match(name)]
        return sorted(found, key=lambda extract: extract.number)

    def chain(self) -> list[Extract]:
        """Return the latest full extract and the deltas after it.

        :raises NotFound: if there is no full extract.
        """
        found = self.all()
        fulls = [index for index, extract in enumerate(found) if extract.type is ExtractType.FULL]
        if not fulls:
            raise NotFound(
                Problem(
                    code="extract.no-full",
                    subject=str(self.directory),
                    seen="no full extract",
                    expected="one to start from",
                )
            )
        return found[fulls[-1] :]

    def full(self, progress: Progress = silent) -> Extract:
        """Make a full extract of the current content of the ledger, or resume one that was interrupted.

        :raises NotReady: if an extract is already being made.
        :raises LedgerUnavailable: if the ledger cannot be read.
        :raises OSError: if it cannot be written; calling this again resumes it.
        """
        with self._alone(), self._ledger.snapshot() as snapshot:
            moment = self._clock.now()
            journal = Journal(self.directory / _MAKING)
            self._write_parts(journal, snapshot, moment, progress)
            extract = self._assemble(journal, moment)
            journal.remove()
        return extract

    def _write_parts(self, journal: Journal, snapshot: Snapshot, moment: datetime, progress: Progress) -> None:
        """Bring the existing parts up to date, then write the missing ones."""
        states = snapshot.certificates(with_der=False)
        after = 0
        for number, part in enumerate(journal.parts):
            known = [(record.id, state_of(record, moment)) for record in islice(states, part.certificates)]
            holds = known and known[-1][0] == part.last and digest_of(state for _, state in known) == part.state
            if not holds or not journal.is_whole(number):
                again = islice(snapshot.certificates(after), part.certificates)
                if not self._write_part(journal, number, again, moment):
                    # The ledger has fewer certificates than before: it was restored from an older copy.
                    del journal.parts[number:]
                    break
            after = journal.parts[number].last
            progress(after, snapshot.last)
        records = snapshot.certificates(after)
        while self._write_part(journal, len(journal.parts), islice(records, self._part_certificates), moment):
            progress(journal.parts[-1].last, snapshot.last)

    @staticmethod
    def _write_part(journal: Journal, number: int, records: Iterator[CertificateRecord], moment: datetime) -> bool:
        """Write a part; return False if there are no certificates for it."""
        tally = Tally()
        states = hashlib.sha256()
        last = 0
        with replacing(journal.path(number)) as file:
            for record in records:
                file.write(tally.add(line_of(record, moment)))
                states.update(state_of(record, moment))
                last = record.id
        contents = tally.contents
        if contents.certificates:
            part = Part(last, contents.certificates, contents.size, contents.sha256, states.hexdigest())
            journal.write_down(number, part)
        return contents.certificates > 0

    def _assemble(self, journal: Journal, moment: datetime) -> Extract:
        number = self._next_number()
        path = self._path(number, ExtractType.FULL, moment)
        digest = hashlib.sha256()
        with replacing(path) as file:
            for index in range(len(journal.parts)):
                with journal.path(index).open("rb") as part:
                    while chunk := part.read(_CHUNK_BYTES):
                        digest.update(chunk)
                        file.write(chunk)
        contents = Contents(
            sum(part.certificates for part in journal.parts),
            sum(part.size for part in journal.parts),
            digest.hexdigest(),
        )
        extract = Extract(
            path,
            number,
            ExtractType.FULL,
            None,
            moment,
            contents,
            contents.certificates,
            0,
            contents,
            self._policy_oid(),
        )
        extract.write()
        return extract

    def delta(self, progress: Progress = silent) -> Extract:
        """Make a delta: the certificates issued or changed in status since the latest extract.

        Changes are found by comparing the extracts with the ledger, so nothing that happened in the same second as the
        latest extract is missed, and setting the clock back does no harm.

        :raises NotFound: if there is no full extract to start from.
        :raises NotReady: if the latest extract was made before the home was restored from a backup: those who follow
            the extracts may have later ones, to which no delta would fit.
        :raises IntegrityError: if an earlier extract was altered, or has certificates that the ledger does not.
        :raises NotReady: if an extract is already being made.
        :raises OSError: if it cannot be written.
        """
        with self._alone(), self._ledger.snapshot() as snapshot:
            moment = self._clock.now()
            chain = self.chain()
            self._require_no_restore_since(chain[-1])
            number = self._next_number()
            path = self._path(number, ExtractType.DELTA, moment)
            comparison = Comparison(snapshot, moment, chain)
            with replacing(path) as file:
                for line in comparison.lines(progress):
                    file.write(line)
            extract = Extract(
                path,
                number,
                ExtractType.DELTA,
                chain[-1].moment,
                moment,
                comparison.delta.contents,
                comparison.added,
                comparison.changed,
                comparison.result.contents,
                self._policy_oid(),
            )
            extract.write()
        return extract

    def _policy_oid(self) -> str:
        """Return the policy of everything issued here, which the authorities' certificates have too."""
        authorities = self._ledger.authorities()
        return (policy_in(authorities[0].der) if authorities else None) or ""

    def _require_no_restore_since(self, latest: Extract) -> None:
        if latest.number < self._ledger.numbers_above():
            raise NotReady(
                Problem(
                    code="extract.before-restore",
                    subject=latest.name,
                    seen="made before the home was restored from a backup",
                    expected="a full extract made since",
                )
            )

    def _next_number(self) -> int:
        last = max((extract.number for extract in self.all()), default=0)
        return max(last, self._ledger.numbers_above()) + 1

    def _path(self, number: int, kind: ExtractType, moment: datetime) -> Path:
        for orphan in self.directory.glob(f"{number:06d}-*"):
            # It has no manifest: the process that made it was stopped just before writing one.
            orphan.unlink()
        return self.directory / f"{extract_name(number, kind, moment)}{EXTRACT_SUFFIX}"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Prevent other processes from making an extract; the system releases the lock when the process ends."""
        self.directory.mkdir(mode=0o700, exist_ok=True)
        with (self.directory / _LOCK).open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise NotReady(
                    Problem(
                        code="extract.under-way",
                        subject=str(self.directory),
                        seen="an extract is being made",
                        expected="one at a time",
                    )
                ) from None
            for directory in (self.directory, self.directory / _MAKING):
                for abandoned in left_in(directory):
                    remove(abandoned)
            yield
