"""smki audit checkpoint, verify, export, prove and check-proof: the record of events and its signed tree heads"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import click

from smki.authority.record import Verified, export_record, make_proof, open_export, verify_export, verify_proof
from smki.cli.common import SERIAL, home_option, json_option, output, read_input
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.say import count_of, say, say_problems
from smki.home.smki import Smki
from smki.identity import SerialNumber
from smki.keys.signed_note import NoteVerifier
from smki.pki.pem import decode_input

out_option = click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file.")
key_option = click.option(
    "--key", metavar="KEY", help="The verifier key that must have signed, as in checkpoints/key.txt."
)


@click.command()
@out_option
@home_option
@json_option
def checkpoint(home: Path, out: Path | None, as_json: bool) -> None:
    """Sign the tree head of the record, and print it.

    The checkpoint (C2SP tlog-checkpoint) is kept in the home. Keep copies elsewhere: with one of them, smki audit
    verify --since shows that no event up to then was changed or removed. One is made with every revocation list, every
    day, and after 1000 events anyway.
    """
    with Smki.open(home) as smki:
        made = smki.checkpoints.make()
        key = str(smki.checkpoints.verifier())
    if as_json:
        values = {"origin": made.origin, "size": made.size, "root": made.root.hex(), "note": made.note, "key": key}
        click.echo(json.dumps(values, indent=2))
        return
    with output(out) as file:
        file.write(made.note.encode())


@click.command()
@click.option(
    "--since",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="CHECKPOINT",
    help="A checkpoint that was kept elsewhere: the events must continue it. Can be repeated.",
)
@click.option(
    "--export",
    "exported",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Verify a file written by smki audit export instead of the home.",
)
@key_option
@home_option
@json_option
def verify(home: Path, since: tuple[Path, ...], exported: Path | None, key: str | None, as_json: bool) -> None:
    """Verify the record: events, tables and checkpoints.

    Every event must be as it was appended, every row of the tables as an event says that it was written, and every
    checkpoint signed, and of these events. An attacker who has the signing key can sign new checkpoints, so keep some
    of them, and the key (checkpoints/key.txt), elsewhere: --since, --key.

    Exit status: 0 no problems; 1 problems were found.
    """
    kept = [(str(path), path.read_text(errors="replace")) for path in since]
    verifier = NoteVerifier.parse(key) if key else None
    if exported is not None:
        with open_export(exported) as file:
            result = verify_export(file, verifier, kept)
    else:
        with Smki.open(home) as smki:
            problems = [
                *smki.ledger.inconsistencies(),
                *smki.ledger.unrecorded(),
                *smki.checkpoints.problems(kept, verifier),
            ]
            count = len(smki.checkpoints.notes()) + len(kept)
            result = Verified(
                events=smki.ledger.record.size(), rows=None, checkpoints=count, problems=tuple(dict.fromkeys(problems))
            )
    if as_json:
        problems_json = [problem.as_json() for problem in result.problems]
        values = {
            "events": result.events,
            "checkpoints": result.checkpoints,
            "unsigned": result.unsigned,
            "problems": problems_json,
        }
        click.echo(json.dumps(values, indent=2))
    else:
        say_problems(result.problems)
        if result.unsigned:
            say(f"{count_of(result.unsigned, 'event')} after the latest checkpoint of the export")
        counts = (result.events, "event"), (result.checkpoints, "checkpoint"), (len(result.problems), "problem")
        say(", ".join(count_of(*each) for each in counts))
    sys.exit(EXIT_NEGATIVE if result.problems else 0)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@home_option
def export(home: Path, file: Path) -> None:
    """Write the record to FILE: the checkpoints, every event, and every row that the events cover.

    Certificates, requests and lists are named by their SHA-256. FILE has a JSON object on each line, and is compressed
    if its name ends in .gz. smki audit verify --export verifies it without the home.
    """
    with Smki.open(home) as smki, output(file) as raw:
        smki.checkpoints.make()
        target = gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) if file.suffix == ".gz" else raw
        notes = smki.checkpoints.notes()
        with smki.ledger.snapshot() as snapshot:
            count = export_record(
                snapshot.record,
                notes,
                smki.checkpoints.verifier(),
                lambda line: target.write(line.encode() + b"\n"),
            )
        if target is not raw:
            target.close()
    say(f"{count_of(count, 'event')} written to {file}", err=True)


@click.command()
@click.argument("serial_number", type=SERIAL, metavar="SERIAL")
@out_option
@home_option
def prove(home: Path, serial_number: SerialNumber, out: Path | None) -> None:
    """Print a proof that a certificate was issued and recorded (C2SP tlog-proof).

    It holds for the latest checkpoint; a new one is made if the certificate is younger. smki audit check-proof checks it with the certificate and the verifier key alone.
    """
    with Smki.open(home) as smki:
        latest = smki.checkpoints.latest()
        if latest is None or latest.size < smki.ledger.record.issue(serial_number)[0].number:
            latest = smki.checkpoints.make()
        text = make_proof(smki.ledger, serial_number, latest)
    with output(out) as file:
        file.write(text.encode())


@click.command(name="check-proof")
@click.argument("certificate")
@click.argument("proof", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", required=True, metavar="KEY", help="The verifier key, as in checkpoints/key.txt of the home.")
@json_option
def check_proof(certificate: str, proof: Path, key: str, as_json: bool) -> None:
    """Check a PROOF that a CERTIFICATE is in the record of the owner of a key. It needs no home.

    Exit status: 0 it is; 2 the proof does not hold.
    """
    encoded = decode_input(read_input(certificate), certificate)[0].der
    proved = verify_proof(proof.read_text(errors="replace"), encoded, NoteVerifier.parse(key))
    if as_json:
        click.echo(json.dumps(proved, indent=2))
        return
    number, size = proved["event"]["id"], proved["size"]
    say(f"recorded as event {number} at {proved['at']}, in the checkpoint of {size} events")
