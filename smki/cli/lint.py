"""smki lint"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from smki.cli.common import json_option, read_input
from smki.cli.main import EXIT_NEGATIVE, EXIT_REFUSED
from smki.cli.say import say, say_problems
from smki.pki.certificate import Certificate
from smki.pki.pem import decode_input, read_pieces
from smki.pki.x509 import issuer_of
from smki.problem import Malformed, Problem, Severity, SmkiError, errors_among, finding_text
from smki.profile.catalogue import CATALOGUE
from smki.profile.detect import Shape, split
from smki.profile.lint import Linted, lint_any, profile_named

SUFFIXES = frozenset(
    [".pem", ".crt", ".cer", ".cert", ".der", ".crl", ".arl", ".csr", ".req", ".p10", ".b64", ".base64", ".hex"]
)
"""Suffixes of the files in a directory that are linted. A file named on the command line can have any suffix."""

_LABELS = ("CERTIFICATE", "CRL", "REQUEST")
"""Last words of the PEM labels of objects that are linted. Other blocks, such as private keys, are skipped."""


@dataclass(frozen=True, slots=True)
class Linting:
    """A linted object."""

    file: str
    number: int
    """Number of the object in the file, from 1."""
    of: int
    """Number of objects in the file."""
    result: Linted

    @property
    def name(self) -> str:
        """The file name, with the number of the object if there are several."""
        return self.file if self.of == 1 else f"{self.file}, object {self.number}"

    def as_json(self) -> dict[str, Any]:
        """Return the object and its findings as a JSON object."""
        return {
            "file": self.file,
            "object": self.number,
            "shape": self.result.shape.value,
            "kind": self.result.kind,
            "title": self.result.title,
            "findings": [finding.as_json() for finding in self.result.findings],
        }


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option(
    "--kind", metavar="PROFILE", help="Profile to check against, as named by smki profile list. [default: detected]"
)
@click.option("--issuer", metavar="FILE", help="Issuer's certificate; of several, the one that the issuer field names.")
@click.option("--codes", is_flag=True, help="Print the catalogue of findings.")
@json_option
def lint(files: tuple[str, ...], kind: str | None, issuer: str | None, codes: bool, as_json: bool) -> None:
    """Check certificates, certification requests and revocation lists against their profiles.

    FILE is a file in PEM, DER, base64 or hexadecimal with one or more objects, a directory (of which files ending
    in .pem, .crt, .cer, .der, .crl, .csr and similar are read) or - for standard input. With --issuer the
    signature, the issuer's name and the key identifier are checked too.

    Exit status: 0 no errors; 1 errors were found; 2 something could not be read.

    \b
    smki lint meter.pem --issuer issuing-dca.pem
    smki lint certificates/ --json
    """
    if codes:
        _print_codes(as_json)
        return
    if not files:
        raise click.UsageError("Name at least one file or directory, or - for standard input.")
    if kind is not None:
        profile_named(kind)
    issuers = [Certificate.from_der(piece.der) for piece in decode_input(read_input(issuer), issuer)] if issuer else []
    lintings: list[Linting] = []
    problems: list[Problem] = []
    for outcome in _lint_files(files, kind, issuers):
        if isinstance(outcome, Linting):
            lintings.append(outcome)
            if not as_json:
                say(*_lines(outcome))
        else:
            problems += outcome
            if not as_json:
                for problem in outcome:
                    say_problems([problem], "smki: ", err=True)
    if as_json:
        objects = [linting.as_json() for linting in lintings]
        click.echo(json.dumps({"objects": objects, "problems": [problem.as_json() for problem in problems]}, indent=2))
    elif len(lintings) > 1:
        say(_summary(lintings))
    sys.exit(_exit_status(lintings, problems))


def _exit_status(lintings: Sequence[Linting], problems: Sequence[Problem]) -> int:
    if problems or any(linting.result.shape is Shape.UNKNOWN for linting in lintings):
        return EXIT_REFUSED
    return EXIT_NEGATIVE if any(errors_among(linting.result.findings) for linting in lintings) else 0


def _lint_files(
    names: Sequence[str], kind: str | None, issuers: Sequence[Certificate]
) -> Iterator[Linting | Sequence[Problem]]:
    for name in names:
        try:
            for file in _files_of(name):
                yield from _lint_file(file, kind, issuers)
        except SmkiError as error:
            yield error.problems


def _files_of(name: str) -> Iterator[str]:
    path = Path(name)
    if name == "-" or not path.is_dir():
        yield name
        return
    found = False
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in SUFFIXES and file.is_file():
            found = True
            yield str(file)
    if not found:
        raise Malformed(
            Problem(
                code="directory.nothing",
                subject=name,
                seen="contains no certificate, request or revocation list",
                expected=f"files ending in {', '.join(sorted(SUFFIXES))}",
            )
        )


def _lint_file(file: str, kind: str | None, issuers: Sequence[Certificate]) -> Iterator[Linting | Sequence[Problem]]:
    try:
        data = read_input(file)
    except SmkiError as error:
        yield error.problems
        return
    except OSError as error:
        yield [
            Problem(
                code="file.unusable",
                subject=file,
                seen=error.strerror or str(error),
                expected="a readable file",
            )
        ]
        return
    objects: list[bytes] = []
    others: list[str] = []
    failures = 0
    for piece in read_pieces(data, file):
        if isinstance(piece, Malformed):
            failures += 1
            yield piece.problems
        elif piece.label and not piece.label.endswith(_LABELS):
            others.append(piece.label)
        else:
            objects += split(piece.der)
    if not objects and not failures:
        yield [
            Problem(
                code="input.other",
                subject=file,
                seen=", ".join(others),
                expected="a certificate, request or revocation list in PEM",
            )
        ]
    for number, encoded in enumerate(objects, 1):
        result = lint_any(encoded, kind=kind, issuer=_issuer_for(encoded, issuers))
        yield Linting(file, number, len(objects), result)


def _issuer_for(encoded: bytes, issuers: Sequence[Certificate]) -> Certificate | None:
    """Return the issuer whose name is in the object's issuer field, or else the first."""
    name = issuer_of(encoded) if len(issuers) > 1 else None
    return next((issuer for issuer in issuers if issuer.subject == name), issuers[0] if issuers else None)


def _lines(linting: Linting) -> list[str]:
    findings = linting.result.findings
    lines = [f"{linting.name}: {linting.result.title}{'' if findings else ': nothing found'}"]
    return [*lines, *(f"  {finding_text(finding)}" for finding in findings)]


def _summary(lintings: Sequence[Linting]) -> str:
    worst = [max((finding.severity for finding in linting.result.findings), default=None) for linting in lintings]
    counts = [f"{worst.count(severity)} {severity.label}" for severity in reversed(Severity) if severity in worst]
    files = len({linting.file for linting in lintings})
    clean = worst.count(None)
    return f"{len(lintings)} objects in {files} files; by their worst finding: {', '.join([*counts, f'{clean} clean'])}"


def _print_codes(as_json: bool) -> None:
    rows = CATALOGUE.values()
    if as_json:
        values = [
            {"code": row.code, "severity": row.severity.label, "clause": row.clause, "rule": row.rule} for row in rows
        ]
        click.echo(json.dumps(values, indent=2))
        return
    width = max(len(row.code) for row in rows)
    clause = max(len(row.clause) for row in rows)
    for row in rows:
        say(f"{row.code:<{width}}  {row.severity.label:<7}  {row.clause:<{clause}}  {row.rule}")
