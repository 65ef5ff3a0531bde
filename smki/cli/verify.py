"""smki verify"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click

from smki.cli.common import EUI64, MOMENT, Parsed, home_option, json_option, output, read_input, require_directory
from smki.cli.main import EXIT_NEGATIVE, EXIT_REFUSED
from smki.cli.say import say, say_problems
from smki.cli.verdict_text import FileVerdict, junit, one_line, print_checks, progress
from smki.clock import RealClock
from smki.home.configuration import CONFIGURATION_FILE
from smki.home.smki import Smki
from smki.identity import EntityIdentifier
from smki.pki.certificate import Certificate
from smki.pki.pem import decode_input, read_pieces
from smki.problem import Malformed, NotFound, Problem, SmkiError
from smki.profile.detect import split
from smki.profile.tables import TEST_POLICY_OID
from smki.relying_party import RelyingParty, RepositoryClient, RevocationLists, Suspicions, Use
from smki.relying_party.lists import ListSource
from smki.relying_party.suspicion import SUSPICIONS_FILE
from smki.sec.role import CertificateKind

USE = Parsed("ROLE/USAGE", Use.parse)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--trust", multiple=True, metavar="FILE", help="Certificates of authorities to trust. [default: those of the home]"
)
@click.option("--chain", multiple=True, metavar="FILE", help="Certificates of further authorities for building paths.")
@click.option("--crl", multiple=True, metavar="FILE", help="Organisation CRL.")
@click.option("--arl", multiple=True, metavar="FILE", help="Organisation ARL.")
@click.option("--repository", metavar="URL", help="Fetch the lists from this Repository.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory in which to cache its lists and their numbers.",
)
@click.option("--at", type=MOMENT, metavar="TIME", help="Time at which to verify. [default: now]")
@click.option("--for", "use", type=USE, help="Intended use, for example supplier/ds, /ka or device.")
@click.option("--entity", type=EUI64, help="EUI-64 of the expected Organisation or Device.")
@click.option(
    "--ignore-time", is_flag=True, help="Do not check validity periods, as a Device may; lists must still be current."
)
@click.option(
    "--policy",
    multiple=True,
    metavar="OID",
    help=f"Certificate policy of the environment. [default: {TEST_POLICY_OID}]",
)
@click.option(
    "--suspicions",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with suspicions. [default: that of the home]",
)
@click.option("--checks", is_flag=True, help="Print every check, even for several certificates.")
@click.option("--junit", "junit_file", type=click.Path(path_type=Path), metavar="FILE", help="Write a JUnit report.")
@home_option
@json_option
def verify(
    files: tuple[str, ...], trust: tuple[str, ...], chain: tuple[str, ...], crl: tuple[str, ...], arl: tuple[str, ...],
    repository: str | None, cache: Path | None, at: datetime | None, use: Use | None,
    entity: EntityIdentifier | None, ignore_time: bool,
    policy: tuple[str, ...], suspicions: Path | None, checks: bool, junit_file: Path | None, home: Path, as_json: bool,
) -> None:  # fmt: skip
    """Decide whether certificates can be relied on (SEC L12), and show every check and the deciding reason.

    FILE contains one or more certificates in PEM, DER, base64 or hexadecimal; - is standard input. The file for --trust
    contains certificates of authorities: roots are trusted, and so is an authority whose root is not among them. If a
    revocation list is not available, the certificate is not trusted. Without --trust, the authorities, the latest lists
    and the clock of the home are used.

    Exit status: 0 all are trusted; 1 at least one is not; 2 something could not be read.

    \b
    smki verify supplier.pem
    smki verify meter.pem --trust authorities.pem
    smki verify supplier.pem --repository http://127.0.0.1:8083 \\
        --for supplier/ds --entity 90-B3-D5-1F-30-01-00-00
    """
    if junit_file is not None:
        require_directory(junit_file.absolute().parent)
    if trust:
        anchors = [Certificate.from_der(encoded) for name in trust for encoded in _objects(name)]
        source: RevocationLists | ListSource = RevocationLists.of(_lists(crl), _lists(arl))
        now = RealClock().now()
    else:
        anchors, of_the_home, now = _of_the_home(home)
        source = RevocationLists.of(_lists(crl), _lists(arl)) if crl or arl else of_the_home
    if repository is not None:
        if crl or arl:
            raise click.UsageError("Give lists as files or a Repository to get them from, not both.")
        source = RepositoryClient(repository, cache=cache)
    party = RelyingParty(
        anchors,
        source,
        chain=[encoded for name in chain for encoded in _objects(name)],
        suspicions=Suspicions.read(suspicions or home / SUSPICIONS_FILE),
        policy_oids=policy or (TEST_POLICY_OID,),
        ignore_time=ignore_time,
    )
    judged: list[FileVerdict] = []
    problems: list[Problem] = []
    moment = at or now
    for name, found in progress(_certificates(files)):
        if isinstance(found, bytes):
            judged.append(FileVerdict(name, party.verify(found, for_=use, entity=entity, at=moment)))
        else:
            problems += found
    _report(judged, problems, as_json, checks)
    if junit_file is not None:
        with output(junit_file) as file:
            file.write(junit(judged, problems))
    if problems:
        sys.exit(EXIT_REFUSED)
    sys.exit(0 if all(one.verdict.trusted for one in judged) else EXIT_NEGATIVE)


def _report(judged: Sequence[FileVerdict], problems: Sequence[Problem], as_json: bool, checks: bool) -> None:
    if as_json:
        verdicts = [{"file": one.name, **one.verdict.as_json()} for one in judged]
        value = {"verdicts": verdicts, "problems": [problem.as_json() for problem in problems]}
        click.echo(json.dumps(value, indent=2))
    else:
        for one in judged:
            if checks or len(judged) == 1:
                print_checks(one)
            click.echo(one_line(one))  # untrusted text in it is already escaped; say() would escape the colours too
        if len(judged) > 1:
            say(f"{sum(one.verdict.trusted for one in judged)} of {len(judged)} trusted")
    for problem in problems:
        say_problems([problem], "smki: ", err=True)


def _certificates(files: Sequence[str]) -> list[tuple[str, bytes | Sequence[Problem]]]:
    """Return (name, certificate), or (name, problems) if it cannot be read, for every object in the files."""
    found: list[tuple[str, bytes | Sequence[Problem]]] = []
    for file in files:
        try:
            pieces = list(read_pieces(read_input(file), file))
        except SmkiError as error:
            found.append((file, error.problems))
            continue
        except OSError as error:
            found.append((file, [Problem(code="file.unusable", subject=file, seen=error.strerror or str(error))]))
            continue
        objects: list[bytes | Sequence[Problem]] = []
        for piece in pieces:
            objects += [piece.problems] if isinstance(piece, Malformed) else split(piece.der)
        several = len(objects) > 1
        found += ((f"{file}, object {number}" if several else file, item) for number, item in enumerate(objects, 1))
    return found


def _objects(name: str) -> Iterator[bytes]:
    for piece in decode_input(read_input(name), name):
        yield from split(piece.der)


def _lists(names: Sequence[str]) -> list[bytes]:
    return [piece.der for name in names for piece in decode_input(read_input(name), name)]


def _of_the_home(home: Path) -> tuple[list[Certificate], RevocationLists, datetime]:
    """Return the authorities of a home, the latest lists in its ledger, and its current time."""
    if not (home / CONFIGURATION_FILE).exists():
        remedy = "Name a file with the authorities with --trust, or a home with --home."
        raise NotFound(
            Problem(
                code="trust-anchor.missing",
                subject="--trust",
                seen=f"none, and no home at {home}",
                expected="an authority",
                remedy=remedy,
            )
        )
    with Smki.open(home) as smki:
        anchors = [record.certificate for record in smki.authorities()]
        crls = [latest.der for lists in smki.all_lists(CertificateKind.ISSUING_OCA) if (latest := lists.latest())]
        arls = [latest.der for lists in smki.all_lists(CertificateKind.ROOT_OCA) if (latest := lists.latest())]
        return anchors, RevocationLists.of(crls, arls), smki.clock.now()
