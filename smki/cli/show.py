"""smki show"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from smki.cli.common import home_option, json_option, read_input
from smki.cli.say import say
from smki.clock import NO_WELL_DEFINED_EXPIRY, iso
from smki.home.configuration import CONFIGURATION_FILE
from smki.home.smki import Smki
from smki.identity import SerialNumber
from smki.interchange.description import certificate_details
from smki.ledger import CertificateRecord
from smki.pki.certificate import Certificate
from smki.pki.pem import decode_input
from smki.pki.x509 import name_text
from smki.problem import Malformed, NotFound, Problem
from smki.profile.designation import designation_of, designation_text, policy_of
from smki.sec.role import KeyUsage


@click.command()
@click.argument("what", metavar="FILE|SERIAL")
@home_option
@json_option
def show(what: str, home: Path, as_json: bool) -> None:
    """Show certificates from a file, or one from the ledger.

    FILE is a file in PEM, DER, base64 or hexadecimal, or - for standard input; every certificate in it is shown.
    SERIAL is the hexadecimal serial number of a certificate issued here or imported.
    """
    if what == "-" or Path(what).exists():
        certificates = [Certificate.from_der(piece.der) for piece in decode_input(read_input(what), what)]
        if (home / CONFIGURATION_FILE).exists():
            with Smki.open(home) as smki:
                described = [_describe(certificate, _recorded(smki, certificate), smki) for certificate in certificates]
        else:
            described = [_describe(certificate, None, None) for certificate in certificates]
    else:
        with Smki.open(home) as smki:
            records = _with_serial_number(smki, _serial_number(what))
            if not records:
                raise NotFound(
                    Problem(
                        code="certificate.unknown",
                        subject=what,
                        seen="no certificate with this serial number",
                        expected=f"one issued in {home}",
                    )
                )
            described = [_describe(record.certificate, record, smki) for record in records]
    if as_json:
        click.echo(json.dumps([values for _, values in described] if len(described) > 1 else described[0][1], indent=2))
    else:
        say(*(line for at, (lines, _) in enumerate(described) for line in (*([""] if at else []), *lines)))


def _serial_number(what: str) -> SerialNumber:
    try:
        return SerialNumber.parse(what)
    except Malformed:
        raise NotFound(
            Problem(
                code="file.missing",
                subject=what,
                seen="neither a file nor a serial number",
                expected="a file, or a hexadecimal serial number",
                remedy="smki list shows the serial numbers of issued certificates.",
            )
        ) from None


def _with_serial_number(smki: Smki, serial_number: SerialNumber) -> list[CertificateRecord]:
    """Return the certificates with a serial number: the one issued here, then imported ones."""
    ours = smki.ledger.certificate(serial_number)
    imported = [found.record for found in smki.ledger.imports.with_serial_number(serial_number)]
    return [ours, *imported] if ours is not None else imported


def _recorded(smki: Smki, certificate: Certificate) -> CertificateRecord | None:
    records = _with_serial_number(smki, certificate.serial_number)
    return next((record for record in records if record.der == certificate.der), None)


def _describe(
    certificate: Certificate, record: CertificateRecord | None, smki: Smki | None
) -> tuple[list[str], dict[str, Any]]:
    """Return the certificate as lines of text and as JSON fields."""
    designation = designation_of(policy_of(certificate), issued_here=record is not None and record.issued_here)
    values = certificate.as_json() | designation
    lines = [certificate.kind.title]

    def line(label: str, value: object) -> None:
        lines.append(f"  {label:<20}{value}")

    line("Designation", designation_text(designation))
    if certificate.role:
        line("Role", f"{certificate.role.label} ({certificate.role.hexadecimal}, {certificate.role.decimal})")
    if certificate.entity_identifier:
        line("Entity Identifier", certificate.entity_identifier)
    if certificate.common_name:
        line("Common name", certificate.common_name)
    line("Key usage", ", ".join(usage.label for usage in KeyUsage if usage in certificate.key_usages) or "none")
    line("Serial number", certificate.serial_number)
    line("Subject", name_text(certificate.subject))
    until = "no expiry" if certificate.not_after == NO_WELL_DEFINED_EXPIRY else iso(certificate.not_after)
    line("Valid", f"{iso(certificate.not_before)} to {until}")
    if record is not None and smki is not None and not record.issued_here:
        status = record.status_at(smki.clock.now())
        line("Status", f"not issued here, {status.label} ({status.value}) by its dates")
        line("Issuer", name_text(certificate.issuer))
        values = certificate_details(record, smki.clock.now())
    elif record is not None and smki is not None:
        now = smki.clock.now()
        status, since, issued = record.status_at(now), iso(record.status_since_at(now)), iso(record.issued)
        line(
            "Status", f"{status.label} ({status.value}){f' since {since}' if since != issued else ''}, issued {issued}"
        )
        values = certificate_details(record, now)
        chain = [above.certificate for above in smki.chain(record)]
        values["chain"] = [
            {"name": name_text(above.subject), "serialNumber": above.serial_number.hex} for above in chain
        ]
        for depth, above in enumerate(chain):
            line("Chain" if depth == 0 else "", f"{'  ' * depth}{name_text(above.subject)} ({above.serial_number})")
    else:
        line("Issuer", f"{name_text(certificate.issuer)} (not in the ledger here)")
    line("Public key", certificate.point.hex().upper() if certificate.point else "not an uncompressed P-256 point")
    line("SHA-256", certificate.sha256.hex().upper())
    return lines, values
