"""Who may have a certificate revoked, what that writes, and what a refusal says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from smki import CertificateKind, CertificateStatus, SerialNumber
from smki.identity import PartyId
from smki.ledger import CertificateRecord, EventKind, Revocation
from smki.problem import Malformed, Problem, SmkiError
from smki.profile.revocation_reasons import CRL_REASONS
from smki.registration import Actor
from smki.registration.revocation import PMA, REASONS, AlreadyRevoked, NotRevocable, Revoke, Revoked
from smki.sec.party import Officer
from tests.commands import change_registrant
from tests.registration.in_memory import LARGE, START, TEST, Pending

NOW = START + timedelta(hours=2)
SUBSCRIBERS, DCC_OFFICER = "Large Supplier Officer", "DCC Officer"


@pytest.fixture
def pending() -> Pending:
    return Pending()


def revoke(pending: Pending, record: CertificateRecord, actor: Actor = TEST, reason: str = "key-lost") -> Revoked:
    return pending.registration.execute(Revoke(serial_number=record.serial_number, reason=reason), actor)


def refusal(pending: Pending, command: Revoke, error: type[SmkiError], actor: Actor = TEST) -> Problem:
    """Why it is refused; nothing is written then."""
    before = len(list(pending.smki.ledger.events()))
    with pytest.raises(error) as caught:
        pending.registration.execute(command, actor)
    assert len(list(pending.smki.ledger.events())) == before
    (problem,) = caught.value.problems
    return problem


def officers(pending: Pending, party: str, *named: Officer) -> None:
    change_registrant(pending.smki, PartyId(party), lambda found: replace(found, officers=named))


def test_what_a_revocation_writes(pending: Pending) -> None:
    record = pending.organisation()
    pending.clock.set(NOW)
    done = revoke(pending, record)
    assert done.revocation == Revocation(
        serial_number=record.serial_number, revoked=NOW, effective=NOW, reason="key-lost", asked_by=SUBSCRIBERS
    )
    assert done.revocation == pending.smki.ledger.revocations.of(record.serial_number)
    assert done.record == pending.now(record)
    assert (done.record.stored_status, done.record.status_since) == (CertificateStatus.REVOKED, NOW)
    event = pending.event()
    assert (event.at, event.kind, event.interface) == (NOW, EventKind.REVOKED, "test")
    assert (event.party, event.officer) == (LARGE, SUBSCRIBERS)
    assert (event.certificate_id, event.application_id) == (record.id, record.application_id)
    assert event.detail == f"key-lost, by {SUBSCRIBERS}"


def test_a_delay_is_the_pmas_and_none_in_the_past(pending: Pending) -> None:
    first, second, third = pending.organisation(), pending.organisation(), pending.organisation()
    pending.clock.set(NOW)
    pma, later = Actor(interface="test", officer=PMA), NOW + timedelta(days=3)
    done = pending.registration.execute(
        Revoke(serial_number=first.serial_number, reason="key-lost", not_before=later), pma
    )
    assert (done.revocation.revoked, done.revocation.effective, done.record.status_since) == (NOW, later, later)
    past = Revoke(serial_number=second.serial_number, reason="key-lost", not_before=START)
    assert pending.registration.execute(past, pma).revocation.effective == NOW
    assert (pending.event().party, pending.event().officer) == ("", PMA)
    delayed = Revoke(serial_number=third.serial_number, reason="key-lost", not_before=later)
    assert refusal(pending, delayed, NotRevocable) == Problem(
        code="revocation.delay",
        subject="delay",
        seen=f"requested by {SUBSCRIBERS}",
        expected=f"a delay decided by the {PMA}",
    )


@pytest.mark.parametrize(
    ("party", "officer", "recorded"),
    [
        ("", "", (SUBSCRIBERS, LARGE)),
        (LARGE, "", (SUBSCRIBERS, LARGE)),
        ("", SUBSCRIBERS, (SUBSCRIBERS, LARGE)),
        ("", DCC_OFFICER, (DCC_OFFICER, "DCC")),
        ("DCC", "", (DCC_OFFICER, "DCC")),
        ("", " smki pma ", (PMA, "")),
        ("", "PMA", (PMA, "")),
        (LARGE, "PMA", None),
        (LARGE, DCC_OFFICER, None),
        ("SMALL-SUPPLIER", "", None),
        ("SMALL-SUPPLIER", "Small Supplier Officer", None),
        ("", "Small Supplier Officer", None),
        ("MANUFACTURER", "", None),
    ],
)
def test_who_may_ask(pending: Pending, party: str, officer: str, recorded: tuple[str, str] | None) -> None:
    record, actor = pending.organisation(), Actor(interface="test", party=party, officer=officer)
    if recorded is not None:
        assert revoke(pending, record, actor).revocation.asked_by == recorded[0]
        assert (pending.event().officer, pending.event().party) == recorded
        return
    command = Revoke(serial_number=record.serial_number, reason="key-lost")
    assert refusal(pending, command, NotRevocable, actor) == Problem(
        code="revocation.not-yours",
        subject=f"certificate {record.serial_number}",
        seen=f"requested by {officer or party}",
        expected=f"an officer of {LARGE} or of the DCC, or the {PMA}",
    )


def test_only_officers_for_organisation_certificates_ask(pending: Pending) -> None:
    record = pending.organisation()
    for_devices = Officer("Ann", frozenset({CertificateKind.DEVICE}))
    for_both = Officer("Bob", frozenset({CertificateKind.DEVICE, CertificateKind.ORGANISATION}))
    officers(pending, "DCC", for_devices)
    officers(pending, LARGE, for_devices)
    command = Revoke(serial_number=record.serial_number, reason="key-lost")
    assert refusal(pending, command, NotRevocable).seen == "requested by nobody"
    officers(pending, LARGE, for_devices, for_both, replace(for_both, name="Cy"))
    assert refusal(pending, command, NotRevocable, replace(TEST, officer="Ann")).code == "revocation.not-yours"
    # An authority's certificate is no matter of kinds: any officer of the DCC asks, and where nobody is named the first.
    assert revoke(pending, pending.authority(CertificateKind.ISSUING_OCA)).revocation.asked_by == "Ann"


def test_the_first_officer_of_the_subscriber_asks_where_nobody_is_named(pending: Pending) -> None:
    record = pending.organisation()
    first, second = (Officer(name, frozenset({CertificateKind.ORGANISATION})) for name in ("Ann", "Bob"))
    officers(pending, LARGE, first)
    assert revoke(pending, record).revocation.asked_by == "Ann"
    officers(pending, "DCC", first, second)
    authority = pending.authority(CertificateKind.ISSUING_OCA)
    assert revoke(pending, authority, replace(TEST, officer="Bob")).revocation.asked_by == "Bob"


def test_what_is_not_revoked(pending: Pending) -> None:
    meter, root = pending.device(), pending.authority(CertificateKind.ROOT_OCA)
    expected = "an Organisation Certificate or an Issuing OCA's"

    def asked(record: CertificateRecord) -> Problem:
        return refusal(pending, Revoke(serial_number=record.serial_number, reason="key-lost"), NotRevocable)

    assert asked(meter) == Problem(
        code="revocation.device",
        subject=f"certificate {meter.serial_number}",
        seen="a Device Certificate",
        expected=expected,
        given={"serial": str(meter.serial_number)},
    )
    assert asked(root) == Problem(
        code="revocation.kind", subject=f"certificate {root.serial_number}", seen="a Root OCA's", expected=expected
    )
    stranger = SerialNumber.parse("1234")
    assert refusal(pending, Revoke(serial_number=stranger, reason="key-lost"), NotRevocable).code == (
        "certificate.unknown"
    )


def test_a_second_revocation_names_the_first(pending: Pending) -> None:
    record = pending.organisation()
    pending.clock.set(NOW)
    revoke(pending, record)
    again = Revoke(serial_number=record.serial_number, reason="superseded")
    assert refusal(pending, again, AlreadyRevoked) == Problem(
        code="revocation.already",
        subject=f"certificate {record.serial_number}",
        seen=f"revoked at 2026-03-02T11:30:00Z for key-lost, by {SUBSCRIBERS}",
        expected="a certificate that is not revoked",
    )


def test_a_reason_that_is_none(pending: Pending) -> None:
    record = pending.organisation()
    reasons = ", ".join(CRL_REASONS)
    assert tuple(CRL_REASONS) == REASONS
    command = Revoke(serial_number=record.serial_number, reason="x" * 100)
    assert refusal(pending, command, Malformed) == Problem(
        code="revocation.reason",
        subject="reason",
        seen=repr("x" * 64),
        expected=reasons,
        remedy=f"Use one of: {reasons}.",
    )
