"""Operations to read the audit trail. Officers of the DCC see every event, other officers those of their own Party."""

from __future__ import annotations

from flask import Response

from smki.identity import PartyId
from smki.interchange.description import event_fields
from smki.ledger import EventKind, EventQuery, Period
from smki.registration.authorisation import readable_events
from smki_repository.rest import parameters as given
from smki_repository.rest.certificates import known
from smki_repository.rest.negotiation import JSON, wanted_form
from smki_repository.rest.operation import Answer, Call, Link, Operation, schema_ref
from smki_repository.rest.paging import limit_of, page


def _events(call: Call) -> Response:
    wanted_form(JSON)
    party: PartyId | None = call.get("party")
    query = EventQuery(
        kind=call.get("kind"),
        party=str(party) if party else None,
        officer=call.get("officer"),
        serial_number=call.get("serial"),
        device_id=call.get("device"),
        at=Period(call.get("from"), call.get("to")),
    )
    return _page(call, query)


def _of_certificate(call: Call) -> Response:
    wanted_form(JSON)
    return _page(call, EventQuery(serial_number=known(call).serial_number))


def _page(call: Call, query: EventQuery) -> Response:
    readable = readable_events(call.smki.ledger, call.actor(), query)
    found = call.smki.ledger.search.events(readable, call.get("after"), limit_of(call.values))
    return page([event_fields(event) for event in found.records], found.last)


_TAG = "Audit trail"
_FOUND = (
    "Events, latest first. Officers of the DCC see every event; other officers see what their Party did, and events about "
    "the Party, its applications and its certificates. A page can have fewer items than the limit, or none; it is the last "
    "if it has no link to another."
)
_KINDS = {kind.value.replace(" ", "-"): kind for kind in EventKind}

OPERATIONS = (
    Operation("GET", "/events", "listEvents", _TAG, "List events: what was done, by whom and through which interface", _events,
              Answer(_FOUND, {JSON: schema_ref("EventPage")}, ("ETag", "Link"),
                     (Link("listCertificateEvents", {"serial": "/items/0/serialNumber"}),)),
              (given.party_id("party", "Only events by or about this Party, and about its certificates."),
               given.free_text("officer", "Only events caused by this officer.", max_length=64),
               given.serial("serial", "Only events about this certificate."),
               given.entity_identifier("device", "Only events about this Device and its certificates."),
               given.one_of("kind", _KINDS, "Kind of event.", "event-kind.unknown"),
               given.moment("from", "At or after this time."), given.moment("to", "At or before this time."), given.LIMIT,
               given.AFTER),
              errors=(403, 406), for_officers=True),
    Operation("GET", "/certificates/{serial}/events", "listCertificateEvents", _TAG, "List the events of a certificate",
              _of_certificate, Answer(_FOUND, {JSON: schema_ref("EventPage")}, ("ETag", "Link")),
              (given.SERIAL, given.LIMIT, given.AFTER), errors=(406,), for_officers=True),
)  # fmt: skip
