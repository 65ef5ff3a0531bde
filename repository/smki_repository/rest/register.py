"""Operations to read the register: Parties, Testing Participants and the Smart Metering Inventory."""

from __future__ import annotations

from flask import Response

from smki.eligibility import DEVICE_THRESHOLD, security_sections
from smki.registration.devices import known_device
from smki.registration.parties import known_registrant
from smki.sec.registry_fields import device_fields, registrant_fields, registrant_id
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import JSON, answer_json, wanted_form
from smki_repository.rest.operation import Answer, Call, Link, Operation, schema_ref
from smki_repository.rest.paging import limit_of, page


def _parties(call: Call) -> Response:
    wanted_form(JSON)
    found = call.smki.ledger.search.registrants(call.get("after") or 0, limit_of(call.values))
    return page([registrant_fields(each) for each in found.records], found.last)


def _party(call: Call) -> Response:
    wanted_form(JSON)
    found = known_registrant(call.smki.ledger, call.values["party"])
    had = call.smki.ledger.certificates_issued_to(registrant_id(found))
    return answer_json({**registrant_fields(found), "certificates": had})


def _devices(call: Call) -> Response:
    wanted_form(JSON)
    search, limit = call.smki.ledger.search, limit_of(call.values)
    devices, last = search.devices(
        call.get("after"), limit, device_type=call.get("deviceType"), status=call.get("status")
    )
    return page([device_fields(device) for device in devices], last)


def _device(call: Call) -> Response:
    wanted_form(JSON)
    device_id = call.values["eui"]
    ledger = call.smki.ledger
    device = known_device(ledger, device_id)
    had, threshold = ledger.certificates_for_device(device_id), ledger.register.threshold(device_id)
    values = {**device_fields(device), "certificates": had, "threshold": threshold or DEVICE_THRESHOLD}
    sections = security_sections(device, call.get("asOf") or call.smki.clock.now().date())
    return answer_json({**values, "sections_g2_to_g9": sections.as_json()} if sections else values)


_BEHIND = given.entity_identifier("after", "Cursor from the link to the next page.")

OPERATIONS = (
    Operation(
        "GET", "/parties", "listParties", "Parties and Devices", "List Parties and Testing Participants", _parties,
        Answer("Parties and Testing Participants in the order of their registration.", {JSON: schema_ref("PartyPage")}, ("ETag", "Link"),
               (Link("getParty", {"party": "/items/0/party_id"}),)),
        (given.LIMIT, given.AFTER), errors=(406,),
    ),
    Operation(
        "GET", "/parties/{party}", "getParty", "Parties and Devices", "Get a Party or Testing Participant", _party,
        Answer("Its record, and the number of certificates issued to it.", {JSON: schema_ref("Party")}, ("ETag",)),
        (given.PARTY,), errors=(406,),
    ),
    Operation(
        "GET", "/devices", "listDevices", "Parties and Devices", "List the Smart Metering Inventory", _devices,
        Answer("Devices sorted by Device ID.", {JSON: schema_ref("DevicePage")}, ("ETag", "Link"),
               (Link("getDevice", {"eui": "/items/0/device_id"}),)),
        (given.device_type(), given.SMI_STATUS, given.LIMIT, _BEHIND), errors=(406,),
    ),
    Operation(
        "GET", "/devices/{eui}", "getDevice", "Parties and Devices", "Get a Device", _device,
        Answer("Its record, the number of certificates issued for it and their maximum; for a SMETS1 Device also whether Sections "
               "G2 to G9 of the Code apply to it (SEC G1.10).", {JSON: schema_ref("Device")}, ("ETag",)),
        (given.EUI, given.day("asOf", "Date for the statement about a SMETS1 Device. Default: today.")), errors=(406,),
    ),
)  # fmt: skip
