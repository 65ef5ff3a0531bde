"""The audit trail of commands: everything for officers of the DCC, a Party's own events for its officers."""

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
    "The latest first. Officers of the DCC read everything, others what their Party did and what concerns it, its "
    "applications and its certificates. A page can hold fewer than were asked for, even none, and there is more as long as "
    "it has a link to the next."
)
_KINDS = {kind.value.replace(" ", "-"): kind for kind in EventKind}

OPERATIONS = (
    Operation("GET", "/events", "listEvents", _TAG, "What was done, by whom and through which interface", _events,
              Answer(_FOUND, {JSON: schema_ref("EventPage")}, ("ETag", "Link"),
                     (Link("listCertificateEvents", {"serial": "/items/0/serialNumber"}),)),
              (given.party_id("party", "What this Party did, what concerns it, and its certificates."),
               given.free_text("officer", "What this officer did.", max_length=64),
               given.serial("serial", "What was done with this certificate."),
               given.entity_identifier("device", "What concerns this Device and its certificates."),
               given.one_of("kind", _KINDS, "What was done.", "event-kind.unknown"),
               given.moment("from", "Then or later."), given.moment("to", "Then or earlier."), given.LIMIT, given.AFTER),
              errors=(403, 406), for_officers=True),
    Operation("GET", "/certificates/{serial}/events", "listCertificateEvents", _TAG, "What was done with a certificate",
              _of_certificate, Answer(_FOUND, {JSON: schema_ref("EventPage")}, ("ETag", "Link")),
              (given.SERIAL, given.LIMIT, given.AFTER), errors=(406,), for_officers=True),
)  # fmt: skip
