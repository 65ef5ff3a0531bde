"""Options that select certificates, shared by smki list, search and export."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from smki.cli.common import DEVICE_TYPE, EUI64, MOMENT, ROLE, SERIAL, STATUS, USAGE, F
from smki.ledger import CertificateQuery, Period
from smki.sec.role import CertificateKind

_OPTIONS = (
    click.option(
        "--kind",
        "kinds",
        multiple=True,
        type=click.Choice([kind.value for kind in CertificateKind]),
        help="Only certificates of this kind; may be repeated.",
    ),
    click.option("--eui", type=EUI64, help="Only certificates with this Entity Identifier."),
    click.option("--role", type=ROLE, help="Only certificates with this Remote Party Role."),
    click.option("--usage", type=USAGE, help="Only certificates with this key usage: ds or ka."),
    click.option("--status", type=STATUS, help="Only certificates with this status: P, I, N, E or R."),
    click.option("--device-type", type=DEVICE_TYPE, help="Only certificates of Devices of this type."),
    click.option("--issuer", type=SERIAL, help="Only certificates issued by the authority with this serial number."),
    click.option("--issued-from", type=MOMENT, help="Only certificates issued at or after this time (UTC)."),
    click.option("--issued-to", type=MOMENT, help="Only certificates issued at or before this time."),
    click.option("--expires-from", type=MOMENT, help="Only certificates that expire at or after this time."),
    click.option("--expires-to", type=MOMENT, help="Only certificates that expire at or before this time."),
)


def narrowing_options(command: F) -> F:
    """Add the selection options. The command receives a CertificateQuery without a moment as its argument ``query``."""

    @functools.wraps(command)
    def with_query(**options: Any) -> Any:
        query = CertificateQuery(
            kinds=tuple(CertificateKind(kind) for kind in options.pop("kinds")) or None,
            entity_identifier=options.pop("eui"),
            role=options.pop("role"),
            usage=options.pop("usage"),
            status=options.pop("status"),
            device_type=options.pop("device_type"),
            issuer=options.pop("issuer"),
            issued=Period(options.pop("issued_from"), options.pop("issued_to")),
            not_after=Period(options.pop("expires_from"), options.pop("expires_to")),
        )
        return command(query=query, **options)

    decorated: Callable[..., Any] = with_query
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[return-value]
