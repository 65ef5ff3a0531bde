"""Whose certificate it is: who may accept, reject or have revoked what was issued."""

from __future__ import annotations

from smki.eligibility.refusals import REASONS
from smki.identity import PartyId
from smki.ledger import CertificateRecord, Ledger
from smki.problem import Problem, SmkiError


class NotYours(SmkiError):
    """The certificate is another Party's, or the officer does not act for such certificates."""


def require_officer_of_subscriber(ledger: Ledger, record: CertificateRecord, party: str, officer: str) -> None:
    """Find out whether an officer may act on a certificate as its subscriber does (SEC L11.5).

    :param party: the id of the Party or Testing Participant for which the officer acts: the subscriber, or the Shared
        Resource that applied on its behalf.
    :raises NotYours: when not.
    """
    application = ledger.application(record.application_id)
    subject = f"certificate {record.serial_number}"
    if application is None or party not in (application.application.subscriber, application.application.applied_by):
        raise NotYours(
            Problem("certificate.not-yours", subject, f"asked about by {officer} of {party}", "an officer of its subscriber",
                    "SEC L11.5", "Have its subscriber do it.")
        )  # fmt: skip
    who = ledger.register.registrant(PartyId.parse(party))
    kinds = next((each.kinds for each in who.officers if each.name == officer), frozenset()) if who else frozenset()
    if record.kind not in kinds:
        reason = REASONS["officer.other-kind"]
        seen = f"{officer} of {party} does not act for {record.kind.title}s"
        raise NotYours(Problem(reason.code, subject, seen, reason.expected, "SEC L3", reason.remedy))
