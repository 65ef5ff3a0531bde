"""Who may have a certificate, and what somebody may have, as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from smki.eligibility.answers import Entitled, Possible, RefusedFor, WhatMay, WhoMay, records_by_source, status_text
from smki.eligibility.recorded import RecordUsed, Source
from smki.sec.device import SmiStatus
from smki.sec.role import CertificateKind

NAMES = 20
"""Maximum number of names that are shown for each reason unless all are asked for."""

_EVERY_STATUS = len(SmiStatus) + 2
"""The number of statuses of Devices. There are three of suspended ones, by the status to which they return."""


def who_lines(answer: WhoMay, *, show_all: bool = False) -> list[str]:
    """Return who may have a certificate as lines of text, then who may not, by the decisive reason.

    :param show_all: whether to show more than NAMES names for each.
    """
    refused = sum(len(group.members) for group in answer.refused)
    lines = [f"{answer.wanted} on {answer.as_of}", f"Eligible: {len(answer.eligible)}"]
    lines += [f"  {line}" for line in _names([_eligible(each) for each in answer.eligible], show_all)]
    lines.append(f"Not eligible: {refused}")
    for group in answer.refused:
        lines.append(f"  {len(group.members)}: {_reason(group)}")
        lines += [f"    {line}" for line in _names([str(member) for member in group.members], show_all)]
    return [*lines, *_record_lines(answer.records)]


def what_lines(answer: WhatMay) -> list[str]:
    """Return what somebody may have as lines of text, then what it may not, by the decisive reason."""
    user = "" if answer.on_behalf_of is None else f" for {answer.on_behalf_of}"
    name = "" if answer.name == answer.party else f" ({answer.name})"
    lines = [f"{answer.party}{name}{user} on {answer.as_of}", "Eligible:"]
    lines += [f"  {line}" for line in _certificates(answer.eligible)] or ["  nothing"]
    lines.append("Not eligible:")
    for group in answer.refused:
        lines.append(f"  {_reason(group)}")
        lines += [f"    {line}" for line in _certificates(group.members)]
    return [*lines, *_record_lines(answer.records)]


def _reason(group: RefusedFor[Any]) -> str:
    cited = ", ".join(filter(None, (group.clause, group.basis)))
    return f"expected {group.expected} ({cited}) [{group.code}]"


def _eligible(who: Entitled) -> str:
    identifiers = ", ".join(map(str, who.identifiers))
    return f"{who} ({identifiers})" if identifiers else str(who)


def _names(names: Sequence[str], show_all: bool) -> list[str]:
    if show_all or len(names) <= NAMES:
        return list(names)
    return [*names[:NAMES], f"and {len(names) - NAMES} more (--all shows them)"]


def _certificates(possible: Iterable[Possible]) -> list[str]:
    roles: dict[str, list[str]] = {}
    devices: dict[str, list[str]] = {}
    authorities: list[str] = []
    for each in possible:
        wanted = each.wanted
        if wanted.device is not None:
            devices.setdefault(wanted.device.device_type.name, []).append(status_text(wanted.device))
        elif wanted.role is not None and wanted.usage is not None:
            roles.setdefault(wanted.role.label, []).append(wanted.usage.code)
        else:
            authorities.append(wanted.kind.title)
    lines = [f"{CertificateKind.ORGANISATION.title}, {role}: {' and '.join(usages)}" for role, usages in roles.items()]
    for device_type, statuses in devices.items():
        shown = "any status" if len(statuses) == _EVERY_STATUS else ", ".join(statuses)
        lines.append(f"{CertificateKind.DEVICE.title}, {device_type}: {shown}")
    return [*lines, *authorities]


def _record_lines(records: Sequence[RecordUsed]) -> list[str]:
    if len(records) <= 2:
        return [used.text for used in records]
    lines = []
    for source, of_it in records_by_source(records):
        number, day = len(of_it), of_it[0].as_of
        if source is Source.HISTORY:
            lines.append(f"{number} records as recorded on {day}.")
        elif source is Source.ADDED_LATER:
            lines.append(f"{number} records as recorded today: they were added to the register after {day}.")
        else:
            lines.append(f"{number} records as recorded today: the ledger does not have their history since {day}.")
    return lines
