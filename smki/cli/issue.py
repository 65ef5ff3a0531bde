"""smki issue device, smki issue organisation, smki issue devices"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import click

from smki.cli.common import (
    DEVICE_TYPE,
    EUI64,
    ROLE,
    USAGE,
    USAGES,
    F,
    applicant_options,
    encode_certificate,
    home_option,
    once,
    output,
    read_input,
    require_directory,
    under_test_option,
)
from smki.cli.issue_devices import devices
from smki.cli.say import say
from smki.home.smki import Smki
from smki.identity import EntityIdentifier
from smki.keys.private_key import write_private_file
from smki.pki.certificate import to_pem
from smki.pki.request import PEM_LABELS, single_request
from smki.problem import NotReady, Problem, finding_text
from smki.registration import Actor, Application, Issued, Refusal, Refused
from smki.sec.device import DeviceType, parse_model
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

T = TypeVar("T")


@click.group()
def issue() -> None:
    """Apply for a Device or an Organisation Certificate.

    Use --csr to submit your own certification request, or --eui and --usage to have a key and a request made,
    which are written next to the certificate.
    """


_SEVERAL = "For several Devices, use smki issue devices."


def _application_options(command: F) -> F:
    for option in (
        applicant_options,
        click.option(
            "--statement",
            is_flag=True,
            help="State that the information is true and accurate, that the subscriber has the rights to every trade mark in "
            "it, and that nothing in it is confidential (SEC L11).",
        ),
        once(
            "--out",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="File for the certificate: DER if it ends in .der or .cer, else PEM. [default: standard output]",
        ),
        once("--eui", type=EUI64, help="Entity Identifier for which to make a key and a request.", again=_SEVERAL),
        once(
            "--csr",
            metavar="FILE",
            help="Certification request in PEM, base64 or DER; - for standard input.",
            again=_SEVERAL,
        ),
        home_option,
    ):
        command = option(command)
    return command


issue.add_command(devices)


@issue.command()
@_application_options
@once(
    "--usage",
    "usages",
    type=USAGES,
    help="Key usage: ds (digitalSignature) or ka (keyAgreement), or both: ds,ka.",
    again="For both certificates, write --usage ds,ka.",
)
@once(
    "--type", "device_type", type=DEVICE_TYPE, help="Device type, if the Device is not in the inventory: it is added."
)
@once("--model", default="", help="For such a Device, its product identifier on the Certified Products List.")
@under_test_option
@once("--issuer", default="", metavar="NAME", help="Common name of the Issuing DCA to use. [default: each in turn]")
def device(
    home: Path,
    csr: str | None,
    eui: EntityIdentifier | None,
    usages: tuple[KeyUsage, ...] | None,
    out: Path | None,
    device_type: DeviceType | None,
    model: str,
    under_test: bool,
    issuer: str,
    statement: bool,
    applicant: str,
    officer: str,
    on_behalf_of: str,
) -> None:
    """Apply for a Device Certificate, or for both certificates of a Device with --usage ds,ka.

    For both, the files are named after FILE, with -ds and -ka before the suffix.

    \b
    smki issue device --csr meter.csr --out meter.pem
    smki issue device --eui 00-DB-12-34-56-78-90-A0 --usage ds --out meter-ds.pem
    smki issue device --eui 00-DB-12-34-56-78-90-A0 --usage ds,ka --out meter.pem
    """
    application = Application(
        kind=CertificateKind.DEVICE, request=b"", device_type=device_type, issuer=issuer, statement=statement,
        model=parse_model(model) if model else "", under_test=under_test,
    )  # fmt: skip
    actor = Actor(interface="cli", party=applicant, officer=officer, on_behalf_of=on_behalf_of)
    with Smki.open(home) as smki:
        if csr is not None:
            _refuse_with_csr(eui=eui, usage=usages)
            _apply(smki, [_Wanted(replace(application, request=single_request(read_input(csr), csr)), out)], actor)
            return
        eui, usages = _required(eui, "--eui"), _required(usages, "--usage")
        wanted = []
        for usage in usages:
            key, request = smki.make_device_request(eui, usage)
            code = usage.code.lower()
            file = out if out is None or len(usages) == 1 else out.with_name(f"{out.stem}-{code}{out.suffix}")
            made = _Made(f"{eui.hex.lower()}-{code}", smki.key_pem(key), request)
            wanted.append(_Wanted(replace(application, request=request), file, made))
        _apply(smki, wanted, actor)


@issue.command()
@_application_options
@once("--usage", type=USAGE, help="Key usage: ds (digitalSignature) or ka (keyAgreement).")
@once("--role", type=ROLE, help="Remote Party Role: a name like supplier, or a code like 02.")
@once("--name", help="Common name of the subject.")
@click.option("--top-up", is_flag=True, help="Apply for a Supplier's key agreement certificate for prepayment top-up.")
@click.option("--publish-key", is_flag=True, help="Publish the private key: smki serve --publish-test-keys serves it.")
def organisation(
    home: Path,
    csr: str | None,
    eui: EntityIdentifier | None,
    role: RemotePartyRole | None,
    usage: KeyUsage | None,
    name: str | None,
    top_up: bool,
    publish_key: bool,
    statement: bool,
    out: Path | None,
    applicant: str,
    officer: str,
    on_behalf_of: str,
) -> None:
    """Apply for an Organisation Certificate.

    \b
    smki issue organisation --csr supplier.csr --out supplier.pem
    smki issue organisation --eui 90-B3-D5-1F-30-01-00-00 --role supplier --usage ds --out supplier-ds.pem
    """
    application = Application(kind=CertificateKind.ORGANISATION, request=b"", top_up=top_up, statement=statement)
    actor = Actor(interface="cli", party=applicant, officer=officer, on_behalf_of=on_behalf_of)
    with Smki.open(home) as smki:
        if csr is not None:
            _refuse_with_csr(eui=eui, role=role, usage=usage, name=name, publish_key=publish_key or None)
            _apply(smki, [_Wanted(replace(application, request=single_request(read_input(csr), csr)), out)], actor)
            return
        eui, role, usage = _required(eui, "--eui"), _required(role, "--role"), _required(usage, "--usage")
        key, request = smki.make_organisation_request(eui, role, usage, name)
        stem = f"{eui.hex.lower()}-{role.label}-{usage.code.lower()}{'-top-up' if top_up else ''}"
        made = _Made(stem, smki.key_pem(key), request)
        _apply(smki, [_Wanted(replace(application, request=request), out, made)], actor)
        if publish_key:
            file = smki.published_keys.add(out.stem if out else stem, key)
            say(f"published key in {file}", err=True)


class _Made(NamedTuple):
    """A key and a request that were made here."""

    stem: str
    """The name of their files, unless the certificate has a file."""
    key_pem: bytes
    request: bytes


class _Wanted(NamedTuple):
    """A certificate that is applied for."""

    application: Application
    out: Path | None
    """Its file; None for standard output."""
    made: _Made | None = None


def _apply(smki: Smki, wanted: Sequence[_Wanted], actor: Actor) -> None:
    """Apply for certificates at once, and write those that are issued.

    :raises Refused: with every reason, if one is refused. The others are issued and written nevertheless.
    """
    refusals: list[Refusal] = []
    with contextlib.ExitStack() as keys:
        made = [keys.enter_context(_beside(each.out, each.made)) for each in wanted]
        with contextlib.ExitStack() as abandoned:
            # Opened before anything is issued, so that an unwritable location is noticed early.
            outputs = [abandoned.enter_context(_opened(each.out)) for each in wanted]
            outcomes = [outcome for _, outcome in smki.apply_all([each.application for each in wanted], actor)]
            # All of them before anything is written: if that fails, the keys of issued certificates are kept.
            for files, outcome in zip(made, outcomes, strict=True):
                files.is_issued = isinstance(outcome, Issued)
            for each, files, file, outcome in zip(wanted, made, outputs, outcomes, strict=True):
                if isinstance(outcome, Refusal):
                    refusals.append(outcome)
                    continue
                file.write(encode_certificate(outcome.record.certificate, each.out))
                _tell(each, outcome)
                if files.places:
                    say(files.places, err=True)
    if refusals:
        raise Refused(*(problem for refusal in refusals for problem in refusal.problems))


def _tell(wanted: _Wanted, issued: Issued) -> None:
    for note in issued.notes:
        say(finding_text(note), err=True)
    if issued.remarks:
        say(*issued.remarks, err=True)
    where = f" in {wanted.out}" if wanted.out else ""
    say(f"{wanted.application.kind.title} {issued.record.serial_number}{where}", err=True)


class _Output:
    """A file that is kept if something is written to it."""

    def __init__(self, path: Path | None) -> None:
        self._stack = contextlib.ExitStack()
        self._file = self._stack.enter_context(output(path))

    def write(self, content: bytes) -> None:
        with self._stack:
            self._file.write(content)

    def abandon(self) -> None:
        with contextlib.suppress(_Abandoned), self._stack:
            raise _Abandoned


class _Abandoned(Exception):
    pass


@contextlib.contextmanager
def _opened(path: Path | None) -> Iterator[_Output]:
    file = _Output(path)
    try:
        yield file
    finally:
        file.abandon()


class _KeyAndRequest:
    """The files of a key and a request. They are removed unless the certificate is issued."""

    def __init__(self, places: str = "") -> None:
        self.places = places
        self.is_issued = False


@contextlib.contextmanager
def _beside(out: Path | None, made: _Made | None) -> Iterator[_KeyAndRequest]:
    """Write a key and a request next to the certificate, or to the current directory without --out.

    They are written before the certificate is issued, so that its key cannot be lost, and removed if it is refused.
    """
    if made is None:
        yield _KeyAndRequest()
        return
    directory = out.parent if out else Path()
    require_directory(directory)
    stem = out.stem if out else made.stem
    key_file, request_file = directory / f"{stem}.key", directory / f"{stem}.csr"
    written: list[Path] = []
    files = _KeyAndRequest(f"key in {key_file}, request in {request_file}")
    try:
        for path, content in (
            (key_file, made.key_pem),
            (request_file, to_pem(PEM_LABELS[0], made.request).encode()),
        ):
            write_private_file(path, content)
            written.append(path)
        request_file.chmod(0o644)
        yield files
    except FileExistsError as error:
        raise NotReady(
            Problem(
                code="file.exists",
                subject=str(error.filename),
                seen="already exists",
                expected="a file that does not exist",
            )
        ) from None
    finally:
        if not files.is_issued:
            for path in written:
                path.unlink(missing_ok=True)


def _required(value: T | None, option: str) -> T:
    if value is None:
        raise click.UsageError(f"{option} is required without --csr.")
    return value


def _refuse_with_csr(**options: object) -> None:
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
    if given:
        raise click.UsageError(f"{', '.join(given)} cannot be used with --csr, because the request contains it.")
