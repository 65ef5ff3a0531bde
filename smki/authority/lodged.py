"""Watches the certificates that the DCC lodges before anyone else can start (SEC L3.12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from smki.clock import iso
from smki.identity import PartyId
from smki.ledger import CertificateQuery, CertificateRecord, Ledger
from smki.problem import Malformed, Problem
from smki.sec.lodged import LODGED_AUTHORITIES, LODGED_ORGANISATIONS
from smki.sec.party import is_the_dcc
from smki.sec.role import CertificateStatus


def lodged_problems(ledger: Ledger, now: datetime) -> Iterator[Problem]:
    """Yield what is wrong with the certificates of SEC L3.12: each that is missing, or of which none is in use.

    An expired or revoked certificate is no problem if another of the same kind, or role and usage, is in use.

    :param now: the moment at which they have to be in use.
    """
    authorities = ledger.authorities()
    for kind in LODGED_AUTHORITIES:
        of_kind = [record for record in authorities if record.kind is kind]
        yield from _watch(f"{kind.title} Certificate", of_kind, now, {"kind": kind.value})
    for role, usage in LODGED_ORGANISATIONS:
        found = ledger.certificates(CertificateQuery(role=role, usage=usage))
        of_role = [record for record in found if _may_be_the_dccs(ledger, record)]
        given = {"role": role.label, "usage": usage.code.lower()}
        yield from _watch(f"{role.label} {usage.code} certificate of the DCC", of_role, now, given)


def _may_be_the_dccs(ledger: Ledger, record: CertificateRecord) -> bool:
    """Return whether a certificate is the DCC's, as far as its application says.

    A Testing Participant whose test calls for one of the DCC's roles has certificates of its own in that role.
    """
    application = ledger.application(record.application_id)
    try:
        subscriber = PartyId.parse(application.application.subscriber or "") if application else None
    except Malformed:
        return True  # recorded by an early version, for which only the DCC could have one
    who = ledger.register.registrant(subscriber) if subscriber else None
    return who is None or is_the_dcc(who)


def _watch(
    subject: str, records: Iterable[CertificateRecord], now: datetime, given: dict[str, str]
) -> Iterator[Problem]:
    last: CertificateRecord | None = None
    for record in records:
        if record.status_at(now) is CertificateStatus.IN_USE:
            return
        last = record
    expected = "one that is in use"
    remedy = "lodged.organisation"
    if "kind" in given:
        remedy = "lodged.root" if given["kind"].startswith("root") else "lodged.issuing"
    elif last is not None:
        given = {**given, "eui": str(last.entity_identifier)}
    if last is None:
        yield Problem(
            code="lodged.missing", subject=subject, seen="none", expected=expected, remedy=remedy, given=given
        )
        return
    seen = f"{last.serial_number}, {last.status_at(now).label} since {iso(last.status_since_at(now))}, and no other"
    code = _CODES.get(last.status_at(now), "lodged.not-in-use")
    yield Problem(code=code, subject=subject, seen=seen, expected=expected, remedy=remedy, given=given)


_CODES = {CertificateStatus.EXPIRED: "lodged.expired", CertificateStatus.REVOKED: "lodged.revoked"}
