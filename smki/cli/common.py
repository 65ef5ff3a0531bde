"""Options, parameter types, and reading and writing of files, shared by the commands."""

from __future__ import annotations

import contextlib
import enum
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from smki.authority.revocation_lists import POLICIES
from smki.clock import iso, parse_moment
from smki.file import PRIVATE_MODE, PUBLIC_MODE, replacing
from smki.identity import EntityIdentifier, PartyId, SerialNumber
from smki.pki.certificate import Certificate
from smki.pki.pem import MAX_INPUT_BYTES
from smki.problem import Malformed, NotFound, Problem
from smki.registration.actor import Actor
from smki.sec.device import DeviceType
from smki.sec.party import parse_day
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole, parse_usages

if TYPE_CHECKING:
    from smki.home.smki import Smki
    from smki.ledger import Revocation

    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # generic only from click 8.2 on

F = TypeVar("F", bound=Callable[..., Any])

DER_SUFFIXES = (".der", ".cer")


class Parsed(_ParamType):
    """A parameter type whose text is parsed by a function that raises :class:`~smki.problem.Malformed`."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse the value. A Malformed propagates to :mod:`smki.cli.main`, which prints it in full."""
        return self._parse(value) if isinstance(value, str) else value


class Choices(_ParamType):
    """A parameter type that accepts the value of some members of an enumeration, with hyphens for spaces."""

    name = "KIND"

    def __init__(self, members: Iterable[enum.Enum]) -> None:
        self._members = {str(member.value).replace(" ", "-"): member for member in members}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the member with a value; fail with a usage error that lists the values if there is none."""
        found = self._members.get(str(value).strip().lower().replace(" ", "-"))
        if found is None:
            self.fail(f"{value!r} is not one of: {', '.join(self._members)}.", param, ctx)
        return found


EUI64 = Parsed("EUI-64", EntityIdentifier.parse)
ROLE = Parsed("ROLE", RemotePartyRole.parse)
USAGE = Parsed("ds|ka", KeyUsage.parse)
USAGES = Parsed("ds|ka|ds,ka", parse_usages)
DEVICE_TYPE = Parsed("ESME|GSME|CHF|…", DeviceType.parse)
PARTY = Parsed("PARTY", PartyId.parse)
DAY = Parsed("DATE", parse_day)
SERIAL = Parsed("SERIAL", SerialNumber.parse)
STATUS = Parsed("P|I|N|E|R", CertificateStatus.parse)
MOMENT: Parsed = Parsed("TIME", parse_moment)

NUMBER = click.IntRange(-(2**63), 2**63 - 1)
"""A number that the ledger can store."""
COUNT = click.IntRange(1, 2**63 - 1)
"""A positive number that the ledger can store."""

home_option: Callable[[F], F] = click.option(
    "--home",
    type=click.Path(path_type=Path),
    envvar="SMKI_HOME",
    default="pki",
    metavar="DIR",
    help="Directory of the SMKI. [SMKI_HOME; default: ./pki]",
)
json_option: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def once(*names: str, default: Any = None, **attributes: Any) -> Callable[[F], F]:
    """Return an option that is refused if it is given twice. Of an ordinary one, click uses the last silently.

    :param names: as for :func:`click.option`.
    :param attributes: as for :func:`click.option`; ``again`` is a sentence on what to do instead of repeating it.
    """
    again = attributes.pop("again", "Give it once.")

    def only(context: click.Context, parameter: click.Parameter, values: tuple[Any, ...]) -> Any:
        if len(values) > 1:
            raise click.UsageError(f"{names[0]} is given {len(values)} times. {again}", context)
        return values[0] if values else default

    return click.option(*names, multiple=True, callback=only, **attributes)


def applicant_options(command: F) -> F:
    """Add the options that name the applicant."""
    for option in (
        click.option(
            "--on-behalf-of",
            default="",
            metavar="PARTY",
            help="The User on whose behalf a Shared Resource applies.",
        ),
        click.option("--officer", default="", help="Officer who applies. [default: the applicant's first]"),
        click.option(
            "--applicant",
            default="",
            metavar="PARTY",
            help="Party or Testing Participant that applies. [default: the owner of the EUI-64, or for a Device the first "
            "that is eligible]",
        ),
    ):
        command = option(command)
    return command


def officer_options(command: F) -> F:
    """Add the options that name the officer who acts. The same rules apply as over REST."""
    return _officer_options(command, required=True, otherwise="")


def adding_options(command: F) -> F:
    """Add the options that name who adds a Device to the inventory; without them the first Party that may."""
    return _officer_options(command, required=False, otherwise=" [default: the first Party that may]")


def checking_options(command: F) -> F:
    """Add the options that name the officer who acts, for a command that also shows something to the operator."""
    return _officer_options(command, required=False, otherwise="")


def _officer_options(command: F, *, required: bool, otherwise: str) -> F:
    text = f"Party or Testing Participant whose officer acts.{otherwise}"
    for option in (
        click.option("--officer", default="", help="Officer who acts. [default: the Party's first who may]"),
        click.option("--party", type=PARTY, required=required, help=text),
    ):
        command = option(command)
    return command


under_test_option: Callable[[F], F] = click.option(
    "--under-test", is_flag=True, help="Add it as a Device under test of whoever adds it, of any type and model."
)


def cli_actor(party: PartyId | None = None, officer: str = "") -> Actor:
    """Return the actor of a command: an officer of a Party or, without a Party, the operator of the home."""
    return Actor(interface="cli", party=str(party) if party else "", officer=officer)


def list_deadline(smki: Smki, revocation: Revocation) -> datetime:
    """Return the time by which a revocation list will contain a revocation."""
    record = smki.ledger.certificate(revocation.serial_number)
    kind = list_issuer(record.kind) if record else CertificateKind.ISSUING_OCA
    return revocation.effective + smki.lists(kind).policy.after_revocation


def list_issuer(kind: CertificateKind) -> CertificateKind:
    """Return the kind of authority whose list contains revoked certificates of a kind."""
    return CertificateKind.ISSUING_OCA if kind is CertificateKind.ORGANISATION else CertificateKind.ROOT_OCA


def list_deadline_text(kind: CertificateKind, deadline: datetime) -> str:
    """Return a sentence that says by when a list contains the revocation of a certificate."""
    issuer = list_issuer(kind)
    command = "crl" if issuer is CertificateKind.ISSUING_OCA else "arl"
    title = POLICIES[issuer].profile.title
    return f"The {title} contains it by {iso(deadline)} while the repository is served; at once with: smki {command} publish"


def read_input(name: str) -> bytes:
    """Return the bytes of a file, or of standard input for ``-``.

    :raises NotFound: if there is no such file.
    :raises Malformed: if it is a directory or larger than MAX_INPUT_BYTES.
    """
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_INPUT_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(
            Problem(
                code="file.missing",
                subject=name,
                seen="no such file",
                expected="a readable file",
                remedy="Check the file name; - stands for standard input.",
            )
        ) from None
    except IsADirectoryError:
        raise Malformed(Problem(code="file.directory", subject=name, seen="a directory", expected="a file")) from None
    if len(data) > MAX_INPUT_BYTES:
        raise Malformed(
            Problem(
                code="input.too-large",
                subject=name,
                seen=f"more than {MAX_INPUT_BYTES} bytes",
                expected="a smaller file",
            )
        )
    return data


@contextlib.contextmanager
def output(path: Path | None, mode: int = PUBLIC_MODE) -> Iterator[IO[bytes]]:
    """Open the output of a command: a file that is created atomically, or standard output for None or ``-``.

    :param mode: the permissions of the file. One with private keys (PRIVATE_MODE) is not written through a link.
    :raises NotFound: if its directory does not exist.
    """
    if path is None or path == Path("-"):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    require_directory(path.parent)
    with replacing(path, mode, follow_links=mode != PRIVATE_MODE) as file:
        yield file


def require_directory(path: Path) -> None:
    """Check that a directory exists before doing work whose result is written to it.

    :raises NotFound: if it does not.
    """
    if not path.is_dir():
        raise NotFound(
            Problem(
                code="file.missing",
                subject=str(path),
                seen="no such directory",
                expected="an existing directory",
                remedy="Create it first.",
            )
        )


def encode_certificate(certificate: Certificate, path: Path | None) -> bytes:
    """Return a certificate in the encoding for a path: DER if it ends in .der or .cer, PEM otherwise."""
    if path is not None and path.suffix.lower() in DER_SUFFIXES:
        return certificate.der
    return certificate.as_pem().encode()


def day(moment: datetime) -> str:
    """Return the date of a moment (YYYY-MM-DD)."""
    return f"{moment.year:04d}-{moment:%m-%d}"
