"""Checkpoints of the record: tree heads signed with an Ed25519 key made for it (C2SP tlog-checkpoint), one file each.

They are files, not rows, so that they can be copied elsewhere as they are; whoever keeps a copy can show later that
nothing was removed or changed. Making one changes nothing in the ledger, and needs no lock between writers.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import logging
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from smki.clock import from_seconds
from smki.file import PUBLIC_MODE, replacing
from smki.keys.private_key import RECORD_KEY, KeyStore, Randomness
from smki.keys.signed_note import MAX_NOTE_BYTES, NoteSigner, NoteVerifier, split_note
from smki.ledger import EventKind, Ledger, NewEvent
from smki.ledger.merkle import HASH_BYTES, GrowingTree
from smki.problem import IntegrityError, Malformed, NotFound, NotReady, Problem, SmkiError

KEY_FILE = "key.txt"
"""The verifier key, beside the checkpoints."""

TREE_FILE = "tree.json"
"""The roots of the complete subtrees at the latest checkpoint, from which the next one is made. It is not trusted: they
have to give the signed root."""

MAX_EVENTS = 1000
"""Number of events after which a checkpoint is made, if there was no other cause before."""

_log = logging.getLogger("smki.record")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head, and the signed note that it was read from."""

    origin: str
    size: int
    root: bytes
    note: str

    @classmethod
    def parse(cls, note: str, verifier: NoteVerifier | None, subject: str = "checkpoint") -> Checkpoint:
        """Read a checkpoint.

        :param verifier: the key that must have signed it; None to leave its signatures unverified.
        :raises Malformed: if it is none.
        :raises NotSigned: if that key has not signed it.
        """
        text = verifier.open(note, subject) if verifier else split_note(note, subject)[0]
        lines = text.split("\n")
        try:
            origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
        except (IndexError, ValueError, binascii.Error):
            raise _malformed(subject, "not origin, size and root") from None
        is_number = size.isascii() and size.isdigit() and len(size) < 19 and str(int(size)) == size
        if not origin or not is_number or len(root) != HASH_BYTES or "" in lines[3:-1]:
            raise _malformed(subject, f"size {size[:20]!r}, a root of {len(root)} bytes")
        if verifier is not None and origin != verifier.name:
            raise _malformed(subject, f"origin {origin[:80]!r}")
        return cls(origin, int(size), root, note)


class Checkpoints:
    """The checkpoints of one home.

    :param directory: where they are; made with the first one.
    :param keys: the store of the signing key, which is made with the first one.
    """

    def __init__(self, directory: Path, ledger: Ledger, keys: KeyStore, randomness: Randomness) -> None:
        self.directory = directory
        self._ledger = ledger
        self._keys = keys
        self._randomness = randomness
        self._lock = threading.Lock()
        self._signer: NoteSigner | None = None
        self._made: tuple[int, date | None] | None = None
        self._not_before = 0

    def origin(self) -> str:
        """Return the origin of the record: unique, since it has the serial number of the first root.

        :raises NotReady: if there is no authority yet.
        """
        for record in self._ledger.authorities():
            return f"smki.invalid/{record.serial_number.hex.lower()}"
        raise NotReady(
            Problem(code="authority.missing", subject="record", seen="no authority", expected="at least one")
        )

    def verifier(self) -> NoteVerifier:
        """Return the key that checkpoints are verified with.

        :raises NotFound: if no checkpoint was made yet.
        """
        try:
            return NoteVerifier.parse(_text(self.directory / KEY_FILE))
        except FileNotFoundError:
            raise _none() from None

    def notes(self) -> list[tuple[str, str]]:
        """Return the name of the file and the note of every checkpoint, in the order of their sizes."""
        return [(file.name, _text(file)) for file in self._files()]

    def _files(self) -> list[Path]:
        return sorted(self.directory.glob("*.checkpoint"))

    def latest(self) -> Checkpoint | None:
        """Return the newest checkpoint; None if there is none.

        :raises NotSigned: if the key has not signed it.
        :raises IntegrityError: if its file has the name of another.
        """
        files = self._files()
        if not files:
            return None
        latest = Checkpoint.parse(_text(files[-1]), self.verifier(), files[-1].name)
        if misnamed := list(_misnamed([(files[-1].name, latest)])):
            raise IntegrityError(*misnamed)
        return latest

    def problems(self, further: Iterable[tuple[str, str]] = (), verifier: NoteVerifier | None = None) -> list[Problem]:
        """Return what is wrong with the checkpoints: not signed, or not of the events in the ledger.

        :param further: checkpoints that were kept elsewhere, each with its name.
        :param verifier: the key that must have signed them; by default that of the home.
        """
        own, kept = self.notes(), list(further)
        if not own and self._has_key():
            return list(_none().problems)  # the key is made with the first one
        if not own and not kept:
            return []
        try:
            verifier = verifier or self.verifier()
            checkpoints, problems = read_checkpoints(own, verifier)
            problems += _misnamed(checkpoints)
            others, unread = read_checkpoints(kept, verifier)
            leaves = self._ledger.record.leaves()
            return [*problems, *unread, *checkpoint_problems(leaves, [*checkpoints, *others])]
        except SmkiError as error:
            return list(error.problems)

    def _has_key(self) -> bool:
        try:
            self._keys.read_note_key(RECORD_KEY)
        except NotFound:
            return False
        except SmkiError:
            return True  # one that cannot be read
        return True

    def make(self) -> Checkpoint:
        """Sign the tree head as it is now, and return it; the latest one if nothing was appended since.

        :raises IntegrityError: if the record does not continue what was signed before; nothing is signed then.
        :raises NotReady: if the files cannot be written.
        """
        signer, latest = self._signing(), self.latest()
        size, tree = self._ledger.record.size(), self._tree(latest)
        if latest is not None and size < latest.size:
            raise IntegrityError(_inconsistent("latest", latest, f"{size} events"))
        if latest is not None and size == tree.size:
            return latest
        for leaf in self._ledger.record.leaves(tree.size):
            tree.append(leaf)
            if latest is not None and tree.size == latest.size and tree.root() != latest.root:
                raise IntegrityError(_inconsistent("latest", latest, "other events before it"))
        root = base64.b64encode(tree.root()).decode()
        note = signer.sign(f"{signer.name}\n{tree.size}\n{root}\n")
        roots = {"size": tree.size, "roots": [each.hex() for each in tree.roots]}
        self._write(TREE_FILE, json.dumps(roots))
        self._write(_name(tree.size), note)
        return Checkpoint(signer.name, tree.size, tree.root(), note)

    def appended(self, number: int, event: NewEvent) -> None:
        """Make a checkpoint if one is due: with every list, every day, and after :data:`MAX_EVENTS` events.

        The event is durable already, so a failure is logged and does not become one of its command.

        :param number: the number of the event.
        """
        is_list = event.kind is EventKind.LIST_ISSUED
        if (number < self._not_before and not is_list) or not self._is_due(number, event):
            return
        # One that another thread is making may not cover this event, which matters for a list.
        if not self._lock.acquire(blocking=is_list):
            return
        try:
            self._made = None  # another process may have made one
            if self._is_due(number, event):
                self._made = self.make().size, event.at.date()
        except (SmkiError, OSError) as error:
            self._not_before = number + MAX_EVENTS
            _log.warning("no checkpoint of the record could be made: %s", error)
        finally:
            self._lock.release()

    def _is_due(self, number: int, event: NewEvent) -> bool:
        made = self._made
        if made is None:
            made = self._made = self._last_made()
        size, day = made
        if size >= number:
            return False
        is_another_day = day is not None and day != event.at.date()
        return event.kind is EventKind.LIST_ISSUED or number - size >= MAX_EVENTS or is_another_day

    def _last_made(self) -> tuple[int, date | None]:
        """Return the size of the latest checkpoint, and the day of its last event; (0, None) if it cannot be trusted.

        Then one is due, and :meth:`make` says what is wrong.
        """
        files = self._files()
        try:
            size = Checkpoint.parse(_text(files[-1]), None).size if files else 0
            if files and files[-1].name != _name(size):
                return 0, None
            return size, from_seconds(self._ledger.record.event(max(size, 1)).at).date()
        except (SmkiError, OSError, ValueError, TypeError, OverflowError) as error:
            _log.info("the latest checkpoint cannot be used: %s", error)
            return 0, None

    def _signing(self) -> NoteSigner:
        if self._signer is None:
            try:
                key = self._keys.read_note_key(RECORD_KEY)
            except NotFound:
                if (self.directory / KEY_FILE).exists():
                    raise  # another key would make a record that nobody can verify
                with contextlib.suppress(FileExistsError):  # another process has just made it
                    self._keys.write(RECORD_KEY, self._randomness.note_key("record"))
                key = self._keys.read_note_key(RECORD_KEY)
            self._signer = NoteSigner(self.origin(), key)
        if not (self.directory / KEY_FILE).exists():
            self._write(KEY_FILE, f"{self._signer.verifier}\n")
        if self.verifier() != self._signer.verifier:
            raise IntegrityError(
                Problem(
                    code="checkpoint.key",
                    subject=self._keys.place(RECORD_KEY),
                    seen=str(self._signer.verifier),
                    expected=f"the key of {self.directory / KEY_FILE}",
                )
            )
        return self._signer

    def _tree(self, latest: Checkpoint | None) -> GrowingTree:
        """Return the tree at the latest checkpoint, if the file has it, or an empty one."""
        if latest is not None:
            try:
                saved = json.loads((self.directory / TREE_FILE).read_text())
                tree = GrowingTree(saved["size"], [bytes.fromhex(root) for root in saved["roots"]])
                if tree.size == latest.size and tree.root() == latest.root:
                    return tree
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                _log.info("the tree is made again from all leaves: %s", error)
        return GrowingTree()

    def _write(self, name: str, text: str) -> None:
        try:
            self.directory.mkdir(mode=0o755, exist_ok=True)
            with replacing(self.directory / name, PUBLIC_MODE) as file:
                file.write(text.encode())
        except OSError as error:
            raise NotReady(
                Problem(
                    code="home.not-writable",
                    subject=str(self.directory / name),
                    seen=error.strerror or str(error),
                    expected="a directory that can be written to",
                )
            ) from error


def read_checkpoints(
    notes: Iterable[tuple[str, str]], verifier: NoteVerifier
) -> tuple[list[tuple[str, Checkpoint]], list[Problem]]:
    """Return the checkpoints among notes, each with its name, and what is wrong with the others."""
    checkpoints: list[tuple[str, Checkpoint]] = []
    problems: list[Problem] = []
    for name, note in notes:
        try:
            checkpoints.append((name, Checkpoint.parse(note, verifier, name)))
        except Malformed as error:
            problems += error.problems
    return checkpoints, problems


def checkpoint_problems(leaves: Iterable[bytes], checkpoints: Iterable[tuple[str, Checkpoint]]) -> Iterator[Problem]:
    """Return which checkpoints are not of these leaves."""
    waiting = sorted(checkpoints, key=lambda each: each[1].size)
    tree, at = GrowingTree(), 0

    def compared(tree: GrowingTree) -> Iterator[Problem]:
        nonlocal at
        while at < len(waiting) and waiting[at][1].size == tree.size:
            if waiting[at][1].root != tree.root():
                yield _inconsistent(*waiting[at], "other events before it")
            at += 1

    yield from compared(tree)
    for leaf in leaves:
        tree.append(leaf)
        yield from compared(tree)
    for name, checkpoint in waiting[at:]:
        yield _inconsistent(name, checkpoint, f"{tree.size} events")


def _name(size: int) -> str:
    return f"{size:012d}.checkpoint"


def _misnamed(checkpoints: Iterable[tuple[str, Checkpoint]]) -> Iterator[Problem]:
    """Return which files have the name of another checkpoint. The latest one is found by its name."""
    for name, checkpoint in checkpoints:
        if name != _name(checkpoint.size):
            subject, seen = f"checkpoint {name}", f"the checkpoint of {checkpoint.size} events"
            yield Problem(
                code="checkpoint.name", subject=subject, seen=seen, expected=f"it in {_name(checkpoint.size)}"
            )


def _text(path: Path) -> str:
    """Return the text of a file, or its beginning if it is longer than a note can be; empty if it is not a regular file.

    :raises OSError: if it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would not answer
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return ""
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_NOTE_BYTES + 1).decode(errors="replace").replace("\r\n", "\n")


def _none() -> NotFound:
    return NotFound(
        Problem(
            code="checkpoint.missing",
            subject="record",
            seen="no checkpoint",
            expected="at least one",
            remedy="smki audit checkpoint makes one.",
        )
    )


def _malformed(subject: str, seen: str) -> Malformed:
    expected = "origin, size and root of the record"
    return Malformed(
        Problem(
            code="checkpoint.malformed", subject=subject, seen=seen, expected=expected, clause="C2SP tlog-checkpoint"
        )
    )


def _inconsistent(name: str, checkpoint: Checkpoint, seen: str) -> Problem:
    return Problem(
        code="checkpoint.inconsistent",
        subject=f"checkpoint {name}",
        seen=seen,
        expected=f"the {checkpoint.size} events that were signed",
        clause="RFC 6962 2.1",
    )
