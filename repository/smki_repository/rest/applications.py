"""Operations for officers to apply for certificates, and to accept, reject and revoke them."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request

from smki.clock import iso
from smki.interchange.description import application_fields, certificate_details
from smki.ledger import ApplicationQuery, CertificateRecord
from smki.pki.request import read_request, single_request
from smki.problem import Malformed, NotFound, Problem
from smki.profile.detect import detect_request_profile
from smki.registration import Application, Apply, Issued, Refused
from smki.registration.acceptance import Accept, Reject
from smki.registration.comparison import compare
from smki.registration.revocation import REASONS, Revoke
from smki.remedies import Interface
from smki_repository.problem_details import problem_details
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import DER, JSON, PEM, answer_json, wanted_form
from smki_repository.rest.operation import Answer, BytesBody, Call, JsonBody, Link, Operation, Parameter, schema_ref
from smki_repository.rest.paging import limit_of, page
from smki_repository.rest.refusals import status_of

API = "/api/v1"
REQUEST_TYPES = ("application/pkcs10", PEM, "application/octet-stream", "text/plain")


def _apply(call: Call) -> Response:
    form = wanted_form(JSON, PEM, DER)
    encoded = call.values["request"].encode() if "request" in call.values else call.encoded
    wanted = _request_in(encoded)
    application = Application(
        kind=call.get("kind") or detect_request_profile(read_request(wanted)).kind,
        request=wanted,
        device_type=call.get("deviceType"),
        model=call.get("model") or "",
        under_test=bool(call.get("underTest")),
        statement=bool(call.get("statement")),
        issuer=call.get("issuer") or "",
        top_up=bool(call.get("topUp")),
    )
    outcome = call.smki.registration.execute(Apply(application), call.actor(str(call.get("onBehalfOf") or "")))
    if not isinstance(outcome, Issued):
        where = _application_url(outcome.application_id)
        return problem_details(outcome.problems, status_of(Refused(*outcome.problems)), application=where)
    record = outcome.record
    response = Response(_issued(call, outcome, form), 201, mimetype=form)
    response.headers["Location"] = f"{request.script_root}{API}/certificates/{record.serial_number}"
    response.headers["Cache-Control"] = "no-store"
    return response


def _issued(call: Call, issued: Issued, form: str) -> bytes | str:
    record = issued.record
    if form == DER:
        return record.der
    if form == PEM:
        return record.certificate.as_pem()
    return json.dumps(
        {
            "certificate": _details(call, record),
            "pem": record.certificate.as_pem(),
            "application": _application_url(record.application_id),
            "notes": [note.as_json() for note in issued.notes],
            "remarks": list(issued.remarks),
        }
    )


def _request_in(data: bytes) -> bytes:
    try:
        return single_request(data, "request")
    except Malformed as error:
        raise Refused(*error.problems) from None


def _application_url(number: int) -> str:
    return f"{request.script_root}{API}/applications/{number}"


def _details(call: Call, record: CertificateRecord) -> dict[str, Any]:
    return certificate_details(record, call.smki.clock.now())


def _list(call: Call) -> Response:
    wanted_form(JSON)
    query = ApplicationQuery(
        entity_identifier=call.get("entityIdentifier"),
        kind=call.get("kind"),
        granted=call.get("granted"),
        involved=call.acting.party,
    )
    found = call.smki.ledger.search.applications(query, call.get("after"), limit_of(call.values))
    return page([application_fields(each, Interface.REST) for each in found.records], found.last)


def _get(call: Call) -> Response:
    wanted_form(JSON)
    number = call.values["number"]
    record = call.smki.ledger.application(number)
    # Whether another Party has an application with this number is not disclosed.
    if record is None or call.acting.party not in (record.application.subscriber, record.application.applied_by):
        raise NotFound(
            Problem(
                code="application.unknown",
                subject=f"application {number}",
                seen=f"not an application of {call.acting.party}",
                expected="one of the Party's own applications",
            )
        )
    return answer_json(application_fields(record, Interface.REST))


def _accept(call: Call) -> Response:
    wanted_form(JSON)
    record = call.smki.registration.execute(Accept(call.values["serial"]), call.actor())
    return _done({"certificate": _details(call, record)})


def _compare(call: Call) -> Response:
    wanted_form(JSON)
    compared = compare(call.smki.ledger, call.values["serial"], call.actor())
    status = compared.record.status_at(call.smki.clock.now())
    return answer_json({**compared.as_json(), "status": status.value}, "no-store")


def _reject(call: Call) -> Response:
    wanted_form(JSON)
    command = Reject(call.values["serial"], call.values["because"])
    rejection = call.smki.registration.execute(command, call.actor())
    differences = [problem.as_json(Interface.REST) for problem in rejection.differences]
    return _done({"certificate": _details(call, rejection.record), "differences": differences})


def _revoke(call: Call) -> Response:
    wanted_form(JSON)
    command = Revoke(serial_number=call.values["serial"], reason=call.values["reason"])
    revoked = call.smki.registration.execute(command, call.actor())
    revocation = {
        "revoked": iso(revoked.revocation.revoked),
        "effective": iso(revoked.revocation.effective),
        "reason": revoked.revocation.reason,
        "askedBy": revoked.revocation.asked_by,
    }
    return _done({"certificate": _details(call, revoked.record), "revocation": revocation})


def _done(value: dict[str, Any]) -> Response:
    response = Response(json.dumps(value), mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    return response


_REQUEST = Parameter(
    "request",
    {"type": "string", "minLength": 1, "maxLength": 32768},
    "The certification request (PKCS#10) in PEM, base64 or hexadecimal.",
    given.free_text("request", "", max_length=32768).read,
    required=True,
)
_OPTIONS = (
    given.SUBSCRIBER_KIND,
    given.device_type(),
    given.party_id("onBehalfOf", "The User on whose behalf a Shared Resource applies."),
    given.free_text("issuer", "Common name of the issuing authority. Default: each in turn.", max_length=64),
    given.model(),
    given.flag("underTest", "Whether a Device that is not in the inventory is added as a Device under test of the subscriber."),
    given.flag("statement", "The officer states that the information is true and accurate, that the subscriber has the rights to "
               "every trade mark in it, and that nothing in it is confidential (SEC L11)."),
)  # fmt: skip
_TOP_UP = given.flag("topUp", "Whether it is a Supplier's key agreement certificate for prepayment top-up.")
_NUMBER = given.whole_number("number", "Number of the application.", given.MAX_NUMBER)
_BECAUSE = given.free_text("because", "Reason for the rejection, for the record.", required=True)
_REASON = Parameter(
    "reason",
    {"type": "string", "enum": list(REASONS)},
    "Reason for the revocation.",
    given.choice("reason", REASONS, "").read,
    required=True,
)
_LEADS_TO = tuple(
    Link(name, {"serial": "/certificate/serialNumber"}) for name in ("getCertificate", "accept", "reject", "revoke")
)
_TAG = "Applications"
_OWN = "Applications of the Party for which the officer acts, as subscriber or as Shared Resource."

OPERATIONS = (
    Operation(
        "POST", "/applications", "apply", _TAG, "Apply for a certificate", _apply,
        Answer("The certificate was issued.", {JSON: schema_ref("Issued"), PEM: {"type": "string"}, DER: {}}, ("Location",),
               _LEADS_TO),
        (*(Parameter(each.name, each.schema, f"{each.description} Only with a body other than JSON.", each.read)
           for each in (*_OPTIONS, _TOP_UP)),),
        (JsonBody((_REQUEST, *_OPTIONS, _TOP_UP)), BytesBody(REQUEST_TYPES)),
        errors=(403, 406, 409, 422), status=201, for_officers=True,
        description="The body is JSON, or the certification request itself with the other parameters in the query. A refusal "
        "names every reason, and the URL of the application in the record.",
    ),
    Operation("GET", "/applications", "listApplications", _TAG, "List one's own applications", _list,
              Answer(f"{_OWN} Latest first.", {JSON: schema_ref("ApplicationPage")}, ("ETag", "Link"),
                     (Link("getApplication", {"number": "/items/0/id"}),)),
              (given.ENTITY, given.KIND, given.flag("granted", "Only granted (true) or refused (false) applications."), given.LIMIT,
               given.AFTER),
              errors=(406,), for_officers=True),
    Operation("GET", "/applications/{number}", "getApplication", _TAG, "Get one of one's own applications", _get,
              Answer("The application, with every reason if it was refused.", {JSON: schema_ref("Application")}, ("ETag",)),
              (_NUMBER,), errors=(406,), for_officers=True),
    Operation("GET", "/certificates/{serial}/comparison", "compareWithRequest", _TAG,
              "Compare a certificate with its request, before accepting it", _compare,
              Answer("Both, field by field (SEC L11). Nothing is accepted.", {JSON: schema_ref("Comparison")}), (given.SERIAL,),
              errors=(403, 404, 406, 409), for_officers=True),
    Operation("POST", "/certificates/{serial}/accept", "accept", _TAG, "Accept a pending certificate", _accept,
              Answer("The certificate is accepted (SEC L11).", {JSON: schema_ref("Accepted")}), (given.SERIAL,),
              errors=(403, 406, 409), for_officers=True),
    Operation("POST", "/certificates/{serial}/reject", "reject", _TAG, "Reject a certificate", _reject,
              Answer("The certificate is rejected; the response lists its differences from the request (SEC L11).",
                     {JSON: schema_ref("Rejected")}),
              (given.SERIAL,), (JsonBody((_BECAUSE,)),), errors=(403, 406, 409), for_officers=True),
    Operation("POST", "/certificates/{serial}/revoke", "revoke", _TAG, "Revoke a certificate", _revoke,
              Answer("The certificate is revoked (SEC Appendix M).", {JSON: schema_ref("Revoked")}),
              (given.SERIAL,), (JsonBody((_REASON,)),), errors=(403, 406, 409), for_officers=True,
              description="For officers of its subscriber or of the DCC."),
)  # fmt: skip
