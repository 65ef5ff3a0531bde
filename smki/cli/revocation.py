"""smki revoke, smki crl, smki arl"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from smki.cli.common import (
    DER_SUFFIXES,
    MOMENT,
    NUMBER,
    PARTY,
    SERIAL,
    cli_actor,
    home_option,
    json_option,
    list_deadline,
    list_deadline_text,
    output,
    read_input,
)
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.say import count_of, say
from smki.clock import iso
from smki.home.smki import Smki
from smki.identity import PartyId, SerialNumber
from smki.ledger import ListRecord
from smki.ledger.damage import read_stored
from smki.pki.certificate import to_pem
from smki.pki.pem import decode_input
from smki.pki.revocation_list import PEM_LABEL, RevocationList
from smki.problem import NotFound, Problem, errors_among, finding_text
from smki.profile.issuer import IssuerFacts
from smki.profile.lint_list import lint_revocation_list
from smki.profile.revocation_reasons import CRL_REASONS
from smki.registration.revocation import Revoke
from smki.sec.role import CertificateKind


@click.command()
@click.argument("serial", type=SERIAL)
@click.option("--reason", required=True, metavar="REASON", help=f"One of: {', '.join(CRL_REASONS)}.")
@click.option("--party", type=PARTY, help="Party whose officer requests the revocation: the subscriber or the DCC.")
@click.option("--officer", "--by", default="", help="Officer who requests it, or 'SMKI PMA' without a Party.")
@click.option("--delay-until", type=MOMENT, help="Time at which it takes effect; only for the SMKI PMA.")
@home_option
@json_option
def revoke(
    serial: SerialNumber,
    reason: str,
    party: PartyId | None,
    officer: str,
    delay_until: datetime | None,
    home: Path,
    as_json: bool,
) -> None:
    """Revoke an Organisation Certificate or the certificate of an Issuing OCA."""
    if party is None and not officer:
        raise click.UsageError("Name the requester with --party PARTY [--officer NAME], or --officer 'SMKI PMA'.")
    with Smki.open(home) as smki:
        command = Revoke(serial_number=serial, reason=reason, not_before=delay_until)
        done = smki.registration.execute(command, cli_actor(party, officer))
        deadline = list_deadline(smki, done.revocation)
    if as_json:
        values = {
            "serialNumber": serial.hex,
            "revoked": iso(done.revocation.revoked),
            "effective": iso(done.revocation.effective),
            "reason": reason,
            "askedBy": done.revocation.asked_by,
            "onListBy": iso(deadline),
        }
        click.echo(json.dumps(values, indent=2))
        return
    say(
        f"{done.record.kind.title} {serial} is revoked from {iso(done.revocation.effective)} ({reason}, by {done.revocation.asked_by})."
    )
    say(list_deadline_text(done.record.kind, deadline))


def _group(name: str, kind: CertificateKind, title: str) -> click.Group:
    @click.group(name=name, help=f"Publish, show, list and verify the {title}.")
    def group() -> None:
        pass

    @group.command(help=f"Issue a new {title} now.")
    @home_option
    def publish(home: Path) -> None:
        with Smki.open(home) as smki:
            record = smki.lists(kind, interface="cli").publish()
        say(f"{title} {record.number}: {record.entries} revoked, next update {iso(record.next_update)}")

    @group.command(help=f"Show the latest {title}, or the one with a NUMBER.")
    @click.argument("number", type=NUMBER, required=False)
    @click.option(
        "--out",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write it to a file: DER if it ends in .crl or .der, else PEM.",
    )
    @home_option
    @json_option
    def show(number: int | None, out: Path | None, home: Path, as_json: bool) -> None:
        with Smki.open(home) as smki:
            lists = smki.lists(kind)
            record = lists.latest() if number is None else lists.numbered(number)
            if record is None:
                raise NotFound(
                    Problem(
                        code="list.unknown",
                        subject=f"{title} {number}",
                        seen="never issued",
                        expected="the number of an issued list",
                        remedy=f"smki {name} list shows the issued lists.",
                    )
                )
            now = smki.clock.now()
        if out is not None:
            with output(out) as file:
                as_der = out.suffix.lower() in (*DER_SUFFIXES, ".crl")
                file.write(record.der if as_der else to_pem(PEM_LABEL, record.der).encode())
        if as_json:
            click.echo(json.dumps(_values(record), indent=2))
        else:
            say(*_lines(title, record, now))

    @group.command(name="list", help=f"List every {title} that was issued.")
    @home_option
    @json_option
    def list_(home: Path, as_json: bool) -> None:
        with Smki.open(home) as smki:
            for record in smki.lists(kind).all():
                head = {
                    "number": record.number,
                    "thisUpdate": iso(record.this_update),
                    "nextUpdate": iso(record.next_update),
                    "entries": record.entries,
                }
                say(
                    json.dumps(head)
                    if as_json
                    else f"{record.number:>8}  {iso(record.this_update)}  {iso(record.next_update)}  {record.entries:>8} revoked"
                )

    @group.command(help=f"Check the profile, signature and currency of a {title} from FILE, by default the latest.")
    @click.argument("file", required=False)
    @home_option
    def verify(file: str | None, home: Path) -> None:
        with Smki.open(home) as smki:
            lists, issuer = smki.lists(kind), smki.hierarchy.newest(smki.ledger, kind).certificate
            data = decode_input(read_input(file), file)[0].der if file else lists.current().der
            now = smki.clock.now()
        findings = errors_among(lint_revocation_list(data, lists.policy.profile, IssuerFacts.of(issuer)))
        for finding in findings:
            say(finding_text(finding))
        read = RevocationList.from_der(data)
        stale = read.next_update is None or now >= read.next_update
        early = now < read.this_update
        state = "is past its next update" if stale else "is not valid yet" if early else "is current"
        say(f"{title} {read.number} {state}; {count_of(len(findings), 'error')}")
        sys.exit(EXIT_NEGATIVE if findings or stale or early else 0)

    return group


def _values(record: ListRecord) -> dict[str, Any]:
    read = read_stored("revocation_list", record.number, record.der, RevocationList.from_der)
    entries = [
        {
            "serialNumber": entry.serial_number.hex,
            "revoked": iso(entry.revoked_at),
            "reason": entry.reason.label if entry.reason else None,
        }
        for entry in read.entries()
    ]
    return {
        "number": record.number,
        "thisUpdate": iso(record.this_update),
        "nextUpdate": iso(record.next_update),
        "entries": entries,
    }


def _lines(title: str, record: ListRecord, now: datetime) -> list[str]:
    early = " (in the future)" if now < record.this_update else ""
    late = " (past)" if now >= record.next_update else ""
    lines = [
        f"{title} {record.number}",
        f"  This update  {iso(record.this_update)}{early}",
        f"  Next update  {iso(record.next_update)}{late}",
        f"  Revoked      {record.entries}",
    ]
    for entry in read_stored("revocation_list", record.number, record.der, RevocationList.from_der).entries():
        reason = entry.reason.label if entry.reason else "no reason given"
        lines.append(
            f"  {entry.serial_number}  {iso(entry.revoked_at)}  {reason}, {(now - entry.revoked_at).days} days ago"
        )
    return lines


crl = _group("crl", CertificateKind.ISSUING_OCA, "Organisation CRL")
arl = _group("arl", CertificateKind.ROOT_OCA, "Organisation ARL")
