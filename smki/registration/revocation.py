"""Revocation: who may ask for it, of which certificates, and for what reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smki.clock import iso
from smki.identity import SerialNumber
from smki.ledger import CertificateRecord, Ledger
from smki.ledger.register_records import registrant_id
from smki.ledger.revocation import CRL_REASONS, AlreadyRevoked, Revocation
from smki.problem import Malformed, Problem, SmkiError
from smki.sec.party import Party, PartyCategory
from smki.sec.role import CertificateKind

REVOCABLE = (CertificateKind.ORGANISATION, CertificateKind.ISSUING_OCA)
"""Organisation Certificates go on the Organisation CRL, OCA Certificates on the Organisation ARL."""

PMA = "SMKI PMA"
"""The SMKI Policy Management Authority, which may have anything revoked, and may delay a revocation."""


class NotRevocable(SmkiError):
    """The certificate cannot be revoked, or not by whoever asks."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """A revocation that was granted."""

    revocation: Revocation
    record: CertificateRecord
    """As it is now."""


def revoke(
    ledger: Ledger,
    serial_number: SerialNumber,
    reason: str,
    moment: datetime,
    *,
    by: str = "",
    party: str = "",
    not_before: datetime | None = None,
) -> Revoked:
    """Revoke a certificate.

    :param reason: one of ``CRL_REASONS``.
    :param by: an officer of the subscriber or of the DCC, or ``SMKI PMA``; empty for the subscriber's first officer.
    :param party: the id of the Party whose officer *by* is, where that is known; empty to go by the name alone.
    :param not_before: until when the PMA delays it (a supplier of last resort may need it so long).
    :raises Malformed: when the reason is none.
    :raises NotRevocable: when there is no such certificate, it is of a kind that is not revoked, or *by* may not ask.
    :raises AlreadyRevoked: when it was revoked before; says when and why.
    """
    if reason not in CRL_REASONS:
        reasons = ", ".join(CRL_REASONS)
        raise Malformed(
            Problem("revocation.reason", "reason", f"{reason[:64]!r}", reasons, "SEC L8", f"Use one of: {reasons}.")
        )
    record = ledger.certificate(serial_number)
    if record is None:
        raise NotRevocable(_unknown(serial_number))
    if record.kind not in REVOCABLE:
        raise NotRevocable(_not_revoked(record))
    first = ledger.revocations.of(serial_number)
    if first is not None:
        seen = f"revoked at {iso(first.revoked)} for {first.reason}, by {first.asked_by}"
        raise AlreadyRevoked(
            Problem(
                "revocation.already",
                f"certificate {serial_number}",
                seen,
                "a certificate that is not revoked",
                "SEC L8",
            )
        )
    asked_by = _who_may(ledger, record, by, party)
    if not_before is not None and asked_by != PMA:
        raise NotRevocable(
            Problem("revocation.delay", "delay", f"asked for by {asked_by}", f"a delay decided by the {PMA}", "SEC L8",
                    f"Ask with --by '{PMA}'.")
        )  # fmt: skip
    effective = max(moment, not_before) if not_before else moment
    revocation = Revocation(serial_number, moment, effective, reason, asked_by)
    ledger.revocations.add(revocation)
    return Revoked(revocation, ledger.certificate(serial_number) or record)


def _who_may(ledger: Ledger, record: CertificateRecord, by: str, party: str) -> str:
    """The name under which the revocation is recorded.

    :raises NotRevocable: when whoever asks may not.
    """
    if not party and by.strip().upper() in (PMA, "PMA"):
        return PMA
    application = ledger.application(record.application_id)
    subscriber = application.application.subscriber if application else ""
    allowed: list[str] = []
    for registrant in ledger.register.registrants():
        if party and registrant_id(registrant) != party:
            continue
        is_dcc = isinstance(registrant, Party) and registrant.category is PartyCategory.DCC
        if is_dcc or registrant_id(registrant) == subscriber:
            for officer in registrant.officers:
                if record.kind.is_authority or CertificateKind.ORGANISATION in officer.kinds:
                    owner_first = registrant_id(registrant) == subscriber
                    allowed.insert(0 if owner_first else len(allowed), officer.name)
    if not by and allowed:
        return allowed[0]
    if by in allowed:
        return by
    raise NotRevocable(
        Problem("revocation.not-yours", f"certificate {record.serial_number}", f"asked for by {by or 'nobody'}",
                f"an officer of {subscriber} or of the DCC, or the {PMA}", "SEC L8", "Have one of them ask.")
    )  # fmt: skip


def _unknown(serial_number: SerialNumber) -> Problem:
    return Problem(
        "certificate.unknown", f"certificate {serial_number}", "not in the ledger", "one that was issued here", "SEC L8",
        "smki list shows what was issued.",
    )  # fmt: skip


def _not_revoked(record: CertificateRecord) -> Problem:
    expected = "an Organisation Certificate or an Issuing OCA's"
    if record.kind is CertificateKind.DEVICE:
        return Problem(
            "revocation.device", f"certificate {record.serial_number}", "a Device Certificate", expected, "SEC L8",
            "Device Certificates are not revoked: reject it (smki reject), which is investigated, and apply for another.",
        )  # fmt: skip
    return Problem("revocation.kind", f"certificate {record.serial_number}", f"a {record.kind.title}'s", expected, "SEC L8",
                   "No list is published on which it could stand.")  # fmt: skip
