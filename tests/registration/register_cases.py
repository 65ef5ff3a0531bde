"""Every command of the register with what it does or why it is refused, as Python, a command line and a REST request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from smki import DeviceType, RemotePartyRole, Smki
from smki.clock import HomeClock
from smki.home.smki import CLOCK_FILE
from smki.identity import EntityIdentifier, PartyId
from smki.ledger import CredentialKind, EventKind
from smki.registration import Actor
from smki.registration.appointments import AppointOfficer, DismissOfficer
from smki.registration.authorities import EstablishAuthority
from smki.registration.clock import SetClock
from smki.registration.command import Command
from smki.registration.credentials import MakeApiKey, MakeToken, RevokeCredential
from smki.registration.devices import AddDevices, ChangeDevice, SetDeviceStatus, SetThreshold
from smki.registration.identifiers import AssignIdentifier, ReleaseIdentifier
from smki.registration.participation import ChangeTest, EndTest, RecordTest
from smki.registration.parties import AddParticipant, AddParty, ChangeParticipant, ChangeParty, SetStanding
from smki.registration.products import ListProduct, RemoveProduct
from smki.registration.restoration import GoOnAfterRestore, RevokeAllCredentials
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.device import Device, Responsible, SmetsVersion, SmiStatus
from smki.sec.party import Officer, PartyCategory, Standing
from smki.sec.recorded_test import ParticipationMode, RecordedTest, TestPurpose
from smki.sec.registry_fields import device_fields, registrant_fields
from smki.sec.role import CertificateKind, UserRole
from tests.support import DEVICE, DS, SUPPLIER

OPERATOR = Actor(interface="python")
DCC = Actor(interface="python", party="DCC", officer="DCC Officer")
STRANGER = Actor(interface="python", party="LARGE-SUPPLIER", officer="Large Supplier Officer")
MOMENT = datetime(2026, 11, 21, tzinfo=UTC)
NEW_DEVICE = EntityIdentifier.parse("00-DB-12-34-56-78-90-AF")
FREE = EntityIdentifier.parse("90-B3-D5-1F-30-05-00-00")
AGENT = EntityIdentifier.parse("90-B3-D5-1F-30-01-00-09")
"""An Entity Identifier of OTHER-USER, which no certificate carries."""

Rest = tuple[str, str, dict[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One command, to be run through each interface over a home of its own."""

    name: str
    command: Callable[[Smki], Command[Any]]
    cli: tuple[str, ...] | None
    """None where the command line offers no such thing."""
    rest: Rest | None
    """None where REST offers no such thing."""
    event: EventKind | None = None
    """What is appended when all is well; None when it is refused."""
    refusal: str = ""
    """The code of the refusal."""
    status: int = 200
    """Of the answer over REST."""
    prepare: Callable[[Smki], object] | None = None
    """What has to be done before."""


def party(name: str) -> PartyId:
    return PartyId.parse(name)


LARGE, SHARED, MANUFACTURER = party("LARGE-SUPPLIER"), party("SHARED-RESOURCE"), party("MANUFACTURER")
MAKING = "device-and-user-system-tests"
SECOND = Officer("Jo Bloggs", frozenset({CertificateKind.DEVICE}))


def appointed(smki: Smki) -> object:
    return smki.registration.execute(AppointOfficer(LARGE, SECOND), OPERATOR)


def with_product(smki: Smki) -> object:
    return smki.registration.execute(ListProduct("ACME 1", DeviceType.ESME), OPERATOR)


def with_key(smki: Smki) -> object:
    return smki.registration.execute(MakeApiKey(name="head-end", created=MOMENT), OPERATOR)


def with_token(smki: Smki) -> object:
    return smki.registration.execute(MakeToken(party=LARGE, created=MOMENT), OPERATOR)


def certified(smki: Smki) -> object:
    request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]
    return smki.issue_organisation(request)


def limited(smki: Smki) -> object:
    return smki.registration.execute(SetThreshold(DEVICE, 200), OPERATOR)


def suspended(smki: Smki) -> object:
    return smki.registration.execute(SetDeviceStatus(DEVICE, SmiStatus.SUSPENDED), OPERATOR)


def last_token(smki: Smki) -> int:
    return smki.ledger.credentials.all(CredentialKind.OFFICER_TOKEN)[-1].id


def home_clock(smki: Smki) -> HomeClock:
    return HomeClock(smki.path / CLOCK_FILE)


def _party_cases() -> list[Case]:
    return [
        Case(name="add a Party", event=EventKind.REGISTERED, status=201,
             command=lambda _: AddParty(party=party("ACME"), category=PartyCategory.LARGE_SUPPLIER,
                                        user_roles=frozenset({UserRole.IMPORT_SUPPLIER}), identifiers=frozenset({FREE})),
             cli=("party", "add", "ACME", "--category", "large-supplier", "--role", "import-supplier", "--eui", str(FREE)),
             rest=("POST", "/parties", {"party_id": "ACME", "category": "large-supplier-party",
                                        "user_roles": ["import-supplier"], "identifiers": [str(FREE)]})),
        Case(name="add a Party that is there", refusal="party.exists", status=409,
             command=lambda _: AddParty(party=LARGE, category=PartyCategory.DCC),
             cli=("party", "add", "LARGE-SUPPLIER", "--category", "dcc"),
             rest=("POST", "/parties", {"party_id": "LARGE-SUPPLIER", "category": "dcc"})),
        Case(name="add a Party with another's identifier", refusal="entity-identifier.taken", status=409,
             command=lambda _: AddParty(party=party("ACME"), category=PartyCategory.OTHER, identifiers=frozenset({SUPPLIER})),
             cli=("party", "add", "ACME", "--category", "other", "--eui", str(SUPPLIER)),
             rest=("POST", "/parties", {"party_id": "ACME", "category": "other-sec-party", "identifiers": [str(SUPPLIER)]})),
        Case(name="add a Participant", event=EventKind.REGISTERED, status=201,
             command=lambda _: AddParticipant(participant=party("METERS-LTD"), test=RecordedTest.of(TestPurpose.UEPT, quota=5)),
             cli=("participant", "add", "METERS-LTD", "--purpose", "uept", "--quota", "5"),
             rest=("POST", "/participants", {"participant_id": "METERS-LTD", "purpose": "user-entry-process-tests", "quota": 5})),
        Case(name="add a Participant that is there", refusal="party.exists", status=409,
             command=lambda _: AddParticipant(participant=MANUFACTURER, test=RecordedTest.of(TestPurpose.UEPT)),
             cli=("participant", "add", "MANUFACTURER", "--purpose", "uept"),
             rest=("POST", "/participants", {"participant_id": "MANUFACTURER", "purpose": "user-entry-process-tests"})),
        Case(name="change roles and quota", event=EventKind.CHANGED,
             command=lambda _: ChangeParty(party=LARGE, name="L", add_roles=frozenset({UserRole.OTHER_USER}),
                                           remove_roles=frozenset({UserRole.GAS_SUPPLIER}), quota=500),
             cli=("party", "change", "LARGE-SUPPLIER", "--name", "L", "--add-role", "other-user", "--remove-role", "gas-supplier",
                  "--quota", "500"),
             rest=("PATCH", "/parties/LARGE-SUPPLIER", {"name": "L", "add_roles": ["other-user"], "remove_roles": ["gas-supplier"],
                                                        "quota": 500})),
        Case(name="change what it may subscribe for", event=EventKind.CHANGED,
             command=lambda _: ChangeParty(party=LARGE, authorised_for=frozenset({CertificateKind.DEVICE}), through_entry=False),
             cli=("party", "change", "LARGE-SUPPLIER", "--authorised-for", "device", "--not-a-user"),
             rest=("PATCH", "/parties/LARGE-SUPPLIER", {"authorised_for": ["device"], "through_entry": False})),
        Case(name="change for whom it acts", event=EventKind.CHANGED,
             command=lambda _: ChangeParty(party=SHARED, add_acts_for=frozenset({party("GAS-NETWORK")})),
             cli=("party", "change", "SHARED-RESOURCE", "--add-acts-for", "GAS-NETWORK"),
             rest=("PATCH", "/parties/SHARED-RESOURCE", {"add_acts_for": ["GAS-NETWORK"]})),
        Case(name="act for nobody known", refusal="acting-for.not-a-party", status=404,
             command=lambda _: ChangeParty(party=SHARED, add_acts_for=frozenset({party("NOBODY")})),
             cli=("party", "change", "SHARED-RESOURCE", "--add-acts-for", "NOBODY"),
             rest=("PATCH", "/parties/SHARED-RESOURCE", {"add_acts_for": ["NOBODY"]})),
        Case(name="act as a Shared Resource in another category", event=EventKind.CHANGED,
             command=lambda _: ChangeParty(party=LARGE, add_acts_for=frozenset({party("GAS-NETWORK")})),
             cli=("party", "change", "LARGE-SUPPLIER", "--add-acts-for", "GAS-NETWORK"),
             rest=("PATCH", "/parties/LARGE-SUPPLIER", {"add_acts_for": ["GAS-NETWORK"]})),
        Case(name="change a Party that is not there", refusal="party.unknown", status=404,
             command=lambda _: ChangeParty(party=party("NOBODY"), quota=1),
             cli=("party", "change", "NOBODY", "--quota", "1"), rest=("PATCH", "/parties/NOBODY", {"quota": 1})),
        Case(name="change a Participant as a Party", refusal="party.unknown", status=404,
             command=lambda _: ChangeParty(party=MANUFACTURER, quota=1),
             cli=("party", "change", "MANUFACTURER", "--quota", "1"), rest=("PATCH", "/parties/MANUFACTURER", {"quota": 1})),
        Case(name="add the role of another category", refusal="party.role-of-other-category", status=422,
             command=lambda _: ChangeParty(party=LARGE, add_roles=frozenset({UserRole.GAS_TRANSPORTER})),
             cli=("party", "change", "LARGE-SUPPLIER", "--add-role", "gas-transporter"),
             rest=("PATCH", "/parties/LARGE-SUPPLIER", {"add_roles": ["gas-transporter"]})),
        Case(name="add and remove a role", refusal="change.contradiction", status=422,
             command=lambda _: ChangeParty(party=LARGE, add_roles=frozenset({UserRole.GAS_SUPPLIER}),
                                           remove_roles=frozenset({UserRole.GAS_SUPPLIER})),
             cli=("party", "change", "LARGE-SUPPLIER", "--add-role", "gas-supplier", "--remove-role", "gas-supplier"),
             rest=("PATCH", "/parties/LARGE-SUPPLIER", {"add_roles": ["gas-supplier"], "remove_roles": ["gas-supplier"]})),
        Case(name="remove the name", refusal="party.no-name", status=422,
             command=lambda _: ChangeParty(party=LARGE, name=" "),
             cli=("party", "change", "LARGE-SUPPLIER", "--name", " "), rest=("PATCH", "/parties/LARGE-SUPPLIER", {"name": " "})),
        Case(name="change a Participant", event=EventKind.CHANGED,
             command=lambda _: ChangeParticipant(participant=MANUFACTURER, name="M", agreement=date(2026, 1, 31)),
             cli=("participant", "change", "MANUFACTURER", "--name", "M", "--agreement", "2026-01-31"),
             rest=("PATCH", "/participants/MANUFACTURER", {"name": "M", "agreement": "2026-01-31"})),
        Case(name="remove an agreement", event=EventKind.CHANGED,
             command=lambda _: ChangeParticipant(participant=MANUFACTURER, agreement=None),
             cli=("participant", "change", "MANUFACTURER", "--no-agreement"),
             rest=("PATCH", "/participants/MANUFACTURER", {"agreement": None})),
        Case(name="change a Participant that is not there", refusal="participant.unknown", status=404,
             command=lambda _: ChangeParticipant(participant=party("NOBODY"), name="N"),
             cli=("participant", "change", "NOBODY", "--name", "N"),
             rest=("PATCH", "/participants/NOBODY", {"name": "N"})),
        Case(name="change a Party as a Participant", refusal="participant.unknown", status=404,
             command=lambda _: ChangeParticipant(participant=LARGE, name="L"),
             cli=("participant", "change", "LARGE-SUPPLIER", "--name", "L"),
             rest=("PATCH", "/participants/LARGE-SUPPLIER", {"name": "L"})),
        Case(name="suspend", event=EventKind.CHANGED,
             command=lambda _: SetStanding(LARGE, Standing.SUSPENDED, date(2026, 11, 20)),
             cli=("party", "suspend", "LARGE-SUPPLIER", "--since", "2026-11-20"),
             rest=("POST", "/parties/LARGE-SUPPLIER/standing", {"standing": "suspended", "since": "2026-11-20"})),
        Case(name="suspend before the accession", refusal="party.standing-order", status=422,
             command=lambda _: SetStanding(LARGE, Standing.SUSPENDED, date(1990, 1, 1)),
             cli=("party", "suspend", "LARGE-SUPPLIER", "--since", "1990-01-01"),
             rest=("POST", "/parties/LARGE-SUPPLIER/standing", {"standing": "suspended", "since": "1990-01-01"})),
        Case(name="assign the next identifier", event=EventKind.CHANGED,
             command=lambda _: AssignIdentifier(LARGE), cli=("party", "assign-eui", "LARGE-SUPPLIER"),
             rest=("POST", "/parties/LARGE-SUPPLIER/identifiers", {})),
        Case(name="assign a given identifier", event=EventKind.CHANGED,
             command=lambda _: AssignIdentifier(LARGE, FREE), cli=("party", "assign-eui", "LARGE-SUPPLIER", str(FREE)),
             rest=("POST", "/parties/LARGE-SUPPLIER/identifiers", {"identifier": str(FREE)})),
        Case(name="assign another's identifier", refusal="entity-identifier.taken", status=409,
             command=lambda _: AssignIdentifier(LARGE, AGENT), cli=("party", "assign-eui", "LARGE-SUPPLIER", str(AGENT)),
             rest=("POST", "/parties/LARGE-SUPPLIER/identifiers", {"identifier": str(AGENT)})),
        Case(name="release an identifier", event=EventKind.CHANGED,
             command=lambda _: ReleaseIdentifier(LARGE, SUPPLIER), cli=("party", "release-eui", "LARGE-SUPPLIER", str(SUPPLIER)),
             rest=("POST", f"/parties/LARGE-SUPPLIER/identifiers/{SUPPLIER}/release", None)),
        Case(name="release another's identifier", refusal="entity-identifier.not-assigned", status=404,
             command=lambda _: ReleaseIdentifier(LARGE, AGENT), cli=("party", "release-eui", "LARGE-SUPPLIER", str(AGENT)),
             rest=("POST", f"/parties/LARGE-SUPPLIER/identifiers/{AGENT}/release", None)),
        Case(name="release an identifier of a valid certificate", refusal="entity-identifier.in-use", status=409, prepare=certified,
             command=lambda _: ReleaseIdentifier(LARGE, SUPPLIER), cli=("party", "release-eui", "LARGE-SUPPLIER", str(SUPPLIER)),
             rest=("POST", f"/parties/LARGE-SUPPLIER/identifiers/{SUPPLIER}/release", None)),
        Case(name="appoint", event=EventKind.OFFICER_APPOINTED,
             command=lambda _: AppointOfficer(LARGE, SECOND),
             cli=("party", "appoint", "LARGE-SUPPLIER", "Jo Bloggs: device"),
             rest=("POST", "/parties/LARGE-SUPPLIER/officers/appoint", {"name": "Jo Bloggs", "kinds": ["device"]})),
        Case(name="appoint for nobody", refusal="party.unknown", status=404,
             command=lambda _: AppointOfficer(party("NOBODY"), SECOND), cli=("party", "appoint", "NOBODY", "Jo Bloggs"),
             rest=("POST", "/parties/NOBODY/officers/appoint", {"name": "Jo Bloggs"})),
        Case(name="dismiss", event=EventKind.OFFICER_DISMISSED, prepare=appointed,
             command=lambda _: DismissOfficer(party=LARGE, officer="Jo Bloggs", moment=MOMENT),
             cli=("party", "dismiss", "LARGE-SUPPLIER", "Jo Bloggs"),
             rest=("POST", "/parties/LARGE-SUPPLIER/officers/dismiss", {"name": "Jo Bloggs"})),
        Case(name="dismiss the last", refusal="officer.last", status=422,
             command=lambda _: DismissOfficer(party=LARGE, officer="Large Supplier Officer", moment=MOMENT),
             cli=("party", "dismiss", "LARGE-SUPPLIER", "Large Supplier Officer"),
             rest=("POST", "/parties/LARGE-SUPPLIER/officers/dismiss", {"name": "Large Supplier Officer"})),
        Case(name="dismiss nobody", refusal="officer.unknown", status=404,
             command=lambda _: DismissOfficer(party=LARGE, officer="Jo", moment=MOMENT),
             cli=("party", "dismiss", "LARGE-SUPPLIER", "Jo"),
             rest=("POST", "/parties/LARGE-SUPPLIER/officers/dismiss", {"name": "Jo"})),
    ]  # fmt: skip


def _device_cases() -> list[Case]:
    path = f"/devices/{DEVICE}"
    return [
        Case(name="add a Device", event=EventKind.DEVICE_ADDED, status=201,
             command=lambda _: AddDevices((Device(NEW_DEVICE, DeviceType.CHF),)),
             cli=("device", "add", str(NEW_DEVICE), "--type", "CHF"),
             rest=("POST", "/devices", {"device_id": str(NEW_DEVICE), "device_type": "CHF"})),
        Case(name="add a Device that is there", refusal="device.exists", status=409,
             command=lambda _: AddDevices((Device(DEVICE, DeviceType.CHF),)),
             cli=("device", "add", str(DEVICE), "--type", "CHF"),
             rest=("POST", "/devices", {"device_id": str(DEVICE), "device_type": "CHF"})),
        Case(name="list a product", event=EventKind.PRODUCT_LISTED, status=201,
             command=lambda _: ListProduct("ACME 1", DeviceType.ESME),
             cli=("cpl", "add", "ACME 1", "--type", "ESME"),
             rest=("POST", "/certified-products", {"model": "ACME 1", "device_type": "ESME"})),
        Case(name="list a product as another type", refusal="product.other-type", status=409, prepare=with_product,
             command=lambda _: ListProduct("ACME 1", DeviceType.GSME),
             cli=("cpl", "add", "ACME 1", "--type", "GSME"),
             rest=("POST", "/certified-products", {"model": "ACME 1", "device_type": "GSME"})),
        Case(name="remove a product", event=EventKind.PRODUCT_REMOVED, prepare=with_product,
             command=lambda _: RemoveProduct("ACME 1"), cli=("cpl", "remove", "ACME 1"),
             rest=("POST", "/certified-products/remove", {"model": "ACME 1"})),
        Case(name="remove no product", refusal="product.unknown", status=404,
             command=lambda _: RemoveProduct("ACME 1"), cli=("cpl", "remove", "ACME 1"),
             rest=("POST", "/certified-products/remove", {"model": "ACME 1"})),
        Case(name="change a setting", event=EventKind.SETTING_CHANGED,
             command=lambda _: ChangeSetting(Setting.STATEMENT, "explicit"),
             cli=("settings", "set", "statement", "explicit"),
             rest=("POST", "/settings", {"setting": "statement", "value": "explicit"})),
        Case(name="a setting of another value", refusal="setting.value", status=422,
             command=lambda _: ChangeSetting(Setting.STATEMENT, "loud"), cli=("settings", "set", "statement", "loud"),
             rest=("POST", "/settings", {"setting": "statement", "value": "loud"})),
        Case(name="change a model to one that is not certified", refusal="inventory.not-certified", status=403,
             prepare=lambda smki: smki.registration.execute(ChangeSetting(Setting.CERTIFIED_PRODUCTS, "listed"), OPERATOR),
             command=lambda _: ChangeDevice(device_id=DEVICE, model="ACME 1"),
             cli=("device", "change", str(DEVICE), "--model", "ACME 1"), rest=("PATCH", path, {"model": "ACME 1"})),
        Case(name="change every field of a Device", event=EventKind.DEVICE_CHANGED,
             command=lambda _: ChangeDevice(device_id=DEVICE, device_type=DeviceType.GSME, smets_version=SmetsVersion.SMETS1,
                                            status=SmiStatus.SUSPENDED, returns_to=SmiStatus.COMMISSIONED, enrolled=True,
                                            responsible=(Responsible.parse("gas: LARGE-SUPPLIER"),)),
             cli=("device", "change", str(DEVICE), "--type", "GSME", "--smets", "1", "--status", "suspended", "--returns-to",
                  "commissioned", "--enrolled", "--responsible", "gas: LARGE-SUPPLIER"),
             rest=("PATCH", path, {"device_type": "GSME", "smets_version": "1", "status": "suspended", "returns_to": "commissioned",
                                   "enrolled": True, "responsible": ["gas: LARGE-SUPPLIER"]})),
        Case(name="return to no suspension", refusal="device.suspension", status=422,
             command=lambda _: ChangeDevice(device_id=DEVICE, returns_to=SmiStatus.PENDING),
             cli=("device", "change", str(DEVICE), "--returns-to", "pending"),
             rest=("PATCH", path, {"returns_to": "pending"})),
        Case(name="change what it returns to", event=EventKind.DEVICE_CHANGED, prepare=suspended,
             command=lambda _: ChangeDevice(device_id=DEVICE, returns_to=SmiStatus.COMMISSIONED),
             cli=("device", "change", str(DEVICE), "--returns-to", "commissioned"),
             rest=("PATCH", path, {"returns_to": "commissioned"})),
        Case(name="a status that cannot be reached", refusal="device.status-not-allowed", status=409,
             command=lambda _: ChangeDevice(device_id=DEVICE, status=SmiStatus.PENDING),
             cli=("device", "change", str(DEVICE), "--status", "pending"), rest=("PATCH", path, {"status": "pending"})),
        Case(name="an unknown responsible Party", refusal="party.unknown", status=404,
             command=lambda _: ChangeDevice(device_id=DEVICE, responsible=(Responsible.parse("gas: NOBODY"),)),
             cli=("device", "change", str(DEVICE), "--responsible", "gas: NOBODY"),
             rest=("PATCH", path, {"responsible": ["gas: NOBODY"]})),
        Case(name="two Parties for a fuel", refusal="device.responsible-repeated", status=422,
             command=lambda _: ChangeDevice(device_id=DEVICE, responsible=(Responsible.parse("gas: LARGE-SUPPLIER"),
                                                                          Responsible.parse("gas: SMALL-SUPPLIER"))),
             cli=("device", "change", str(DEVICE), "--responsible", "gas: LARGE-SUPPLIER, gas: SMALL-SUPPLIER"),
             rest=("PATCH", path, {"responsible": ["gas: LARGE-SUPPLIER", "gas: SMALL-SUPPLIER"]})),
        Case(name="change a Device that is not there", refusal="device.unknown", status=404,
             command=lambda _: ChangeDevice(device_id=NEW_DEVICE, enrolled=True),
             cli=("device", "change", str(NEW_DEVICE), "--enrolled"),
             rest=("PATCH", f"/devices/{NEW_DEVICE}", {"enrolled": True})),
        Case(name="raise a threshold", event=EventKind.DEVICE_CHANGED, command=lambda _: SetThreshold(DEVICE, 200),
             cli=("device", "raise-limit", str(DEVICE), "200"), rest=("PUT", f"{path}/threshold", {"threshold": 200})),
        Case(name="remove a threshold", event=EventKind.DEVICE_CHANGED, prepare=limited, command=lambda _: SetThreshold(DEVICE, None),
             cli=("device", "reset-limit", str(DEVICE)), rest=("PUT", f"{path}/threshold", {"threshold": None})),
        Case(name="the threshold of a Device that is not there", refusal="device.unknown", status=404,
             command=lambda _: SetThreshold(NEW_DEVICE, 200), cli=("device", "raise-limit", str(NEW_DEVICE), "200"),
             rest=("PUT", f"/devices/{NEW_DEVICE}/threshold", {"threshold": 200})),
        # REST reads no number that is out of the range in its document.
        Case(name="too low a threshold", refusal="device.threshold", command=lambda _: SetThreshold(DEVICE, 99),
             cli=("device", "raise-limit", str(DEVICE), "99"), rest=None),
        Case(name="too high a threshold", refusal="device.threshold", command=lambda _: SetThreshold(DEVICE, 1 << 62),
             cli=("device", "raise-limit", str(DEVICE), str(1 << 62)), rest=None),
    ]  # fmt: skip


def _other_cases() -> list[Case]:
    return [
        Case(name="make a key", event=EventKind.CREDENTIAL_MADE, status=201,
             command=lambda _: MakeApiKey(name="head-end", created=MOMENT), cli=("apikey", "add", "head-end"),
             rest=("POST", "/api-keys", {"name": "head-end"})),
        Case(name="make a key again", refusal="credential.exists", status=422, prepare=with_key,
             command=lambda _: MakeApiKey(name="head-end", created=MOMENT), cli=("apikey", "add", "head-end"),
             rest=("POST", "/api-keys", {"name": "head-end"})),
        Case(name="make a key without a name", refusal="credential.name", status=422,
             command=lambda _: MakeApiKey(name=" ", created=MOMENT), cli=("apikey", "add", " "),
             rest=("POST", "/api-keys", {"name": " "})),
        Case(name="revoke a key", event=EventKind.CREDENTIAL_REVOKED, prepare=with_key,
             command=lambda _: RevokeCredential(kind=CredentialKind.API_KEY, name="head-end", revoked=MOMENT),
             cli=("apikey", "revoke", "head-end"), rest=("POST", "/api-keys/{key}/revoke", None)),
        Case(name="revoke no key", refusal="credential.unknown", status=404,
             command=lambda _: RevokeCredential(kind=CredentialKind.API_KEY, number=999, revoked=MOMENT),
             cli=("apikey", "revoke", "999"), rest=("POST", "/api-keys/999/revoke", None)),
        Case(name="make a token", event=EventKind.CREDENTIAL_MADE, status=201,
             command=lambda _: MakeToken(party=LARGE, created=MOMENT, expires=MOMENT + timedelta(days=3)),
             cli=("officer", "token", "--party", "LARGE-SUPPLIER", "--days", "3"),
             rest=("POST", "/parties/LARGE-SUPPLIER/tokens", {"days": 3})),
        Case(name="make a token for nobody", refusal="officer.unknown", status=404,
             command=lambda _: MakeToken(party=LARGE, officer="Jo", created=MOMENT),
             cli=("officer", "token", "--party", "LARGE-SUPPLIER", "--officer", "Jo"),
             rest=("POST", "/parties/LARGE-SUPPLIER/tokens", {"officer": "Jo"})),
        Case(name="revoke a token", event=EventKind.CREDENTIAL_REVOKED, prepare=with_token,
             command=lambda _: RevokeCredential(kind=CredentialKind.OFFICER_TOKEN, name="Large Supplier Officer", revoked=MOMENT),
             cli=("officer", "revoke", "Large Supplier Officer"), rest=("POST", "/tokens/{token}/revoke", None)),
        Case(name="revoke no token", refusal="credential.unknown", status=404,
             command=lambda _: RevokeCredential(kind=CredentialKind.OFFICER_TOKEN, number=999, revoked=MOMENT),
             cli=("officer", "revoke", "999"), rest=("POST", "/tokens/999/revoke", None)),
        Case(name="make an authority", event=EventKind.AUTHORITY_ADDED, status=201,
             command=lambda _: EstablishAuthority(CertificateKind.ISSUING_DCA), cli=("authority", "add", "issuing-dca"),
             rest=("POST", "/authorities", {"kind": "issuing-dca"})),
        Case(name="make a second root", refusal="authority.second-root",
             command=lambda _: EstablishAuthority(CertificateKind.ROOT_OCA), cli=None, rest=None),
        Case(name="set the clock", event=EventKind.CLOCK_SET,
             command=lambda smki: SetClock(clock=home_clock(smki), fixed=datetime(2030, 1, 1, tzinfo=UTC)),
             cli=("clock", "set", "2030-01-01"), rest=("PUT", "/clock", {"fixed": "2030-01-01T00:00:00Z"})),
        Case(name="shift the clock", event=EventKind.CLOCK_SET,
             command=lambda smki: SetClock(clock=home_clock(smki), shift=timedelta(days=1)),
             cli=("clock", "shift", "1d"), rest=("PUT", "/clock", {"shift_seconds": 86400})),
        Case(name="the machine's clock", event=EventKind.CLOCK_SET, command=lambda smki: SetClock(clock=home_clock(smki)),
             cli=("clock", "real"), rest=("PUT", "/clock", {})),
        Case(name="set and shift the clock", refusal="clock.contradiction", status=422,
             command=lambda smki: SetClock(clock=home_clock(smki), fixed=MOMENT, shift=timedelta(days=1)), cli=None,
             rest=("PUT", "/clock", {"fixed": "2030-01-01T00:00:00Z", "shift_seconds": 1})),
        Case(name="shift the clock too far", refusal="clock.out-of-range", status=422,
             command=lambda smki: SetClock(clock=home_clock(smki), shift=timedelta(days=-100 * 366)),
             cli=("clock", "shift", "-100y"), rest=("PUT", "/clock", {"shift_seconds": -100 * 366 * 86400})),
        Case(name="go on after a restore", event=EventKind.RESTORED, command=lambda _: _go_on(1_795_000_000_000_000),
             cli=None, rest=None),
        Case(name="go on by a clock that is behind", refusal="restore.clock-behind", command=lambda _: _go_on(0),
             cli=None, rest=None),
        Case(name="revoke all credentials", event=EventKind.CREDENTIAL_REVOKED, prepare=with_key,
             command=lambda _: RevokeAllCredentials(revoked=MOMENT), cli=None, rest=None),
    ]  # fmt: skip


def _go_on(microseconds: int) -> GoOnAfterRestore:
    return GoOnAfterRestore(machine_microseconds=microseconds, backup_made=MOMENT, backup_sha256="0" * 64)


def _participation_cases() -> list[Case]:
    uept = RecordedTest.of(
        TestPurpose.UEPT, quota=5, roles=frozenset({RemotePartyRole.SUPPLIER}), on_behalf_of="Makers Ltd"
    )
    owned = RecordedTest.of(TestPurpose.SECTION_T, identifiers=frozenset({SUPPLIER}))
    return [
        Case(name="record a test of a Party", event=EventKind.CHANGED, status=201,
             command=lambda _: RecordTest(participant=LARGE, test=uept),
             cli=("participant", "add-test", "LARGE-SUPPLIER", "--purpose", "uept", "--quota", "5", "--role", "supplier",
                  "--on-behalf-of", "Makers Ltd"),
             rest=("POST", "/parties/LARGE-SUPPLIER/tests", {"purpose": "user-entry-process-tests", "quota": 5,
                                                             "roles": ["supplier"], "on_behalf_of": "Makers Ltd"})),
        Case(name="record a test twice", refusal="test.repeated", status=422,
             command=lambda _: RecordTest(participant=MANUFACTURER, test=RecordedTest.of(TestPurpose.SECTION_T, MAKING)),
             cli=("participant", "add-test", "MANUFACTURER", "--purpose", "section-t", "--test", MAKING),
             rest=("POST", "/parties/MANUFACTURER/tests", {"purpose": "tests-under-section-t", "test": MAKING})),
        Case(name="record a test with another's identifier", refusal="entity-identifier.taken", status=409,
             command=lambda _: RecordTest(participant=MANUFACTURER, test=owned),
             cli=("participant", "add-test", "MANUFACTURER", "--purpose", "section-t", "--eui", str(SUPPLIER)),
             rest=("POST", "/parties/MANUFACTURER/tests", {"purpose": "tests-under-section-t", "identifiers": [str(SUPPLIER)]})),
        Case(name="record a test for the owner of an identifier", event=EventKind.CHANGED, status=201,
             command=lambda _: RecordTest(participant=MANUFACTURER, test=replace(owned, on_behalf_of="LARGE-SUPPLIER")),
             cli=("participant", "add-test", "MANUFACTURER", "--purpose", "section-t", "--eui", str(SUPPLIER),
                  "--on-behalf-of", "LARGE-SUPPLIER"),
             rest=("POST", "/parties/MANUFACTURER/tests", {"purpose": "tests-under-section-t", "identifiers": [str(SUPPLIER)],
                                                           "on_behalf_of": "LARGE-SUPPLIER"})),
        Case(name="record a test of nobody", refusal="party.unknown", status=404,
             command=lambda _: RecordTest(participant=party("NOBODY"), test=uept),
             cli=("participant", "add-test", "NOBODY", "--purpose", "uept"),
             rest=("POST", "/parties/NOBODY/tests", {"purpose": "user-entry-process-tests"})),
        Case(name="change a test", event=EventKind.CHANGED,
             command=lambda _: ChangeTest(participant=MANUFACTURER, test=MAKING, purpose=TestPurpose.SECTION_T, quota=None,
                                          add_roles=frozenset({RemotePartyRole.SUPPLIER}), add_identifiers=frozenset({FREE}),
                                          add_device_types=frozenset({DeviceType.CHF}), on_behalf_of="ACME"),
             cli=("participant", "change-test", "MANUFACTURER", MAKING, "--purpose", "section-t", "--no-quota", "--add-role",
                  "supplier", "--add-eui", str(FREE), "--add-device-type", "CHF", "--on-behalf-of", "ACME"),
             rest=("PATCH", f"/parties/MANUFACTURER/tests/{MAKING}",
                   {"purpose": "tests-under-section-t", "quota": None, "add_roles": ["supplier"], "add_identifiers": [str(FREE)],
                    "add_device_types": ["CHF"], "on_behalf_of": "ACME"})),
        Case(name="add and remove a role of a test", refusal="change.contradiction", status=422,
             command=lambda _: ChangeTest(participant=MANUFACTURER, test=MAKING, add_roles=uept.roles, remove_roles=uept.roles),
             cli=("participant", "change-test", "MANUFACTURER", MAKING, "--add-role", "supplier", "--remove-role", "supplier"),
             rest=("PATCH", f"/parties/MANUFACTURER/tests/{MAKING}", {"add_roles": ["supplier"], "remove_roles": ["02"]})),
        Case(name="change a test that is not there", refusal="test.unknown", status=404,
             command=lambda _: ChangeTest(participant=LARGE, test="uept", quota=1),
             cli=("participant", "change-test", "LARGE-SUPPLIER", "uept", "--quota", "1"),
             rest=("PATCH", "/parties/LARGE-SUPPLIER/tests/uept", {"quota": 1})),
        Case(name="end a test", event=EventKind.CHANGED, command=lambda _: EndTest(participant=MANUFACTURER, test=MAKING),
             cli=("participant", "end-test", "MANUFACTURER", MAKING),
             rest=("POST", f"/parties/MANUFACTURER/tests/{MAKING}/end", None)),
        Case(name="end a test that is not there", refusal="test.unknown", status=404,
             command=lambda _: EndTest(participant=MANUFACTURER, test="uept"),
             cli=("participant", "end-test", "MANUFACTURER", "uept"),
             rest=("POST", "/parties/MANUFACTURER/tests/uept/end", None)),
        Case(name="require tests of Parties", event=EventKind.SETTING_CHANGED,
             command=lambda _: ChangeSetting(Setting.PARTICIPANTS, ParticipationMode.STRICT.value), cli=("participant", "set-mode", "strict"),
             rest=("PUT", "/participation", {"mode": "strict"})),
    ]  # fmt: skip


CASES = [*_party_cases(), *_participation_cases(), *_device_cases(), *_other_cases()]
GOOD = [case for case in CASES if case.event is not None]


def state(smki: Smki) -> dict[str, Any]:
    """Everything that the commands of the register change, as it is in the ledger."""
    register = smki.ledger.register
    clock = smki.path / CLOCK_FILE
    return {
        "registrants": [registrant_fields(each) for each in register.registrants()],
        "devices": [(device_fields(each), register.threshold(each.device_id)) for each in register.devices()],
        "products": register.products(),
        "settings": [setting.of(smki.ledger) for setting in Setting],
        "credentials": [each for kind in CredentialKind for each in smki.ledger.credentials.all(kind)],
        "certificates": smki.ledger.count_certificates(),
        "participants": smki.ledger.setting("participants"),
        "clock": Path(clock).read_text() if clock.exists() else "",
        "events": [event.id for event in smki.ledger.events()],
    }
