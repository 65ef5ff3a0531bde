"""smki list"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from smki.cli.common import EUI64, ROLE, STATUS, USAGE, day, home_option, json_option
from smki.clock import NO_WELL_DEFINED_EXPIRY, iso
from smki.home import Smki
from smki.identity import EntityIdentifier
from smki.ledger import CertificateQuery, CertificateRecord
from smki.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole


@click.command(name="list")
@home_option
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in CertificateKind]),
    help="Only of this kind; may be repeated.",
)
@click.option("--eui", type=EUI64, help="Only of this Entity Identifier.")
@click.option("--role", type=ROLE, help="Only in this Remote Party Role.")
@click.option("--usage", type=USAGE, help="Only with this key usage: ds or ka.")
@click.option("--status", type=STATUS, help="Only with this status: P, I, N, E or R.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@json_option
def list_(
    home: Path,
    kinds: tuple[str, ...],
    eui: EntityIdentifier | None,
    role: RemotePartyRole | None,
    usage: KeyUsage | None,
    status: CertificateStatus | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """List what was issued, oldest first; --json prints one object a line."""
    with Smki.open(home) as smki:
        now = smki.clock.now()
        wanted = tuple(CertificateKind(kind) for kind in kinds) or None
        query = CertificateQuery(wanted, eui, role, usage, status, now)
        if not as_json:
            click.echo(
                _ROW.format("SERIAL NUMBER", "KIND", "ENTITY IDENTIFIER", "ROLE", "USE", "STATUS", "NOT AFTER").rstrip()
            )
        for record in smki.ledger.certificates(query, limit=limit):
            current = record.status_at(now)
            click.echo(json.dumps(_values(record, current)) if as_json else _line(record, current))


_ROW = "{:<32}  {:<12}  {:<23}  {:<19}  {:<3}  {:<10}  {}"


def _line(record: CertificateRecord, status: CertificateStatus) -> str:
    name = record.entity_identifier or (record.certificate.common_name if record.kind.is_authority else "")
    not_after = "no expiry" if record.not_after == NO_WELL_DEFINED_EXPIRY else day(record.not_after)
    role = record.role.label if record.role else ""
    usage = record.usage.code if record.usage else ""
    return _ROW.format(record.serial_number.hex, record.kind.value, str(name), role, usage, status.label, not_after)


def _values(record: CertificateRecord, status: CertificateStatus) -> dict[str, Any]:
    return {
        "serialNumber": record.serial_number.hex,
        "kind": record.kind.value,
        "entityIdentifier": str(record.entity_identifier) if record.entity_identifier else None,
        "role": record.role.label if record.role else None,
        "usage": record.usage.code if record.usage else None,
        "status": status.value,
        "notBefore": iso(record.not_before),
        "notAfter": iso(record.not_after),
        "issued": iso(record.issued),
        "issuerSerialNumber": record.issuer_serial_number.hex if record.issuer_serial_number else None,
    }
