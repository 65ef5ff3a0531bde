"""Commands whose wording is tested, beside those of ``register_cases``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from smki import DeviceType, EntityIdentifier, RemotePartyRole, SerialNumber, Smki
from smki.clock import FIRST_YEAR, LAST_YEAR
from smki.eligibility import Participation
from smki.identity import PartyId
from smki.ledger import CertificateQuery, CredentialKind, EventQuery, NewImport
from smki.registration import Actor
from smki.registration.acceptance import MAX_BECAUSE, Accept, Reject
from smki.registration.applicants import first_eligible, named_user
from smki.registration.appointments import AppointOfficer, DismissOfficer
from smki.registration.authorisation import readable_events
from smki.registration.authorities import EstablishAuthority
from smki.registration.clock import SetClock
from smki.registration.command import Command
from smki.registration.credentials import MAX_NAME, MakeApiKey, MakeToken, RevokeCredential
from smki.registration.devices import MAX_THRESHOLD, AddDevices, ChangeDevice, SetThreshold
from smki.registration.identifiers import ReleaseIdentifier
from smki.registration.imports import Import
from smki.registration.participation import ChangeTest, EndTest, RecordTest
from smki.registration.parties import AddParty, ChangeParty, Register, SetStanding
from smki.registration.products import ListProduct
from smki.registration.publication import PublishNow
from smki.registration.revocation import PMA, Revoke
from smki.registration.revocation_lists import lists_of_issuer
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.device import Device
from smki.sec.party import Officer, PartyCategory, Standing
from smki.sec.recorded_test import RecordedTest, TestPurpose
from smki.sec.registry_fields import Registrant, parse_registrant, registrant_fields
from smki.sec.role import CertificateKind
from tests.registration.register_cases import (
    AGENT,
    DCC,
    FREE,
    LARGE,
    MAKING,
    MANUFACTURER,
    MOMENT,
    NEW_DEVICE,
    OPERATOR,
    SHARED,
    STRANGER,
    home_clock,
    with_key,
    with_token,
)
from tests.support import DEVICE, DS, KA, SUPPLIER

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG = "x" * 100
MAKER = Actor(interface="python", party="MANUFACTURER", officer="Manufacturer Officer")
OTHER = PartyId("OTHER-USER")
NOBODY = SerialNumber(0x1234)
METER = Device(NEW_DEVICE, DeviceType.ESME)


def organisation(smki: Smki) -> SerialNumber:
    """Issue an Organisation Certificate."""
    request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]
    return smki.issue_organisation(request).record.serial_number


def meter(smki: Smki) -> SerialNumber:
    """Issue a Device Certificate."""
    return smki.issue_device(smki.make_device_request(DEVICE, DS)[1]).record.serial_number


def authority(smki: Smki, kind: CertificateKind = CertificateKind.ISSUING_OCA) -> SerialNumber:
    """The serial number of an authority's certificate."""
    return next(each.serial_number for each in smki.ledger.certificates(CertificateQuery()) if each.kind is kind)


def run(*commands: Command[Any], actor: Actor = OPERATOR) -> Callable[[Smki], object]:
    """Run commands one after the other."""

    def work(smki: Smki) -> None:
        for command in commands:
            smki.registration.execute(command, actor)

    return work


def of(
    issue: Callable[[Smki], SerialNumber], command: Callable[[SerialNumber], Command[Any]], actor: Actor = OPERATOR
) -> Callable[[Smki], object]:
    """Run a command on a certificate."""
    return lambda smki: smki.registration.execute(command(issue(smki)), actor)


def revoking(reason: str = "superseded", not_before: datetime | None = None) -> Callable[[SerialNumber], Revoke]:
    return lambda serial: Revoke(serial_number=serial, reason=reason, not_before=not_before)


def twice(smki: Smki) -> None:
    serial = organisation(smki)
    for _ in range(2):
        smki.registration.execute(Revoke(serial_number=serial, reason="key-lost"), OPERATOR)


def dismissed_with_tokens(smki: Smki) -> None:
    jo = Officer("Jo", frozenset({CertificateKind.ORGANISATION}))
    run(
        AppointOfficer(LARGE, jo),
        MakeToken(party=LARGE, officer="Jo", created=MOMENT),
        MakeToken(party=LARGE, created=MOMENT),
        AppointOfficer(OTHER, jo),
        MakeToken(party=OTHER, officer="Jo", created=MOMENT),
        DismissOfficer(party=LARGE, officer="Jo", moment=MOMENT),
    )(smki)


def ambiguous(smki: Smki) -> None:
    jo = Officer("Jo", frozenset({CertificateKind.ORGANISATION}))
    for party in (LARGE, OTHER):
        run(AppointOfficer(party, jo), MakeToken(party=party, officer="Jo", created=MOMENT))(smki)
    smki.registration.execute(_revoke_tokens(name="Jo"), OPERATOR)


def _revoke_tokens(name: str = "", number: int | None = None, party: PartyId | None = None) -> RevokeCredential:
    return RevokeCredential(kind=CredentialKind.OFFICER_TOKEN, name=name, number=number, party=party, revoked=MOMENT)


def many(smki: Smki) -> None:
    other = smki.ledger.register.registrant(OTHER)
    assert other is not None
    fields = {**registrant_fields(other), "identifiers": ""}
    parties = [parse_registrant({**fields, "party_id": f"MANY-{number:02}"}) for number in range(22)]
    smki.registration.execute(Register(tuple(parties)), OPERATOR)


def in_another_test(smki: Smki) -> None:
    test = RecordedTest.of(
        TestPurpose.SECTION_T, "for-another", identifiers=frozenset({AGENT}), on_behalf_of="OTHER-USER"
    )
    run(RecordTest(participant=MANUFACTURER, test=test), ReleaseIdentifier(OTHER, AGENT))(smki)


def not_certified(smki: Smki) -> None:
    run(ChangeSetting(Setting.CERTIFIED_PRODUCTS, "listed"), AddDevices((METER,)))(smki)


def importing(*sources: str, times: int = 1) -> Callable[[Smki], object]:
    """Import as many certificates, each from its source."""

    def work(smki: Smki) -> object:
        known = [record.certificate for record in smki.ledger.certificates(CertificateQuery())]
        new = [NewImport(each, source, "", ()) for each, source in zip(known, sources, strict=False)]
        return {"imported": [smki.registration.execute(Import(tuple(new)), OPERATOR) for _ in range(times)]}

    return work


def publishing(kind: CertificateKind) -> Callable[[Smki], object]:
    """Issue the next list of an authority."""
    return lambda smki: smki.registration.execute(PublishNow(authority(smki, kind)), OPERATOR)


def missing(smki: Smki) -> object:
    """A revocation that is not on a list yet."""
    lists = smki.lists(CertificateKind.ISSUING_OCA)
    latest = lists.current()
    before = lists.missing_since(latest, START)
    of(organisation, revoking())(smki)
    return {"before": before, "after": f"{lists.missing_since(latest, START)}"}


def reading(actor: Actor, party: str | None = None) -> Callable[[Smki], object]:
    """Whose events somebody reads who asks for those of a Party, or for all."""
    return lambda smki: {"of": readable_events(smki.ledger, actor, EventQuery(party=party)).party}


class Nobody:
    """A register without anybody."""

    def registrant(self, party: PartyId) -> Registrant | None:
        return None

    def registrants(self) -> list[Registrant]:
        return []

    def owner(self, identifier: EntityIdentifier) -> Registrant | None:
        return None

    def device(self, device_id: EntityIdentifier) -> Device | None:
        return None


def year(number: int) -> datetime:
    return datetime(number, 6, 1, tzinfo=UTC)


OTHERS: dict[str, Callable[[Smki], object]] = {
    "reject for no reason": run(Reject(NOBODY, " ")),
    "reject for a long reason": run(Reject(NOBODY, "x" * (MAX_BECAUSE + 1))),
    "reject for a reason that is just short enough": of(meter, lambda serial: Reject(serial, "x" * MAX_BECAUSE)),
    "accept what is not there": run(Accept(NOBODY)),
    "reject what is not there": run(Reject(NOBODY, "wrong")),
    "accept a Device Certificate": of(meter, Accept),
    "accept what is in use": of(organisation, Accept),
    "reject what is in use": of(organisation, lambda serial: Reject(serial, "wrong")),
    "reject a Device Certificate": of(meter, lambda serial: Reject(serial, "wrong")),
    "accept an authority's": of(authority, Accept),
    "reject an authority's": of(authority, lambda serial: Reject(serial, "wrong")),
    "reject somebody else's": of(meter, lambda serial: Reject(serial, "wrong"), DCC),
    "reject somebody else's, by nobody": of(
        meter, lambda serial: Reject(serial, "wrong"), Actor(interface="python", party="DCC")
    ),
    "accept by somebody else": of(organisation, Accept, Actor(interface="python", party="LARGE-SUPPLIER", officer="Jo")),
    "revoke": of(organisation, revoking()),
    "revoke for no such reason": of(organisation, revoking(LONG)),
    "revoke what is not there": run(Revoke(serial_number=NOBODY, reason="superseded")),
    "revoke a Device Certificate": of(meter, revoking()),
    "revoke a root": of(lambda smki: authority(smki, CertificateKind.ROOT_OCA), revoking()),
    "revoke an authority's": of(authority, revoking("key-compromised")),
    "revoke an authority's as a Party": of(authority, revoking("key-compromised"), STRANGER),
    "revoke somebody else's": of(organisation, revoking(), MAKER),
    "revoke as the DCC": of(organisation, revoking(), DCC),
    "revoke as an unknown officer": of(organisation, revoking(), Actor(interface="python", officer="Jo")),
    "revoke as the PMA": of(organisation, revoking(), Actor(interface="python", officer="pma")),
    "delay as the PMA": of(
        organisation, revoking(not_before=START + timedelta(days=3)), Actor(interface="python", officer=PMA)
    ),
    "delay as an officer": of(organisation, revoking(not_before=START + timedelta(days=3)), STRANGER),
    "revoke twice": twice,
    "dismiss one of two with tokens": dismissed_with_tokens,
    "dismiss nobody known": run(DismissOfficer(party=LARGE, officer=LONG, moment=MOMENT)),
    "a token for an officer of that name nowhere": run(MakeToken(party=LARGE, officer=LONG, created=MOMENT)),
    "a key with a name that is just short enough": run(MakeApiKey(name="x" * MAX_NAME, created=MOMENT)),
    "a key with a long name": run(MakeApiKey(name="x" * (MAX_NAME + 1), created=MOMENT)),
    "a key with a line break": run(MakeApiKey(name="a\nb", created=MOMENT)),
    "revoke tokens of officers of two Parties": ambiguous,
    "revoke a token by its number": lambda smki: (
        with_token(smki),
        with_key(smki),
        run(_revoke_tokens(number=smki.ledger.credentials.all(CredentialKind.OFFICER_TOKEN)[-1].id))(smki),
    ),
    "revoke a token by a number that there is not": run(_revoke_tokens(number=99)),
    "revoke a token by a name that there is not": run(_revoke_tokens(name=LONG)),
    "revoke a token of another Party": lambda smki: (
        with_token(smki),
        run(_revoke_tokens(name="Large Supplier Officer", party=OTHER))(smki),
    ),
    "register many": many,
    "add a Party with a name": run(
        AddParty(
            party=PartyId("ACME"), category=PartyCategory.OTHER, name=" Acme Ltd ", acceded=START.date(), quota=7,
            acts_for=frozenset({LARGE}), through_entry=False, officers=(Officer("Jo", frozenset({CertificateKind.ORGANISATION})),),
        )
    ),
    "act for a participant": run(ChangeParty(party=SHARED, add_acts_for=frozenset({MANUFACTURER}))),
    "apply for somebody who is a participant": lambda smki: named_user(smki.ledger.register, "MANUFACTURER"),
    "apply for somebody who is nobody": lambda smki: named_user(smki.ledger.register, "NOBODY"),
    "withdraw from tomorrow": run(SetStanding(LARGE, Standing.WITHDRAWN, START.date() + timedelta(days=1))),
    "suspend the suspended": run(SetStanding(LARGE, Standing.SUSPENDED), SetStanding(LARGE, Standing.SUSPENDED)),
    "reinstate before a suspension": run(
        SetStanding(LARGE, Standing.SUSPENDED, START.date()),
        SetStanding(LARGE, Standing.ACCEDED, START.date() - timedelta(days=1)),
    ),
    "release another's": run(ReleaseIdentifier(OTHER, SUPPLIER)),
    "release one in another's test": in_another_test,
    "release one of a valid certificate": lambda smki: (organisation(smki), run(ReleaseIdentifier(LARGE, SUPPLIER))(smki)),
    "change every field of a test": run(
        ChangeTest(
            participant=MANUFACTURER, test=MAKING, purpose=TestPurpose.SECTION_T, quota=5,
            add_roles=frozenset({RemotePartyRole.OTHER}), add_device_types=frozenset({DeviceType.ESME}),
            add_identifiers=frozenset({FREE}), on_behalf_of="ACME",
        ),
        ChangeTest(
            participant=MANUFACTURER, test=MAKING, quota=None, remove_roles=frozenset({RemotePartyRole.OTHER}),
            remove_device_types=frozenset({DeviceType.ESME}), remove_identifiers=frozenset({FREE}), on_behalf_of="",
        ),
    ),
    "change a type of a test to and fro": run(
        ChangeTest(
            participant=MANUFACTURER, test=MAKING, add_device_types=frozenset({DeviceType.ESME}),
            remove_device_types=frozenset({DeviceType.ESME}),
        )
    ),
    "change an identifier of a test to and fro": run(
        ChangeTest(
            participant=MANUFACTURER, test=MAKING, add_identifiers=frozenset({FREE}), remove_identifiers=frozenset({FREE})
        )
    ),
    "change for whom it acts to and fro": run(
        ChangeParty(party=SHARED, add_acts_for=frozenset({LARGE}), remove_acts_for=frozenset({LARGE}))
    ),
    "a test of that name nowhere": run(ChangeTest(participant=LARGE, test=LONG, quota=1)),
    "end the test of another name": run(EndTest(participant=MANUFACTURER, test="other")),
    "the greatest threshold": run(SetThreshold(DEVICE, MAX_THRESHOLD)),
    "a threshold that is there": run(SetThreshold(DEVICE, 200), SetThreshold(DEVICE, 200)),
    "the least threshold": run(SetThreshold(DEVICE, 100)),
    "a threshold above the greatest": run(SetThreshold(DEVICE, MAX_THRESHOLD + 1)),
    "several Devices": run(AddDevices((METER, Device(EntityIdentifier.parse("00DB1234567891FF"), DeviceType.CHF)))),
    "a Device by an officer": run(AddDevices((METER,)), actor=STRANGER),
    "a Device by a maker": run(AddDevices((METER,)), actor=MAKER),
    "a Device of somebody's under test": run(AddDevices((Device(NEW_DEVICE, DeviceType.GSME, under_test=LARGE),))),
    "a Device under test of nobody": run(AddDevices((Device(NEW_DEVICE, DeviceType.GSME, under_test=PartyId("NOBODY")),))),
    "a Device by no officer of the Party": run(
        AddDevices((METER,)), actor=Actor(interface="python", party="LARGE-SUPPLIER", officer="Jo")
    ),
    "a Device by nobody": run(AddDevices((METER,)), actor=Actor(interface="python", party="NOBODY", officer="Jo")),
    "a hub by a supplier": run(AddDevices((Device(NEW_DEVICE, DeviceType.CHF),)), actor=STRANGER),
    "a Device that is not certified": not_certified,
    "change a Device to what it is": run(ChangeDevice(device_id=DEVICE, device_type=DeviceType.ESME)),
    "a value that a setting does not have": run(ChangeSetting(Setting.STATEMENT, LONG)),
    "a setting to what it is": run(ChangeSetting(Setting.STATEMENT, "automatic")),
    "no such setting": lambda _: Setting.parse(LONG),
    "a setting by its name in capitals": lambda smki: run(ChangeSetting(Setting.parse(" STATEMENT "), "explicit"))(smki),
    "a product twice": run(ListProduct("ACME 1", DeviceType.ESME), ListProduct("ACME 1", DeviceType.ESME)),
    "an authority while the DCC is suspended": run(
        SetStanding(PartyId("DCC"), Standing.SUSPENDED), EstablishAuthority(CertificateKind.ISSUING_OCA)
    ),
    "an Issuing DCA": run(EstablishAuthority(CertificateKind.ISSUING_DCA)),
    "lists of no such authority": lambda smki: lists_of_issuer(
        smki.all_lists(CertificateKind.ISSUING_OCA), CertificateKind.ISSUING_OCA, "an authority that there is not"
    ),
    "import": importing("a.pem", "b.pem", "a.pem"),
    "import from many files": importing("d.pem", "c.pem", "b.pem", "a.pem"),
    "import again": importing("a.pem", times=2),
    "publish the list of an Issuing OCA": publishing(CertificateKind.ISSUING_OCA),
    "publish the list of a root": publishing(CertificateKind.ROOT_OCA),
    "publish a list of Devices": publishing(CertificateKind.ISSUING_DCA),
    "publish the list of nobody": run(PublishNow(NOBODY)),
    "what a list lacks": missing,
    "read all events": reading(OPERATOR),
    "read all events as the DCC": reading(DCC, "LARGE-SUPPLIER"),
    "read one's own events": reading(STRANGER),
    "read one's own events by name": reading(STRANGER, "LARGE-SUPPLIER"),
    "read another's events": reading(STRANGER, "DCC"),
    "a command of the DCC's by a supplier": run(SetThreshold(DEVICE, 200), actor=STRANGER),
    "a command of the DCC's by nobody of it": run(SetThreshold(DEVICE, 200), actor=Actor(interface="python", party="DCC")),
    "a command of the DCC's by an officer of nobody": run(
        SetThreshold(DEVICE, 200), actor=Actor(interface="python", officer="Jo")
    ),
    "a command of the DCC's by long names": run(
        SetThreshold(DEVICE, 200), actor=Actor(interface="python", party=LONG, officer=LONG)
    ),
    "who applies where nobody is registered": lambda _: first_eligible(
        Nobody(), METER, START.date(), OPERATOR, lambda _: Participation()
    ),
    "the first year of a clock": lambda smki: run(SetClock(clock=home_clock(smki), fixed=year(FIRST_YEAR)))(smki),
    "the year before": lambda smki: run(SetClock(clock=home_clock(smki), fixed=year(FIRST_YEAR - 1)))(smki),
    "the last year of a clock": lambda smki: run(SetClock(clock=home_clock(smki), fixed=year(LAST_YEAR)))(smki),
    "the year after": lambda smki: run(SetClock(clock=home_clock(smki), fixed=year(LAST_YEAR + 1)))(smki),
    "a shift beyond all years": lambda smki: run(SetClock(clock=home_clock(smki), shift=timedelta.max))(smki),
    "key agreement": lambda smki: smki.issue_organisation(
        smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, KA)[1]
    ),
}  # fmt: skip
"""Beside the commands of the register: those that change certificates, and what is at an edge."""
