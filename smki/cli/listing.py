"""smki list"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from smki.cli.common import EUI64, ROLE, STATUS, USAGE, day, home_option, json_option
from smki.clock import NO_WELL_DEFINED_EXPIRY
from smki.home import Smki
from smki.identity import EntityIdentifier
from smki.ledger import CertificateQuery, CertificateRecord
from smki.ledger.description import certificate_summary
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
            click.echo(json.dumps(certificate_summary(record, now)) if as_json else _line(record, now))


_ROW = "{:<32}  {:<12}  {:<23}  {:<19}  {:<3}  {:<10}  {}"


def _line(record: CertificateRecord, now: datetime) -> str:
    name = record.entity_identifier or (record.certificate.common_name if record.kind.is_authority else "")
    not_after = "no expiry" if record.not_after == NO_WELL_DEFINED_EXPIRY else day(record.not_after)
    role = record.role.label if record.role else ""
    usage = record.usage.code if record.usage else ""
    return _ROW.format(
        record.serial_number.hex, record.kind.value, str(name), role, usage, record.status_at(now).label, not_after
    )
