"""Short forms of the commands that tests run most, as whoever is named, or as whoever is meant by naming nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from smki import Application, Issued, Refusal, SerialNumber, Smki
from smki.clock import RealClock
from smki.identity import PartyId
from smki.ledger import CertificateRecord, Transaction
from smki.registration import Actor, Apply
from smki.registration.acceptance import Accept, Reject, Rejection
from smki.registration.appointments import AppointOfficer
from smki.registration.credentials import MakeApiKey, MakeToken
from smki.registration.revocation import Revoke, Revoked
from smki.sec.party import Officer, Party, TestingParticipant
from smki.sec.registry_fields import Registrant

TEST = Actor(interface="test")


def apply(smki: Smki, application: Application, actor: Actor = TEST) -> Issued | Refusal:
    """Apply for a certificate."""
    return smki.registration.execute(Apply(application), actor)


def accept(smki: Smki, serial_number: SerialNumber, actor: Actor = TEST) -> CertificateRecord:
    """Accept a certificate, as its subscriber unless the actor names another."""
    return smki.registration.execute(Accept(serial_number), actor)


def reject(smki: Smki, serial_number: SerialNumber, because: str = "wrong key", actor: Actor = TEST) -> Rejection:
    """Reject a certificate, as its subscriber unless the actor names another."""
    return smki.registration.execute(Reject(serial_number, because), actor)


def revoke(
    smki: Smki, serial_number: SerialNumber, reason: str, *, by: str = "", not_before: datetime | None = None
) -> Revoked:
    """Revoke a certificate, by the officer of that name or, without one, by its subscriber's first."""
    command = Revoke(serial_number=serial_number, reason=reason, not_before=not_before)
    return smki.registration.execute(command, Actor(interface="test", officer=by))


def make_token(smki: Smki, party: str, officer: str = "", *, lifetime: timedelta | None = None) -> str:
    """Return the secret of a new token for an officer of a Party, by default its first."""
    now = RealClock().now()
    expires = now + lifetime if lifetime is not None else None
    command = MakeToken(party=PartyId.parse(party), officer=officer, created=now, expires=expires)
    return smki.registration.execute(command, TEST).secret


def make_api_key(smki: Smki, name: str) -> str:
    """Return the secret of a new API key."""
    return smki.registration.execute(MakeApiKey(name=name, created=RealClock().now()), TEST).secret


def appoint(smki: Smki, party: str, officer: str) -> None:
    """Appoint an officer, written as on the command line: ``name: kinds``."""
    smki.registration.execute(AppointOfficer(PartyId.parse(party), Officer.parse(officer)), TEST)


def change_registrant(smki: Smki, party: PartyId, change: Callable[[Registrant], Registrant]) -> None:
    """Change a registrant in a way for which there is no command."""

    def work(transaction: Transaction) -> None:
        found = transaction.register.registrant(party)
        assert found is not None
        transaction.replace_registrant(change(found))

    smki.ledger.transact(work)


def change_party(smki: Smki, party: PartyId, change: Callable[[Party], Party]) -> None:
    """Change a Party in a way for which there is no command."""

    def of_party(found: Party | TestingParticipant) -> Party:
        assert isinstance(found, Party)
        return change(found)

    change_registrant(smki, party, of_party)


def change_participant_quota(smki: Smki, participant: PartyId, quota: int) -> None:
    """Give a Testing Participant another quota for its first test."""

    def of_participant(found: Registrant) -> Registrant:
        assert isinstance(found, TestingParticipant)
        return replace(found, tests=(replace(found.tests[0], quota=quota), *found.tests[1:]))

    change_registrant(smki, participant, of_participant)
