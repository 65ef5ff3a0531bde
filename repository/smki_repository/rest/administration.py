"""Operations to add authorities, issue revocation lists, and read and set the clock."""

from __future__ import annotations

from datetime import timedelta

from flask import Response

from smki.clock import AdjustableClock, Clock, HomeClock, TravellingClock, iso
from smki.interchange.description import certificate_details
from smki.problem import NotReady, Problem
from smki.registration.authorities import EstablishAuthority
from smki.registration.clock import SetClock
from smki.registration.publication import PublishNow
from smki.sec.role import CertificateKind
from smki_repository.rest import parameters as given
from smki_repository.rest.lists import KINDS, describe
from smki_repository.rest.negotiation import JSON, answer_json, wanted_form
from smki_repository.rest.operation import Answer, Call, Link, Operation, schema_ref
from smki_repository.rest.writing import done, write


def _establish(call: Call) -> Response:
    wanted_form(JSON)
    record = call.smki.registration.execute(EstablishAuthority(call.values["kind"]), call.actor())
    where = f"/authorities/{record.serial_number}"
    return done(certificate_details(record, call.smki.clock.now()), 201, location=where)


def _publish(call: Call) -> Response:
    wanted_form(JSON)
    record = call.smki.registration.execute(PublishNow(call.values["issuer"]), call.actor())
    issuer = call.smki.ledger.certificate(record.issuer)
    if issuer is None:
        raise AssertionError("the issuer of a list is in the ledger")
    where = f"/revocation-lists/{record.issuer}/{record.number}"
    return done(describe(record, KINDS[issuer.kind]), 201, location=where)


def _own_clock(call: Call) -> HomeClock | AdjustableClock:
    clock: Clock = call.smki.clock
    while isinstance(clock, TravellingClock):
        clock = clock.base
    if isinstance(clock, HomeClock | AdjustableClock):
        return clock
    raise NotReady(
        Problem(
            code="clock.not-settable",
            subject="clock",
            seen="a clock that cannot be set",
            expected="the clock of the home",
            remedy="Serve the home with smki serve, which uses the clock of the home.",
        )
    )


def _clock_now(clock: HomeClock | AdjustableClock) -> dict[str, str]:
    return {"now": iso(clock.now()), "setting": clock.setting}


def _clock(call: Call) -> Response:
    wanted_form(JSON)
    return answer_json(_clock_now(_own_clock(call)))


def _set_clock(call: Call) -> Response:
    wanted_form(JSON)
    clock, seconds = _own_clock(call), call.get("shift_seconds")
    shift = timedelta(seconds=seconds) if seconds is not None else None
    call.smki.registration.execute(SetClock(clock=clock, fixed=call.get("fixed"), shift=shift), call.actor())
    return done(_clock_now(clock))


_ISSUING = {kind.value: kind for kind in (CertificateKind.ISSUING_OCA, CertificateKind.ISSUING_DCA)}
_MILLENNIUM = 1000 * 31_557_600
_CLOCK = Answer("The time in the home, and how its clock is set.", {JSON: schema_ref("Clock")})
_LIST = Answer(
    "The list.",
    {JSON: schema_ref("RevocationList")},
    ("Location",),
    (Link("getRevocationList", {"serial": "/issuerSerialNumber", "number": "/number"}),),
)

OPERATIONS = (
    write("POST", "/authorities", "addAuthority", "Authorities", "Add an Issuing DCA, or an Issuing OCA that replaces the current one", _establish,
          Answer("The authority's certificate.", {JSON: schema_ref("Certificate")}, ("Location",),
                 (Link("getAuthority", {"serial": "/serialNumber"}),)),
          fields=(given.one_of("kind", _ISSUING, "Kind of authority.", "certificate-kind.unknown", required=True),), status=201),
    write("POST", "/revocation-lists", "publishRevocationList", "Revocation lists", "Issue the next revocation list now", _publish, _LIST,
          fields=(given.serial("issuer", "Serial number of the issuing authority's certificate.", required=True),), status=201,
          errors=(404,)),
    Operation("GET", "/clock", "getClock", "Clock", "Get the time in the home", _clock,
              Answer(_CLOCK.description, _CLOCK.content, ("ETag",)), errors=(406, 409)),
    write("PUT", "/clock", "setClock", "Clock", "Set the clock of the home; without a field, to the system clock", _set_clock, _CLOCK,
          fields=(given.moment("fixed", "Stop the clock at this time."),
                  given.whole_number("shift_seconds", "Seconds by which the clock is ahead of the system clock; negative if behind.",
                                     _MILLENNIUM, lowest=-_MILLENNIUM))),
)  # fmt: skip
