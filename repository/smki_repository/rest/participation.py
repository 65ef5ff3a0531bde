"""Operations about tests (SEC H14.11): record, change and end them, and set whether Parties need one."""

from __future__ import annotations

from flask import Response

from smki.registration.participation import ChangeTest, EndTest, RecordTest, participation_mode
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.device import DeviceType
from smki.sec.recorded_test import ParticipationMode, RecordedTest, TestPurpose
from smki.sec.registry_fields import registrant_fields
from smki.sec.vocabulary import hyphenated
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import JSON, answer_json, wanted_form
from smki_repository.rest.operation import Answer, Call, Operation, Parameter, schema_ref
from smki_repository.rest.writing import done, or_unchanged, set_of, write

_PURPOSES = {hyphenated(purpose): purpose for purpose in TestPurpose}
_MODES = {str(mode): mode for mode in ParticipationMode}


def test_of(call: Call) -> RecordedTest:
    """Return the test that the fields of a body describe (:data:`TEST_FIELDS`)."""
    return RecordedTest.of(
        call.values["purpose"],
        call.get("test") or "",
        quota=call.get("quota"),
        roles=set_of(call, "roles"),
        device_types=set_of(call, "device_types"),
        identifiers=set_of(call, "identifiers"),
        on_behalf_of=(call.get("on_behalf_of") or "").strip(),
    )


test_of.__test__ = False  # type: ignore[attr-defined]


def _record(call: Call) -> Response:
    wanted_form(JSON)
    command = RecordTest(participant=call.values["party"], test=test_of(call))
    where = f"/parties/{command.participant}"
    return done(registrant_fields(call.smki.registration.execute(command, call.actor())), 201, location=where)


def _change(call: Call) -> Response:
    wanted_form(JSON)
    behalf = or_unchanged(call, "on_behalf_of")
    command = ChangeTest(
        participant=call.values["party"],
        test=call.values["test"],
        purpose=or_unchanged(call, "purpose"),
        quota=or_unchanged(call, "quota"),
        add_roles=set_of(call, "add_roles"),
        remove_roles=set_of(call, "remove_roles"),
        add_device_types=set_of(call, "add_device_types"),
        remove_device_types=set_of(call, "remove_device_types"),
        add_identifiers=set_of(call, "add_identifiers"),
        remove_identifiers=set_of(call, "remove_identifiers"),
        on_behalf_of="" if behalf is None else behalf,
    )
    return done(registrant_fields(call.smki.registration.execute(command, call.actor())))


def _end(call: Call) -> Response:
    wanted_form(JSON)
    command = EndTest(participant=call.values["party"], test=call.values["test"])
    return done(registrant_fields(call.smki.registration.execute(command, call.actor())))


def _mode(call: Call) -> Response:
    wanted_form(JSON)
    return answer_json({"mode": str(participation_mode(call.smki.ledger))})


def _set_mode(call: Call) -> Response:
    wanted_form(JSON)
    command = ChangeSetting(Setting.PARTICIPANTS, call.values["mode"].value)
    return done({"mode": call.smki.registration.execute(command, call.actor())})


def _purpose(*, required: bool) -> Parameter:
    return given.one_of("purpose", _PURPOSES, "Purpose of the test.", "test-purpose.unknown", required=required)


def _roles(name: str, description: str) -> Parameter:
    return given.several(given.role(name), description)


def _types(name: str, description: str) -> Parameter:
    types = dict(DeviceType.__members__)
    return given.several(given.one_of(name, types, description, "device-type.unknown"))


def _identifiers(name: str, description: str) -> Parameter:
    return given.several(given.entity_identifier(name, description))


_QUOTA = given.quota("Maximum number of Test Certificates for the test; null for no limit.")
_BEHALF = given.or_null(
    given.free_text(
        "on_behalf_of", "Party or Device manufacturer on whose behalf it acts; null for itself.", max_length=128
    )
)
TEST_FIELDS = (
    _purpose(required=True),
    given.test_name("Name of the test. Default: its purpose, for example uept."),
    _QUOTA,
    _roles("roles", "Remote Party Roles that the test calls for. Default: none; for a Party those it may have."),
    _types("device_types", "Types of Devices that the test calls for. Default: all."),
    _identifiers("identifiers", "Entity Identifiers that the test calls for."),
    _BEHALF,
)
"""The fields of a body that describe a test."""

_TAG = "Parties and Devices"
_IT_NOW = Answer("The changed record.", {JSON: schema_ref("Party")})
_TEST = given.test_name("Name of a recorded test.")
_MODE = Answer("Whether a Party needs a recorded test (strict), or every Party counts as taking part (open).",
               {JSON: schema_ref("Participation")})  # fmt: skip

OPERATIONS = (
    write("POST", "/parties/{party}/tests", "recordTest", _TAG, "Record a test in which a Party or Testing Participant takes part",
          _record, Answer("The changed record.", {JSON: schema_ref("Party")}, ("Location",)), given.PARTY, fields=TEST_FIELDS, status=201),
    write("PATCH", "/parties/{party}/tests/{test}", "changeTest", _TAG, "Change what is recorded of a test; omitted fields keep their values",
          _change, _IT_NOW, given.PARTY, _TEST,
          fields=(
              _purpose(required=False), _QUOTA,
              _roles("add_roles", "Remote Party Roles to add."), _roles("remove_roles", "Remote Party Roles to remove."),
              _types("add_device_types", "Types of Devices to add."), _types("remove_device_types", "Types of Devices to remove."),
              _identifiers("add_identifiers", "Entity Identifiers to add."), _identifiers("remove_identifiers", "Entity Identifiers to remove."),
              _BEHALF,
          )),
    write("POST", "/parties/{party}/tests/{test}/end", "endTest", _TAG, "Record that a Party or Testing Participant takes part in a test no longer",
          _end, _IT_NOW, given.PARTY, _TEST),
    Operation("GET", "/participation", "getParticipation", _TAG, "Get whether Parties need a recorded test", _mode,
              Answer(_MODE.description, _MODE.content, ("ETag",)), errors=(406,)),
    write("PUT", "/participation", "setParticipation", _TAG, "Set whether Parties need a recorded test", _set_mode, _MODE,
          fields=(given.one_of("mode", _MODES, "strict or open.", "participation.unknown", required=True),)),
)  # fmt: skip
