"""smki issue device, smki issue organisation"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click

from smki.cli.common import (
    DEVICE_TYPE,
    EUI64,
    ROLE,
    USAGE,
    F,
    applicant_options,
    encode_certificate,
    home_option,
    output,
    read_input,
    require_directory,
    under_test_option,
)
from smki.cli.say import say
from smki.home.smki import Smki
from smki.identity import EntityIdentifier
from smki.keys.private_key import write_private_file
from smki.pki.certificate import to_pem
from smki.pki.request import PEM_LABELS, single_request
from smki.problem import NotReady, Problem, finding_text
from smki.registration import Actor, Application
from smki.sec.device import DeviceType, parse_model
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

T = TypeVar("T")


@click.group()
def issue() -> None:
    """Apply for a Device or an Organisation Certificate.

    Use --csr to submit your own certification request, or --eui and --usage to have a key and a request made,
    which are written next to the certificate.
    """


def _application_options(command: F) -> F:
    for option in (
        applicant_options,
        click.option(
            "--statement",
            is_flag=True,
            help="State that the information is true and accurate, that the subscriber has the rights to every trade mark in "
            "it, and that nothing in it is confidential (SEC L11).",
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="File for the certificate: DER if it ends in .der or .cer, else PEM. [default: standard output]",
        ),
        click.option("--usage", type=USAGE, help="Key usage: ds (digitalSignature) or ka (keyAgreement)."),
        click.option("--eui", type=EUI64, help="Entity Identifier for which to make a key and a request."),
        click.option(
            "--csr", metavar="FILE", help="Certification request in PEM, base64 or DER; - for standard input."
        ),
        home_option,
    ):
        command = option(command)
    return command


@issue.command()
@_application_options
@click.option(
    "--type", "device_type", type=DEVICE_TYPE, help="Device type, if the Device is not in the inventory: it is added."
)
@click.option("--model", default="", help="For such a Device, its product identifier on the Certified Products List.")
@under_test_option
@click.option(
    "--issuer", default="", metavar="NAME", help="Common name of the Issuing DCA to use. [default: each in turn]"
)
def device(
    home: Path,
    csr: str | None,
    eui: EntityIdentifier | None,
    usage: KeyUsage | None,
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
    """Apply for a Device Certificate.

    \b
    smki issue device --csr meter.csr --out meter.pem
    smki issue device --eui 00-DB-12-34-56-78-90-A0 --usage ds --out meter-ds.pem
    """
    application = Application(
        kind=CertificateKind.DEVICE, request=b"", device_type=device_type, issuer=issuer, statement=statement,
        model=parse_model(model) if model else "", under_test=under_test,
    )  # fmt: skip
    actor = Actor(interface="cli", party=applicant, officer=officer, on_behalf_of=on_behalf_of)
    with Smki.open(home) as smki:
        if csr is not None:
            _refuse_with_csr(eui=eui, usage=usage)
            _apply(smki, replace(application, request=single_request(read_input(csr), csr)), actor, out)
            return
        eui, usage = _required(eui, "--eui"), _required(usage, "--usage")
        key, request = smki.make_device_request(eui, usage)
        stem = f"{eui.hex.lower()}-{usage.code.lower()}"
        with _beside(out, stem, smki.key_pem(key), request):
            _apply(smki, replace(application, request=request), actor, out)


@issue.command()
@_application_options
@click.option("--role", type=ROLE, help="Remote Party Role: a name like supplier, or a code like 02.")
@click.option("--name", help="Common name of the subject.")
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
            _apply(smki, replace(application, request=single_request(read_input(csr), csr)), actor, out)
            return
        eui, role, usage = _required(eui, "--eui"), _required(role, "--role"), _required(usage, "--usage")
        key, request = smki.make_organisation_request(eui, role, usage, name)
        stem = f"{eui.hex.lower()}-{role.label}-{usage.code.lower()}{'-top-up' if top_up else ''}"
        with _beside(out, stem, smki.key_pem(key), request):
            _apply(smki, replace(application, request=request), actor, out)
        if publish_key:
            file = smki.published_keys.add(out.stem if out else stem, key)
            say(f"published key in {file}", err=True)


def _apply(smki: Smki, application: Application, actor: Actor, out: Path | None) -> None:
    with output(out) as file:
        issued = smki.issue(application, actor)
        file.write(encode_certificate(issued.record.certificate, out))
    for note in issued.notes:
        say(finding_text(note), err=True)
    if issued.remarks:
        say(*issued.remarks, err=True)
    where = f" in {out}" if out else ""
    say(f"{application.kind.title} {issued.record.serial_number}{where}", err=True)


@contextlib.contextmanager
def _beside(out: Path | None, stem: str, key_pem: bytes, request: bytes) -> Iterator[None]:
    """Write the key and the request next to the certificate, or to the current directory without --out.

    They are written before the certificate is issued, so that its key cannot be lost, and removed if it is refused.
    """
    directory = out.parent if out else Path()
    require_directory(directory)
    stem = out.stem if out else stem
    key_file, request_file = directory / f"{stem}.key", directory / f"{stem}.csr"
    written: list[Path] = []
    try:
        for path, content in ((key_file, key_pem), (request_file, to_pem(PEM_LABELS[0], request).encode())):
            write_private_file(path, content)
            written.append(path)
        request_file.chmod(0o644)
        yield
    except FileExistsError as error:
        _remove(written)
        raise NotReady(
            Problem(
                code="file.exists",
                subject=str(error.filename),
                seen="already exists",
                expected="a file that does not exist",
            )
        ) from None
    except BaseException:
        _remove(written)
        raise
    say(f"key in {key_file}, request in {request_file}", err=True)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _required(value: T | None, option: str) -> T:
    if value is None:
        raise click.UsageError(f"{option} is required without --csr.")
    return value


def _refuse_with_csr(**options: object) -> None:
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
    if given:
        raise click.UsageError(f"{', '.join(given)} cannot be used with --csr, because the request contains it.")
