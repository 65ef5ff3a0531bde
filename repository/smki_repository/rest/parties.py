"""Operations to register and change Parties, Testing Participants and their officers."""

from __future__ import annotations

from flask import Response

from smki.clock import RealClock
from smki.registration.appointments import AppointOfficer, DismissOfficer
from smki.registration.identifiers import AssignIdentifier, ReleaseIdentifier
from smki.registration.parties import AddParticipant, AddParty, ChangeParticipant, ChangeParty, SetStanding
from smki.sec.party import SUBSCRIBER_KINDS, Officer, PartyCategory, Standing
from smki.sec.registry_fields import Registrant, registrant_fields, registrant_id
from smki.sec.role import CertificateKind, UserRole
from smki.sec.vocabulary import hyphenated
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import JSON, wanted_form
from smki_repository.rest.operation import Answer, Call, Link, Parameter, schema_ref
from smki_repository.rest.participation import TEST_FIELDS, test_of
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
        test=test_of(call),
        name=call.get("name") or "",
        agreement=call.get("agreement"),
        officers=call.get("officers") or (),
    )
    return _added(call.smki.registration.execute(command, call.actor()))


def _change_participant(call: Call) -> Response:
    wanted_form(JSON)
    command = ChangeParticipant(
        participant=call.values["participant"],
        name=or_unchanged(call, "name"),
        agreement=or_unchanged(call, "agreement"),
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


def _roles(name: str, description: str) -> Parameter:
    return given.several(given.one_of(name, _ROLE, description, "user-role.unknown"))


def _kinds(name: str, description: str) -> Parameter:
    return given.several(given.one_of(name, _KIND, description, "certificate-kind.unknown"))


def _users(name: str, description: str) -> Parameter:
    return given.several(given.party_id(name, description))


_NAME = given.free_text("name", "Name.")
_OFFICERS = given.officers(
    "officers", "Names of its officers, who act for both kinds of certificate. Default: one named after it."
)
_AUTHORISED_FOR = _kinds("authorised_for", "Kinds of certificate for which it is an Authorised Subscriber.")
_THROUGH_ENTRY = given.flag("through_entry", "Whether it has completed the User Entry Process.")
_QUOTA = given.quota("Maximum number of Test Certificates outside recorded tests; null for no limit.")
_AGREEMENT = given.or_null(given.day("agreement", "Date on which it agreed to the terms of Schedule 7."))
_OFFICER_NAME = given.free_text("name", "Name of the officer.", max_length=64, required=True)
_PARTICIPANT = given.party_id("participant", "ID of a Testing Participant.")


_TAG = "Parties and Devices"
_PARTY = {JSON: schema_ref("Party")}
_TO_IT = (Link("getParty", {"party": "/party_id"}),)
_IT_NOW = Answer("The changed record.", _PARTY)

OPERATIONS = (
    write("POST", "/parties", "addParty", _TAG, "Register a Party", _add_party,
          Answer("The new Party.", _PARTY, ("Location",), _TO_IT), status=201,
          fields=(
              given.party_id("party_id", "Party ID.", required=True),
              given.one_of("category", {hyphenated(each): each for each in PartyCategory}, "Category of the Party.",
                           "party-category.unknown", required=True),
              _NAME, _roles("user_roles", "User Roles."),
              given.several(given.entity_identifier("identifiers", "Entity Identifiers.")),
              given.day("acceded", "Date of its accession. Default: today."), _AUTHORISED_FOR, _OFFICERS,
              _users("acts_for", "Parties that have named it as their Shared Resource, on whose behalf it may act."), _THROUGH_ENTRY, _QUOTA,
          )),
    write("PATCH", "/parties/{party}", "changeParty", _TAG, "Change a Party; omitted fields keep their values", _change_party, _IT_NOW, given.PARTY,
          fields=(
              _NAME, _roles("add_roles", "User Roles to add."),
              _roles("remove_roles", "User Roles to remove."), _AUTHORISED_FOR,
              _users("add_acts_for", "Parties to add that have named it as their Shared Resource."),
              _users("remove_acts_for", "Parties to remove of these."), _THROUGH_ENTRY, _QUOTA,
          )),
    write("POST", "/parties/{party}/standing", "setStanding", _TAG, "Suspend, expel or reinstate a Party, or record its withdrawal",
          _set_standing, _IT_NOW, given.PARTY,
          fields=(
              given.one_of("standing", {str(each): each for each in Standing}, "The new standing.", "standing.unknown",
                           required=True),
              given.day("since", "First day of the new standing. Default: today."),
          )),
    write("POST", "/parties/{party}/identifiers", "assignIdentifier", _TAG, "Assign an Entity Identifier to a Party", _assign,
          Answer("The assigned Entity Identifier.", {JSON: schema_ref("Identifier")}), given.PARTY,
          fields=(given.entity_identifier("identifier", "The Entity Identifier. Default: the next free one of the registry block."),)),
    write("POST", "/parties/{party}/identifiers/{eui}/release", "releaseIdentifier", _TAG, "Take an Entity Identifier from a Party",
          _release, Answer("The changed record. Refused while a certificate with the identifier is neither revoked nor expired.", _PARTY),
          given.PARTY, given.EUI),
    write("POST", "/parties/{party}/officers/appoint", "appointOfficer", _TAG, "Appoint an officer, or change for which certificates an officer acts",
          _appoint, _IT_NOW, given.PARTY,
          fields=(_OFFICER_NAME, _kinds("kinds", "Kinds of certificate for which the officer acts. Default: both."))),
    write("POST", "/parties/{party}/officers/dismiss", "dismissOfficer", _TAG, "Dismiss an officer and revoke the officer's tokens",
          _dismiss, _IT_NOW, given.PARTY, fields=(_OFFICER_NAME,)),
    write("POST", "/participants", "addParticipant", _TAG, "Register a Testing Participant that is not a Party, with its first test", _add_participant,
          Answer("The new Testing Participant.", _PARTY, ("Location",), (Link("getParty", {"party": "/participant_id"}),)),
          status=201,
          fields=(given.party_id("participant_id", "ID of the Testing Participant.", required=True), _NAME, _AGREEMENT, _OFFICERS,
                  *TEST_FIELDS)),
    write("PATCH", "/participants/{participant}", "changeParticipant", _TAG, "Change a Testing Participant; omitted fields keep their values",
          _change_participant, _IT_NOW, _PARTICIPANT, fields=(_NAME, _AGREEMENT)),
)  # fmt: skip
