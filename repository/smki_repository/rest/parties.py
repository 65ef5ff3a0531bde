"""Registering and changing Parties, Testing Participants and their officers."""

from __future__ import annotations

from flask import Response

from smki.clock import RealClock
from smki.registration.appointments import AppointOfficer, DismissOfficer
from smki.registration.identifiers import AssignIdentifier, ReleaseIdentifier
from smki.registration.parties import AddParticipant, AddParty, ChangeParticipant, ChangeParty, SetStanding
from smki.sec.party import SUBSCRIBER_KINDS, Officer, PartyCategory, Standing, TestPurpose
from smki.sec.registry_fields import Registrant, registrant_fields, registrant_id
from smki.sec.role import CertificateKind, UserRole
from smki.sec.vocabulary import hyphenated
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import JSON, wanted_form
from smki_repository.rest.operation import Answer, Call, Link, Parameter, schema_ref
from smki_repository.rest.writing import done, or_unchanged, set_of, write


def _changed(registrant: Registrant) -> Response:
    return done(registrant_fields(registrant))


def _added(registrant: Registrant) -> Response:
    return done(registrant_fields(registrant), 201, location=f"/parties/{registrant_id(registrant)}")


def _add_party(call: Call) -> Response:
    wanted_form(JSON)
    command = AddParty(
        party=call.values["party_id"],
        category=call.values["category"],
        name=call.get("name") or "",
        user_roles=set_of(call, "user_roles"),
        identifiers=set_of(call, "identifiers"),
        acceded=call.get("acceded"),
        authorised_for=set_of(call, "authorised_for") if "authorised_for" in call.values else SUBSCRIBER_KINDS,
        officers=call.get("officers") or (),
        acts_for=set_of(call, "acts_for"),
        through_entry=call.values.get("through_entry", True),
        quota=call.get("quota"),
    )
    return _added(call.smki.registration.execute(command, call.actor()))


def _change_party(call: Call) -> Response:
    wanted_form(JSON)
    kinds = set_of(call, "authorised_for") if "authorised_for" in call.values else or_unchanged(call, "authorised_for")
    command = ChangeParty(
        party=call.values["party"],
        name=or_unchanged(call, "name"),
        add_roles=set_of(call, "add_roles"),
        remove_roles=set_of(call, "remove_roles"),
        authorised_for=kinds,
        add_acts_for=set_of(call, "add_acts_for"),
        remove_acts_for=set_of(call, "remove_acts_for"),
        through_entry=or_unchanged(call, "through_entry"),
        quota=or_unchanged(call, "quota"),
    )
    return _changed(call.smki.registration.execute(command, call.actor()))


def _add_participant(call: Call) -> Response:
    wanted_form(JSON)
    command = AddParticipant(
        participant=call.values["participant_id"],
        purpose=call.values["purpose"],
        name=call.get("name") or "",
        agreement=call.get("agreement"),
        officers=call.get("officers") or (),
        quota=call.get("quota"),
    )
    return _added(call.smki.registration.execute(command, call.actor()))


def _change_participant(call: Call) -> Response:
    wanted_form(JSON)
    command = ChangeParticipant(
        participant=call.values["participant"],
        name=or_unchanged(call, "name"),
        purpose=or_unchanged(call, "purpose"),
        agreement=or_unchanged(call, "agreement"),
        quota=or_unchanged(call, "quota"),
    )
    return _changed(call.smki.registration.execute(command, call.actor()))


def _set_standing(call: Call) -> Response:
    wanted_form(JSON)
    command = SetStanding(call.values["party"], call.values["standing"], call.get("since"))
    return _changed(call.smki.registration.execute(command, call.actor()))


def _assign(call: Call) -> Response:
    wanted_form(JSON)
    command = AssignIdentifier(call.values["party"], call.get("identifier"))
    identifier = call.smki.registration.execute(command, call.actor())
    return done({"identifier": identifier.hyphenated})


def _release(call: Call) -> Response:
    wanted_form(JSON)
    command = ReleaseIdentifier(call.values["party"], call.values["eui"])
    return _changed(call.smki.registration.execute(command, call.actor()))


def _appoint(call: Call) -> Response:
    wanted_form(JSON)
    kinds = set_of(call, "kinds") if "kinds" in call.values else SUBSCRIBER_KINDS
    officer = Officer(call.values["name"].strip(), kinds)
    return _changed(call.smki.registration.execute(AppointOfficer(call.values["party"], officer), call.actor()))


def _dismiss(call: Call) -> Response:
    wanted_form(JSON)
    command = DismissOfficer(party=call.values["party"], officer=call.values["name"], moment=RealClock().now())
    return _changed(call.smki.registration.execute(command, call.actor()))


_ROLE = {hyphenated(role): role for role in UserRole}
_KIND = {kind.value: kind for kind in (CertificateKind.ORGANISATION, CertificateKind.DEVICE)}
_PURPOSE = {hyphenated(purpose): purpose for purpose in TestPurpose}


def _roles(name: str, description: str) -> Parameter:
    return given.several(given.one_of(name, _ROLE, description, "user-role.unknown"))


def _kinds(name: str, description: str) -> Parameter:
    return given.several(given.one_of(name, _KIND, description, "certificate-kind.unknown"))


def _users(name: str, description: str) -> Parameter:
    return given.several(given.party_id(name, description))


_NAME = given.free_text("name", "What it is called.")
_OFFICERS = given.officers(
    "officers", "Names of its officers, for both kinds of certificate; by default one that is named after it."
)
_AUTHORISED_FOR = _kinds("authorised_for", "The kinds of certificate for which it is an Authorised Subscriber.")
_THROUGH_ENTRY = given.flag("through_entry", "Whether it has been through the User Entry Process.")
_QUOTA = given.or_null(
    given.whole_number("quota", "How many Test Certificates it may have; null for no limit.", 999_999_999, lowest=0)
)
_AGREEMENT = given.or_null(given.day("agreement", "The day of its agreement on the terms of Schedule 7."))
_OFFICER_NAME = given.free_text("name", "The officer's name.", max_length=64, required=True)
_PARTICIPANT = given.party_id("participant", "The id of a Testing Participant.")


def _purpose(*, required: bool) -> Parameter:
    return given.one_of("purpose", _PURPOSE, "What it tests.", "test-purpose.unknown", required=required)


_TAG = "Parties and Devices"
_PARTY = {JSON: schema_ref("Party")}
_TO_IT = (Link("getParty", {"party": "/party_id"}),)
_IT_NOW = Answer("As it is recorded now.", _PARTY)

OPERATIONS = (
    write("POST", "/parties", "addParty", _TAG, "Register a Party", _add_party,
          Answer("It is registered.", _PARTY, ("Location",), _TO_IT), status=201,
          fields=(
              given.party_id("party_id", "Its Party ID.", required=True),
              given.one_of("category", {hyphenated(each): each for each in PartyCategory}, "What it is.",
                           "party-category.unknown", required=True),
              _NAME, _roles("user_roles", "The User Roles that it acts in."),
              given.several(given.entity_identifier("identifiers", "Its Entity Identifiers.")),
              given.day("acceded", "The day of its accession; by default today."), _AUTHORISED_FOR, _OFFICERS,
              _users("acts_for", "Of a Shared Resource: the Users that have named it."), _THROUGH_ENTRY, _QUOTA,
          )),
    write("PATCH", "/parties/{party}", "changeParty", _TAG, "Change what is recorded of a Party", _change_party, _IT_NOW, given.PARTY,
          fields=(
              _NAME, _roles("add_roles", "User Roles that it acts in from now on."),
              _roles("remove_roles", "User Roles that it acts in no longer."), _AUTHORISED_FOR,
              _users("add_acts_for", "Of a Shared Resource: Users that have named it."),
              _users("remove_acts_for", "Users for which it acts no longer."), _THROUGH_ENTRY, _QUOTA,
          )),
    write("POST", "/parties/{party}/standing", "setStanding", _TAG, "Suspend, expel or reinstate a Party, or record its withdrawal",
          _set_standing, _IT_NOW, given.PARTY,
          fields=(
              given.one_of("standing", {str(each): each for each in Standing}, "Its standing from that day on.", "standing.unknown",
                           required=True),
              given.day("since", "From which day on; by default today."),
          )),
    write("POST", "/parties/{party}/identifiers", "assignIdentifier", _TAG, "Assign a Party an Entity Identifier", _assign,
          Answer("It belongs to the Party.", {JSON: schema_ref("Identifier")}), given.PARTY,
          fields=(given.entity_identifier("identifier", "Which; by default the next free one of the registry block."),)),
    write("POST", "/parties/{party}/identifiers/{eui}/release", "releaseIdentifier", _TAG, "Take an Entity Identifier from a Party",
          _release, Answer("As it is recorded now. Refused while a certificate with it is neither revoked nor expired.", _PARTY),
          given.PARTY, given.EUI),
    write("POST", "/parties/{party}/officers/appoint", "appointOfficer", _TAG, "Appoint an officer, or change for what one acts",
          _appoint, _IT_NOW, given.PARTY,
          fields=(_OFFICER_NAME, _kinds("kinds", "For which certificates the officer acts; by default both kinds."))),
    write("POST", "/parties/{party}/officers/dismiss", "dismissOfficer", _TAG, "Dismiss an officer and revoke the officer's tokens",
          _dismiss, _IT_NOW, given.PARTY, fields=(_OFFICER_NAME,)),
    write("POST", "/participants", "addParticipant", _TAG, "Register a Testing Participant", _add_participant,
          Answer("It is registered.", _PARTY, ("Location",), (Link("getParty", {"party": "/participant_id"}),)), status=201,
          fields=(given.party_id("participant_id", "Its id.", required=True), _purpose(required=True), _NAME, _AGREEMENT, _OFFICERS,
                  _QUOTA)),
    write("PATCH", "/participants/{participant}", "changeParticipant", _TAG, "Change what is recorded of a Testing Participant",
          _change_participant, _IT_NOW, _PARTICIPANT, fields=(_NAME, _purpose(required=False), _AGREEMENT, _QUOTA)),
)  # fmt: skip
