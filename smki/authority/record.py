"""Verifies the record against its checkpoints, in the ledger or in an export, and proves single certificates."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from smki.authority.checkpoints import Checkpoint, checkpoint_problems, read_checkpoints
from smki.clock import from_seconds, iso
from smki.identity import SerialNumber
from smki.keys.signed_note import NoteVerifier
from smki.ledger import Ledger
from smki.ledger.merkle import HASH_BYTES, audit_path, root_of_path, tree_hash
from smki.ledger.record import RecordReader, WrittenRow, pack_rows, text_hash
from smki.problem import Malformed, NotReady, Problem

FORMAT = "smki-record-1"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_LINE_CHARACTERS = 256 << 20
"""Maximum length of a line of an export. The event of a migration has about 100 characters for each row."""
_CERTIFICATE_TABLE = "certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The result of verifying a record."""

    events: int
    rows: int | None
    """The rows that were compared; None if only the checkpoints were."""
    checkpoints: int
    problems: tuple[Problem, ...]
    unsigned: int = 0
    """The events of an export after its latest checkpoint."""


def export_record(
    record: RecordReader, notes: Iterable[tuple[str, str]], verifier: NoteVerifier, write: Callable[[str], object]
) -> int:
    """Write the record as lines of JSON: what it is, its checkpoints, its entries, and every row; return the entries.

    :param record: that of a snapshot, so that entries and rows are of one moment.
    :param write: takes one line.
    """
    write(json.dumps({"format": FORMAT, "origin": verifier.name, "key": str(verifier)}))
    for name, note in notes:
        write(json.dumps({"checkpoint": note, "name": name}))
    count = 0
    for event in record.events():
        rows = [[row.part, row.key.decode(), row.hash.hex()] for row in event.rows]
        write(json.dumps({"entry": event.entry, "rows": rows}))
        count += 1
    for row in record.rows():
        write(json.dumps({"part": row.part, "key": row.key.decode(), "row": row.text}))
    return count


def open_export(path: Path) -> IO[str]:
    """Open an export for reading; it may be compressed with gzip.

    :raises OSError: if it cannot be opened.
    """
    with path.open("rb") as file:
        is_compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rt", encoding="utf-8") if is_compressed else path.open(encoding="utf-8")


def verify_export(file: IO[str], verifier: NoteVerifier | None, further: Iterable[tuple[str, str]] = ()) -> Verified:
    """Verify an export on its own, as :func:`verify_ledger` verifies the ledger that it is of.

    :param verifier: the key that must have signed its checkpoints; None to trust the one that the export names.
    :param further: checkpoints that were kept elsewhere, each with its name.
    :raises Malformed: if it is no export, or a line is longer than MAX_LINE_CHARACTERS.
    """
    problems: list[Problem] = []
    notes: list[tuple[str, str]] = []
    leaves: list[bytes] = []
    recorded: dict[tuple[int, str], bytes] = {}
    compared, number = 0, 0
    for number, line in enumerate(iter(partial(file.readline, MAX_LINE_CHARACTERS + 1), ""), 1):
        if len(line) > MAX_LINE_CHARACTERS:
            raise _no_export(f"line {number}: more than {MAX_LINE_CHARACTERS} characters")
        try:
            values = json.loads(line)
            if number == 1:
                if values["format"] != FORMAT:
                    raise ValueError(values["format"])
                verifier = verifier or NoteVerifier.parse(values["key"])
            elif "checkpoint" in values:
                values["checkpoint"].encode()  # JSON can have half of a surrogate pair, which is no text
                notes.append((str(values["name"])[:200], values["checkpoint"]))
            elif "entry" in values:
                problems += _entry_problems(values, len(leaves) + 1, recorded)
                leaves.append(text_hash(values["entry"]))
            else:
                compared += 1
                key = values["part"], values["key"]
                expected, text = recorded.pop(key, None), values["row"]
                if expected is None or expected != text_hash(text):
                    code = "record.row-added" if expected is None else "record.row-changed"
                    seen = "in no event" if expected is None else "not as it was recorded"
                    problems.append(_problem(code, text[:200], seen, "as its event recorded it"))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise _no_export(f"line {number}: {error}") from None
    if verifier is None:
        raise _no_export("an empty file")
    problems += [_problem("record.row-missing", f"row {key}", "missing", "never deleted") for key in recorded]
    checkpoints, unread = read_checkpoints(notes, verifier)
    if not checkpoints and not unread:
        # Without one, everything could have been made up.
        problems.append(_problem("checkpoint.missing", "export", "no checkpoint", "at least one"))
    kept, unread_kept = read_checkpoints(further, verifier)
    problems += [*unread, *unread_kept, *checkpoint_problems(leaves, [*checkpoints, *kept])]
    signed = max((checkpoint.size for _, checkpoint in checkpoints), default=0)
    return Verified(
        events=len(leaves),
        rows=compared,
        checkpoints=len(checkpoints) + len(kept),
        problems=tuple(problems),
        unsigned=max(0, len(leaves) - signed),
    )


def _entry_problems(values: dict[str, Any], number: int, recorded: dict[tuple[int, str], bytes]) -> Iterator[Problem]:
    entry = json.loads(values["entry"])
    rows = [WrittenRow(part, key.encode("ascii"), bytes.fromhex(row_hash)) for part, key, row_hash in values["rows"]]
    hashes = [row.hash for row in rows]
    recorded.update({(row.part, row.key.decode("ascii")): row.hash for row in rows})
    if entry["event"]["id"] != number:
        yield _problem("record.event-missing", f"event {number}", f"event {entry['event']['id']}", "consecutive events")
    written = hashlib.sha256(pack_rows(rows)).hexdigest()
    if (entry["rows"], entry["rowsRoot"], entry["written"]) != (len(hashes), tree_hash(hashes).hex(), written):
        yield _problem("record.event-changed", f"event {number}", "other rows", "the rows that its command wrote")


def make_proof(ledger: Ledger, serial_number: SerialNumber, checkpoint: Checkpoint) -> str:
    """Return a proof that a certificate was issued, and recorded before a checkpoint (C2SP tlog-proof).

    Its extra data are the entry, the row of the certificate, and the audit path of the row in the tree of the entry's
    rows.

    :raises NotFound: if it was not issued here.
    :raises NotReady: if the checkpoint is older.
    """
    event, position, row = ledger.record.issue(serial_number)
    if event.number > checkpoint.size:
        seen, expected = f"event {event.number}", f"an event before the checkpoint of {checkpoint.size} events"
        remedy = "smki audit checkpoint makes a newer checkpoint."
        subject = f"certificate {serial_number}"
        raise NotReady(
            Problem(code="proof.not-in-checkpoint", subject=subject, seen=seen, expected=expected, remedy=remedy)
        )
    hashes = [each.hash for each in event.rows]
    extra = {
        "entry": event.entry,
        "row": row,
        "rowIndex": position,
        "rowPath": [each.hex() for each in audit_path(position, hashes)],
    }
    leaves: list[bytes] = []
    for leaf in ledger.record.leaves():
        leaves.append(leaf)
        if len(leaves) == checkpoint.size:
            break
    path = [base64.b64encode(each).decode() for each in audit_path(event.number - 1, leaves)]
    encoded = base64.b64encode(json.dumps(extra).encode()).decode()
    return "\n".join([PROOF_HEADER, f"extra {encoded}", f"index {event.number - 1}", *path, "", checkpoint.note])


def verify_proof(proof: str, certificate: bytes, verifier: NoteVerifier) -> dict[str, Any]:
    """Verify a proof, and return what it proves: the event's columns, its time and the size of the checkpoint.

    :param certificate: DER.
    :param verifier: the key that must have signed the checkpoint.
    :raises Malformed: if it proves nothing of the certificate.
    """
    head, _, note = proof.partition("\n\n")
    checkpoint = Checkpoint.parse(note, verifier)
    try:
        header, extra_line, index_line, *path_lines = head.split("\n")
        extra = json.loads(base64.b64decode(extra_line.removeprefix("extra "), validate=True))
        index = int(index_line.removeprefix("index "))
        path = [base64.b64decode(line, validate=True) for line in path_lines]
        entry, row = json.loads(extra["entry"]), json.loads(extra["row"])
        row_path = [bytes.fromhex(each) for each in extra["rowPath"]]
        rows_root = root_of_path(text_hash(extra["row"]), extra["rowIndex"], entry["rows"], row_path)
        steps = {
            "the header of a proof": header == PROOF_HEADER,
            "hashes of 32 bytes": all(len(each) == HASH_BYTES for each in (*path, *row_path)),
            "the certificate in the row": row["table"] == _CERTIFICATE_TABLE
            and row["row"]["der"] == f"sha256:{hashlib.sha256(certificate).hexdigest()}",
            "the row in the entry": rows_root is not None and rows_root.hex() == entry["rowsRoot"],
            "the entry in the checkpoint": root_of_path(text_hash(extra["entry"]), index, checkpoint.size, path)
            == checkpoint.root,
        }
        proved = {"event": entry["event"], "at": iso(from_seconds(entry["event"]["at"])), "size": checkpoint.size}
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise _disproved(f"cannot be read: {error}"[:200]) from None
    for expected, holds in steps.items():
        if not holds:
            raise _disproved(f"not {expected}")
    return proved


def _disproved(seen: str) -> Malformed:
    expected = "a proof that the certificate is in the record"
    return Malformed(
        Problem(code="proof.invalid", subject="proof", seen=seen, expected=expected, clause="RFC 6962 2.1.1")
    )


def _no_export(seen: str) -> Malformed:
    return Malformed(
        Problem(code="record.export", subject="export", seen=seen[:200], expected="a file written by smki audit export")
    )


def _problem(code: str, subject: str, seen: str, expected: str) -> Problem:
    return Problem(code=code, subject=subject, seen=seen, expected=expected)
