"""The XML web service that the DCC's published client uses: certificate search and retrieval.

The response is HTTP 200 with a result, 401 for an invalid request, or 402 if nothing was found, as that client expects.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, g, request

from smki.clock import iso, to_seconds
from smki.home.lookup import with_serial_number
from smki.home.smki import Smki
from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger import CertificateQuery, CertificateRecord
from smki.problem import Malformed, Problem, SmkiError, problem_text
from smki.remedies import Interface
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole
from smki_repository.xml_message import Content, parse_message, write_message

XML_SERVICES = "/services/"
SEARCH = f"{XML_SERVICES}certificatesearch"
RETRIEVE = f"{XML_SERVICES}retrievecertificate"
_ROOTS = {
    SEARCH: ("CertificateSearchRequest", "CertificateSearchResponse"),
    RETRIEVE: ("CertificateDataRequest", "CertificateDataResponse"),
}
_RETRIEVE_FIELDS = {"CertificateSerial": True}
_SEARCH_FIELDS = {
    "CertificateSubjectName": True,
    "CertificateSubjectAltName": True,
    # Assumption: the published client does not use these filters, but other clients may.
    "CertificateRole": False,
    "CertificateUsage": False,
    "CertificateStatus": False,
}

OK, INVALID, NOT_FOUND = 200, 401, 402

XML = "application/xml"

MANUFACTURING_FLAG = "false"
"""Assumption: it is not published for which certificates the flag is true."""

MAX_RECORDED = 100
"""Maximum number of serial numbers recorded in the audit trail for one response."""

STATUS_SINCE = "X-SMKI-Status-Since"
"""Response header with the time (UTC) since which the certificate has had its status; the XML has no element for it."""

ISSUED_HERE = "X-SMKI-Issued-Here"
"""Response header that is ``false`` for an imported certificate."""

_END_ENTITIES = (CertificateKind.ORGANISATION, CertificateKind.DEVICE)


def certificate_service(smki: Smki) -> Blueprint:
    """Create the blueprint of the search and retrieval services."""
    blueprint = Blueprint("certificate_service", __name__)

    @blueprint.post(SEARCH)
    def search() -> Response:
        query = _search_query(smki)
        records = [
            *smki.ledger.certificates(query),
            *(found.record for found in smki.ledger.imports.certificates(query)),
        ]
        if not records:
            return _answer(smki, NOT_FOUND, "Nothing found")
        now = smki.clock.now()
        results: list[tuple[str, Content]] = [("Result", _result(record, record.status_at(now))) for record in records]
        return _answer(smki, OK, "Success", results, records)

    @blueprint.post(RETRIEVE)
    def retrieve() -> Response:
        g.asked = asked = parse_message(request.get_data(), _ROOTS[RETRIEVE][0], _RETRIEVE_FIELDS)
        found = _retrieved(smki, asked, request.remote_addr)
        if found is None:
            return _answer(smki, NOT_FOUND, "Nothing found")
        body, headers = found
        return Response(body, OK, headers, mimetype=XML)

    @blueprint.errorhandler(Malformed)
    def malformed(error: Malformed) -> Response:
        return invalid_request(smki, error.problems[0])

    @blueprint.errorhandler(SmkiError)
    def unavailable(error: SmkiError) -> Response:
        return _answer(smki, 503, problem_text(error.problems[0], Interface.REST))

    return blueprint


def retrieval(smki: Smki, request_body: bytes, client: str | None) -> tuple[bytes, list[tuple[str, str]]] | None:
    """Return the body of the response to a retrieval and its own headers; None if there is no such certificate.

    :param client: the client's IP address, for the audit trail.
    :raises Malformed: if the request is invalid.
    """
    return _retrieved(smki, parse_message(request_body, _ROOTS[RETRIEVE][0], _RETRIEVE_FIELDS), client)


def _retrieved(smki: Smki, asked: dict[str, str], client: str | None) -> tuple[bytes, list[tuple[str, str]]] | None:
    if "CertificateSerial" not in asked:
        raise Malformed(_missing("CertificateSerial"))
    record = with_serial_number(smki.ledger, SerialNumber.parse(asked["CertificateSerial"]))
    if record is None or record.kind not in _END_ENTITIES or record.entity_identifier is None:
        return None
    now = smki.clock.now()
    content: list[tuple[str, Content]] = [("CertificateResponse", _body(record, record.status_at(now)))]
    headers = [(STATUS_SINCE, iso(record.status_since_at(now)))]
    if not record.issued_here:
        headers.append((ISSUED_HERE, "false"))
    return _message(smki, now, RETRIEVE, asked, client, OK, "Success", content, [record]), headers


def invalid_request(smki: Smki, problem: Problem) -> Response:
    """Return the response to an invalid request (HTTP 401), with the reason as its ResponseMessage."""
    return _answer(smki, INVALID, problem_text(problem, Interface.REST), code=problem.code)


def answer_without_result(smki: Smki, status: int, message: str) -> Response:
    """Return a response of one of the two services without a result.

    :raises KeyError: if the path of the request belongs to neither service.
    """
    return _answer(smki, status, message)


def _answer(
    smki: Smki,
    status: int,
    message: str,
    content: Sequence[tuple[str, Content]] = (),
    records: Sequence[CertificateRecord] = (),
    code: str = "",
) -> Response:
    """Record the request and its response in the audit trail, and return the response."""
    now, path, asked = smki.clock.now(), request.path, g.get("asked", {})
    body = _message(smki, now, path, asked, request.remote_addr, status, message, content, records, code)
    return Response(body, status, mimetype=XML)


def _message(
    smki: Smki,
    now: datetime,
    path: str,
    asked: dict[str, str],
    client: str | None,
    status: int,
    message: str,
    content: Sequence[tuple[str, Content]],
    records: Sequence[CertificateRecord],
    code: str = "",
) -> bytes:
    """Record a request and its response in the audit trail, and return the response's body."""
    entry: dict[str, Any] = {"service": path, "from": client, "asked": asked, "answer": status}
    if code:
        entry["code"] = code
    entry["certificates"] = [record.serial_number.hex for record in records[:MAX_RECORDED]]
    try:
        reference = smki.audit_trail.record(now, entry)
    except OSError:
        # Reading changes nothing that must be recorded, so it continues to work if, say, the disk is full.
        reference = f"{to_seconds(now):010d}-{'0' * 9}"
    head: list[tuple[str, Content]] = [
        ("ResponseCode", str(status)),
        ("ResponseMessage", message),
        ("AuditReference", reference),
    ]
    return write_message(_ROOTS[path][1], [*head, *content])


def _search_query(smki: Smki) -> CertificateQuery:
    fields = g.asked = parse_message(request.get_data(), _ROOTS[SEARCH][0], _SEARCH_FIELDS)
    names = [name for name in ("CertificateSubjectName", "CertificateSubjectAltName") if name in fields]
    if len(names) != 1:
        seen = "both" if names else "neither"
        raise Malformed(
            Problem(
                code="search.subject",
                subject="request body",
                seen=seen,
                expected="CertificateSubjectName or CertificateSubjectAltName",
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
            Problem(
                code="role.unknown",
                subject="CertificateRole",
                seen=f"{text[:64]!r}",
                expected="a role code in decimal",
                remedy=f"Use a Remote Party Role Code, for instance {RemotePartyRole.SUPPLIER.decimal} for a supplier.",
            )
        )
    return role


def _missing(name: str) -> Problem:
    return Problem(code="xml.element-missing", subject="request body", seen=f"no {name}", expected=f"one {name}")


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
