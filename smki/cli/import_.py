"""smki import"""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from smki.cli.common import home_option, json_option, read_input
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.progress import progress_bar
from smki.cli.say import say
from smki.home.smki import Smki
from smki.interchange.importing import Importer, ImportOutcome, find_certificates
from smki.interchange.importing.contents import FoundObject
from smki.interchange.importing.importer import ImportStatus
from smki.interchange.importing.sources import find_in
from smki.keys.private_key import encryption_from_environment
from smki.pki.certificate import Certificate, read_certificate
from smki.pki.pem import decode_input
from smki.problem import errors_among, finding_text, problem_lines
from smki.profile.detect import detect_profile


@click.command(name="import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--only-conformant", is_flag=True, help="Skip certificates that break a rule of their profile.")
@click.option(
    "--issuer",
    "issuer_files",
    multiple=True,
    metavar="FILE",
    help="Certificate of an authority with which to check signatures; may be repeated.",
)
@click.option("--keys", "with_keys", is_flag=True, help="Also import private keys, to keys/imported in the home.")
@home_option
@json_option
def import_(
    paths: tuple[str, ...],
    only_conformant: bool,
    issuer_files: tuple[str, ...],
    with_keys: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Import certificates that were issued elsewhere.

    PATH is a file (PEM, DER, base64, a key store, JSON Lines, a ZIP archive), a directory of such files, or - for
    standard input. Each certificate is linted. Those that break a rule are imported with their findings, unless
    --only-conformant is given. Imported certificates can be looked up like those issued here, but have no other effect.

    Exit status: 0 every certificate was imported or already known; 1 something was not imported.

    \b
    smki import keystore.json
    smki import certificates/ meters.zip --issuer issuing-dca.pem
    """
    issuers = [
        Certificate.from_der(piece.der) for file in issuer_files for piece in decode_input(read_input(file), file)
    ]
    with Smki.open(home) as smki:
        importer = smki.importer(
            [*issuers, *(record.certificate for record in smki.authorities())],
            only_conformant=only_conformant,
            interface="cli",
        )
        # Closed while the home is open: what was read is stored even if the output pipe breaks.
        with closing(importer.take(_found(paths))) as taking:
            outcomes = _reported(taking, as_json)
        written = smki.write_imported_keys(importer) if with_keys else []
    counts = Counter(taken for taken, _ in outcomes)
    defective = sum(is_defective for taken, is_defective in outcomes if taken is ImportStatus.IMPORTED)
    if not as_json:
        say(_summary(counts, defective, importer, written, with_keys))
    if counts[ImportStatus.NOT_IMPORTED]:
        sys.exit(EXIT_NEGATIVE)


def _found(paths: Sequence[str]) -> Iterator[FoundObject]:
    passphrase = encryption_from_environment()
    for path in paths:
        if path == "-":
            yield from find_in(io.BytesIO(read_input("-")), "standard input", passphrase)
        else:
            yield from find_certificates(Path(path), passphrase)


def _reported(outcomes: Iterable[ImportOutcome], as_json: bool) -> list[tuple[ImportStatus, bool]]:
    """Print each outcome as it becomes known."""
    reported = []
    with progress_bar("importing") as report:
        for number, outcome in enumerate(outcomes, 1):
            say(*([json.dumps(_values(outcome))] if as_json else _lines(outcome)))
            reported.append((outcome.status, outcome.is_defective))
            report(number, 0)
    return reported


def _lines(outcome: ImportOutcome) -> list[str]:
    what = "nothing to import"
    if outcome.certificate is not None:
        certificate = outcome.certificate
        entity = f" of {certificate.entity_identifier}" if certificate.entity_identifier else ""
        what = f"{detect_profile(read_certificate(certificate.der)).title}{entity}, {certificate.serial_number}"
    name = f" ({outcome.name})" if outcome.name else ""
    lines = [f"{outcome.source}: {outcome.status.value}{', defective' if outcome.is_defective else ''}: {what}{name}"]
    lines += (f"  {line}" for problem in outcome.problems for line in problem_lines(problem))
    shown = {problem.code for problem in outcome.problems}
    lines += (f"  {finding_text(finding)}" for finding in errors_among(outcome.findings) if finding.code not in shown)
    return lines


def _values(outcome: ImportOutcome) -> dict[str, Any]:
    certificate = outcome.certificate
    return {
        "source": outcome.source,
        "name": outcome.name,
        "outcome": outcome.status.value,
        "defective": outcome.is_defective,
        "serialNumber": certificate.serial_number.hex if certificate else None,
        "sha256": certificate.sha256.hex().upper() if certificate else None,
        "findings": [finding.as_json() for finding in outcome.findings],
        "problems": [problem.as_json() for problem in outcome.problems],
    }


def _summary(
    counts: Counter[ImportStatus], defective: int, importer: Importer, written: Sequence[Path], with_keys: bool
) -> str:
    parts = [f"{counts[taken]} {taken.value}" for taken in ImportStatus]
    parts[0] += f" ({defective} of them defective)" if defective else ""
    if with_keys:
        keys = f"{len(written)} private keys written to keys/imported"
    else:
        keys = f"{len(importer.keys)} private keys skipped; --keys imports them" if importer.keys else ""
    return f"{', '.join(parts)}{f'; {keys}' if keys else ''}"
