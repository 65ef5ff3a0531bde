"""Finds the officer who acts on a certificate: one of its subscriber, or of the Party that applied on its behalf."""

from __future__ import annotations

from smki.eligibility.refusals import REASONS
from smki.identity import PartyId
from smki.ledger import CertificateRecord, Reader
from smki.problem import Malformed, NotFound, Problem, SmkiError
from smki.registration.actor import Actor
from smki.sec.registry_fields import Registrant


class NotYours(SmkiError):
    """The certificate belongs to another Party, or the officer does not act for certificates of its kind."""


def certificate_of(reader: Reader, serial_number: object, error: type[SmkiError] = NotFound) -> CertificateRecord:
    """Return the certificate with a serial number that was issued here.

    :raises SmkiError: of the class *error*, if there is none.
    """
    record = reader.certificate(serial_number)  # type: ignore[arg-type]
    if record is None:
        raise error(
            Problem(
                code="certificate.unknown",
                subject=f"certificate {serial_number}",
                seen="not in the ledger",
                expected="one that was issued here",
            )
        )
    return record


def acting_officer(reader: Reader, record: CertificateRecord, actor: Actor) -> Actor:
    """Return the officer who acts on a certificate for its subscriber (SEC L11).

    If the actor names no Party, the subscriber acts. If it names no officer, the first officer of the Party acts who is
    appointed for such certificates.

    :raises NotYours: if the Party neither subscribes for the certificate nor applied for it, or the officer does not
        act for such certificates.
    """
    application = reader.application(record.application_id)
    subject = f"certificate {record.serial_number}"
    involved = (application.application.subscriber, application.application.applied_by) if application else ()
    party = actor.party or (involved[0] if involved else "") or ""
    if party not in involved:
        asked_by = f"{actor.officer} of {party}" if actor.officer else party
        raise NotYours(
            Problem(
                code="certificate.not-yours",
                subject=subject,
                seen=f"{asked_by} asked",
                expected="an officer of its subscriber",
            )
        )
    who = registrant_of(reader, party)
    able = [each.name for each in who.officers if record.kind in each.kinds] if who else []
    officer = actor.officer or (able[0] if able else "")
    if officer not in able:
        reason = REASONS["officer.other-kind"]
        named = f"{officer} of {party} does not act" if officer else f"no officer of {party} acts"
        seen = f"{named} for {record.kind.title}s"
        raise NotYours(
            Problem(
                code=reason.code,
                subject=subject,
                seen=seen,
                expected=reason.expected,
                clause="SEC Appendix M",
                remedy=reason.remedy,
                given={"party": party},
            )
        )
    return Actor(interface=actor.interface, party=party, officer=officer, on_behalf_of=actor.on_behalf_of)


def registrant_of(reader: Reader, party: str) -> Registrant | None:
    """Return the Party or Testing Participant with an id, or None; the id is taken as it was recorded."""
    try:
        return reader.register.registrant(PartyId.parse(party))
    except Malformed:
        return None
