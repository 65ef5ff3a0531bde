"""The Repository's web service, as spoken by the DCC's published client: search, then retrieve.

Answers with HTTP 200 and a result, with 401 for a search that makes no sense, with 402 when nothing was
found: that is what its client expects.
"""

from __future__ import annotations

import base64
import secrets

from flask import Blueprint, Response, request

from repository.xml_message import Content, parse_message, write_message
from smki.clock import iso, to_seconds
from smki.home import Smki
from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger import CertificateQuery, CertificateRecord
from smki.problem import Malformed, Problem, SmkiError, problem_text
from smki.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

XML_SERVICES = "/services/"
SEARCH = f"{XML_SERVICES}certificatesearch"
RETRIEVE = f"{XML_SERVICES}retrievecertificate"
_ROOTS = {
    SEARCH: ("CertificateSearchRequest", "CertificateSearchResponse"),
    RETRIEVE: ("CertificateDataRequest", "CertificateDataResponse"),
}
_SEARCH_FIELDS = {
    "CertificateSubjectName": True,
    "CertificateSubjectAltName": True,
    # Assumption: the published client does not narrow its searches, others may.
    "CertificateRole": False,
    "CertificateUsage": False,
    "CertificateStatus": False,
}

OK, INVALID, NOT_FOUND = 200, 401, 402

MANUFACTURING_FLAG = "false"
"""Assumption: what the flag is true for is not published."""

STATUS_SINCE = "X-SMKI-Status-Since"
"""The header that tells since when a certificate has had its status (UTC): the XML has no element for that."""

ISSUED_HERE = "X-SMKI-Issued-Here"
"""The header, ``false``, of a certificate that was imported."""

_END_ENTITIES = (CertificateKind.ORGANISATION, CertificateKind.DEVICE)


def certificate_service(smki: Smki) -> Blueprint:
    """The two services over an open SMKI."""
    blueprint = Blueprint("certificate_service", __name__)

    def answer(status: int, message: str, content: list[tuple[str, Content]]) -> Response:
        return _answer(request.path, status, message, content, to_seconds(smki.clock.now()))

    @blueprint.post(SEARCH)
    def search() -> Response:
        query = _search_query(smki, request.get_data())
        records = [
            *smki.ledger.certificates(query),
            *(found.record for found in smki.ledger.imports.certificates(query)),
        ]
        if not records:
            return answer(NOT_FOUND, "Nothing found", [])
        now = smki.clock.now()
        results: list[tuple[str, Content]] = [("Result", _result(record, record.status_at(now))) for record in records]
        return answer(OK, "Success", results)

    @blueprint.post(RETRIEVE)
    def retrieve() -> Response:
        fields = parse_message(request.get_data(), _ROOTS[RETRIEVE][0], {"CertificateSerial": True})
        if "CertificateSerial" not in fields:
            raise Malformed(_missing("CertificateSerial"))
        record = _with_serial_number(smki, SerialNumber.parse(fields["CertificateSerial"]))
        if record is None or record.kind not in _END_ENTITIES or record.entity_identifier is None:
            return answer(NOT_FOUND, "Nothing found", [])
        now = smki.clock.now()
        response = answer(OK, "Success", [("CertificateResponse", _body(record, record.status_at(now)))])
        response.headers[STATUS_SINCE] = iso(record.status_since_at(now))
        if not record.issued_here:
            response.headers[ISSUED_HERE] = "false"
        return response

    @blueprint.errorhandler(Malformed)
    def malformed(error: Malformed) -> Response:
        return invalid_request(request.path, error.problems[0])

    @blueprint.errorhandler(SmkiError)
    def unavailable(error: SmkiError) -> Response:
        return _answer(request.path, 503, problem_text(error.problems[0]), [], 0)

    return blueprint


def _with_serial_number(smki: Smki, serial_number: SerialNumber) -> CertificateRecord | None:
    """Ours, or else the first imported one: certificates of other issuers can have the same serial number."""
    ours = smki.ledger.certificate(serial_number)
    if ours is not None:
        return ours
    return next((found.record for found in smki.ledger.imports.with_serial_number(serial_number)), None)


def invalid_request(path: str, problem: Problem) -> Response:
    """The answer (HTTP 401) to a request that makes no sense; the reason is its ResponseMessage."""
    return _answer(path, INVALID, problem_text(problem), [], 0)


def _answer(path: str, status: int, message: str, content: list[tuple[str, Content]], seconds: int) -> Response:
    root = _ROOTS[path][1]
    reference = f"{seconds:010d}-{secrets.token_hex(5)[:9]}"
    head: list[tuple[str, Content]] = [
        ("ResponseCode", str(status)),
        ("ResponseMessage", message),
        ("AuditReference", reference),
    ]
    return Response(write_message(root, head + content), status, mimetype="application/xml")


def _search_query(smki: Smki, body: bytes) -> CertificateQuery:
    fields = parse_message(body, _ROOTS[SEARCH][0], _SEARCH_FIELDS)
    names = [name for name in ("CertificateSubjectName", "CertificateSubjectAltName") if name in fields]
    if len(names) != 1:
        seen = "both" if names else "neither"
        raise Malformed(
            Problem(
                "search.subject",
                "request body",
                seen,
                "CertificateSubjectName or CertificateSubjectAltName",
                "SEC Appendix P",
                "Name an Organisation by the one or a Device by the other.",
            )
        )
    is_organisation = names[0] == "CertificateSubjectName"
    role, usage, status = (fields.get(f"Certificate{name}") or None for name in ("Role", "Usage", "Status"))
    return CertificateQuery(
        kinds=(CertificateKind.ORGANISATION if is_organisation else CertificateKind.DEVICE,),
        entity_identifier=EntityIdentifier.parse(fields[names[0]]),
        role=_role(role) if role else None,
        usage=KeyUsage.parse(usage) if usage else None,
        status=CertificateStatus.parse(status) if status else None,
        moment=smki.clock.now(),
    )


def _role(text: str) -> RemotePartyRole:
    role = RemotePartyRole.of_decimal(int(text)) if text.isascii() and text.isdigit() and len(text) < 4 else None
    if role is None:
        raise Malformed(
            Problem("role.unknown", "CertificateRole", f"{text[:64]!r}", "a role code in decimal", "GBCS 12")
        )
    return role


def _missing(name: str) -> Problem:
    return Problem("xml.element-missing", "request body", f"no {name}", f"one {name}", "SEC Appendix P")


def _subject(record: CertificateRecord) -> tuple[str, Content]:
    is_organisation = record.kind is CertificateKind.ORGANISATION
    name = "CertificateSubjectName" if is_organisation else "CertificateSubjectAltName"
    return name, str(record.entity_identifier)


def _result(record: CertificateRecord, status: CertificateStatus) -> Content:
    return [
        ("CertificateSerial", record.serial_number.hex),
        _subject(record),
        ("CertificateStatus", status.value),
        *_role_element(record),
        ("CertificateUsage", record.usage.code if record.usage else ""),
        ("ManufacturingFlag", MANUFACTURING_FLAG),
    ]


def _body(record: CertificateRecord, status: CertificateStatus) -> Content:
    return [
        _subject(record),
        ("CertificateSerial", record.serial_number.hex),
        ("CertificateStatus", status.value),
        ("CertificateBody", base64.b64encode(record.der).decode("ascii")),
        *_role_element(record),
        ("CertificateUsage", record.usage.code if record.usage else ""),
        ("ManufacturingFlag", MANUFACTURING_FLAG),
    ]


def _role_element(record: CertificateRecord) -> list[tuple[str, Content]]:
    return [("CertificateRole", str(record.role.decimal))] if record.role else []
