"""smki list, smki search"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

import click

from smki.cli.common import COUNT, day, home_option, json_option
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.say import say
from smki.cli.selection import narrowing_options
from smki.clock import NO_WELL_DEFINED_EXPIRY
from smki.home.lookup import look_up, readings
from smki.home.smki import Smki
from smki.interchange.description import certificate_summary
from smki.ledger import CertificateQuery, CertificateRecord, Order, Period
from smki.profile.designation import TEST_CERTIFICATE, policy_text

limit_option = click.option("--limit", type=COUNT, help="Maximum number of certificates.")


@click.command(name="list")
@home_option
@narrowing_options
@click.option(
    "--sort",
    type=click.Choice([order.value for order in Order]),
    default=Order.ISSUED.value,
    show_default=True,
    help="Sort key.",
)
@click.option("--descending", is_flag=True, help="Reverse the order.")
@click.option("--imported", is_flag=True, help="List imported certificates instead of those issued here.")
@limit_option
@json_option
def list_(
    home: Path,
    query: CertificateQuery,
    sort: str,
    descending: bool,
    imported: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """List certificates, by default oldest first; --json prints one object per line."""
    with Smki.open(home) as smki:
        now = smki.clock.now()
        query = replace(query, moment=now)
        if imported:
            _refuse_filters_unknown_for_imports(query, is_sorted=descending or Order(sort) is not Order.ISSUED)
            records: Iterator[CertificateRecord] = (found.record for found in smki.ledger.imports.certificates(query))
        else:
            records = smki.ledger.search.all_certificates(query, Order(sort), descending=descending)
        _print(islice(records, limit), now, as_json, smki.configuration.policy_oid)


def _refuse_filters_unknown_for_imports(query: CertificateQuery, *, is_sorted: bool) -> None:
    given = {
        "--sort and --descending": is_sorted,
        "--issuer": query.issuer is not None,
        "--device-type": query.device_type is not None,
        "--issued-from and --issued-to": query.issued != Period(),
    }
    for options, is_given in given.items():
        if is_given:
            raise click.UsageError(
                f"{options} cannot be used with --imported: imported certificates are listed in the order of their import, "
                "and their issuer, issue time and type of Device are not recorded."
            )


@click.command()
@click.argument("text", metavar="WHAT")
@home_option
@narrowing_options
@limit_option
@json_option
def search(text: str, home: Path, query: CertificateQuery, limit: int | None, as_json: bool) -> None:
    """Search for certificates, including imported ones.

    WHAT is a serial number (in hexadecimal or decimal, or its first 4 or more hexadecimal digits), a SHA-256, an
    Entity Identifier, a Party ID, or part of a common name.

    Exit status: 0 something was found; 1 nothing was found.

    \b
    smki search 00-DB-12-34-56-78-90-A0 --usage ka
    smki search 4DF56E92
    smki search LARGE-SUPPLIER --status I
    """
    with Smki.open(home) as smki:
        now = smki.clock.now()
        query = replace(query, moment=now)
        ours = (record for record in look_up(smki.ledger, text) if _matches(smki, record, query))
        found = islice(chain(ours, _imported(smki, text, query)), limit)
        if not _print(found, now, as_json, smki.configuration.policy_oid, headed=False):
            tried = ", ".join([*readings(text), "Party ID", "common name"])
            say(f"smki: nothing found for '{text}', interpreted as: {tried}", err=True)
            sys.exit(EXIT_NEGATIVE)


def _matches(smki: Smki, record: CertificateRecord, query: CertificateQuery) -> bool:
    narrowed = replace(query, serial_number=record.serial_number)
    return bool(smki.ledger.search.certificates(narrowed, limit=1).records)


def _imported(smki: Smki, text: str, query: CertificateQuery) -> Iterator[CertificateRecord]:
    """Yield imported certificates that match the text in any interpretation, or else by name."""
    seen: set[int] = set()
    for reading in readings(text).values():
        narrowed = replace(
            query,
            entity_identifier=reading.entity_identifier or query.entity_identifier,
            serial_number=reading.serial_number,
            serial_prefix=reading.serial_prefix,
            sha256=reading.sha256,
        )
        for found in smki.ledger.imports.certificates(narrowed):
            if found.record.id not in seen:
                seen.add(found.record.id)
                yield found.record
    wanted = text.strip().casefold()
    for found in smki.ledger.imports.certificates(query) if wanted and not seen else ():
        names = (found.name, found.record.certificate.common_name or "")
        if any(wanted in name.casefold() for name in names):
            yield found.record


def _print(
    records: Iterable[CertificateRecord], now: datetime, as_json: bool, policy: str, *, headed: bool = True
) -> bool:
    """Print a line for each certificate below the head; return whether there were any."""
    head = f"{_HEAD}  (issued here: {TEST_CERTIFICATE}s, {policy_text(policy)})"
    some = False
    for record in records:
        if not as_json and not some:
            say(head)
        some = True
        say(json.dumps(certificate_summary(record, now)) if as_json else _line(record, now))
    if headed and not as_json and not some:
        say(head)
    return some


_ROW = "{:<32}  {:<12}  {:<23}  {:<19}  {:<3}  {:<10}  {}"
_HEAD = _ROW.format("SERIAL NUMBER", "KIND", "ENTITY IDENTIFIER", "ROLE", "USE", "STATUS", "NOT AFTER")


def _line(record: CertificateRecord, now: datetime) -> str:
    name = record.entity_identifier or (record.certificate.common_name if record.kind.is_authority else "")
    not_after = "no expiry" if record.not_after == NO_WELL_DEFINED_EXPIRY else day(record.not_after)
    role = record.role.label if record.role else ""
    usage = record.usage.code if record.usage else ""
    where = "" if record.issued_here else "  not issued here"
    status = record.status_at(now).label
    row = _ROW.format(record.serial_number.hex, record.kind.value, str(name or ""), role, usage, status, not_after)
    return f"{row}{where}"
