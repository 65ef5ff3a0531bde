"""Operations to search for and retrieve certificates, including those of authorities."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from flask import Response

from smki.home.lookup import with_serial_number
from smki.identity import SerialNumber
from smki.interchange.description import (
    DETAIL_FIELDS,
    PEM_FIELD,
    SUMMARY_FIELDS,
    certificate_details,
    certificate_fields,
    certificate_summary,
    csv_line,
)
from smki.ledger import CertificateQuery, CertificateRecord, Order, Period
from smki.problem import NotFound, Problem
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import (
    CSV,
    DER,
    IMMUTABLE,
    JSON,
    JSONL,
    PEM,
    REVALIDATE,
    answer,
    answer_json,
    stream,
    wanted_form,
)
from smki_repository.rest.operation import Answer, Call, Link, Operation, schema_ref
from smki_repository.rest.paging import add_link, limit_of, next_link, page

LIST_FORMS = (JSON, JSONL, CSV, PEM)
FORMS = (JSON, PEM, DER)
CHAIN_FORMS = (JSON, PEM)


def _list(call: Call) -> Response:
    form = wanted_form(*LIST_FORMS, suffix=call.get("format"))
    query, order, descending = _query(call), *_order(call)
    after = call.get("after")
    search = call.smki.ledger.search
    if after is not None and not search.holds_certificate(after):
        seen, expected = f"{after}, which is not a position in the list", "the value in the link to the next page"
        raise NotFound(Problem(code="page.unknown", subject="parameter after", seen=seen, expected=expected))
    if form in (JSONL, CSV):
        found = search.all_certificates(query, order, descending=descending, after=after)
        return stream(_lines(call, islice(found, call.get("limit")), form), form, negotiated=_is_negotiated(call))
    found_page = search.certificates(query, order, descending=descending, after=after, limit=limit_of(call.values))
    if form == PEM:
        pem = "".join(record.certificate.as_pem() for record in found_page.records)
        response = answer(pem, PEM, negotiated=_is_negotiated(call))
        add_link(response, next_link(found_page.last))
        return response
    values = [_values(call)(record) for record in found_page.records]
    return page(values, found_page.last, negotiated=_is_negotiated(call))


def _query(call: Call) -> CertificateQuery:
    kind = call.get("kind")
    return CertificateQuery(
        kinds=(kind,) if kind else None,
        entity_identifier=call.get("entityIdentifier"),
        role=call.get("role"),
        usage=call.get("usage"),
        status=call.get("status"),
        moment=call.smki.clock.now(),
        serial_number=call.get("serial"),
        sha256=call.get("sha256"),
        issuer=call.get("issuer"),
        device_type=call.get("deviceType"),
        not_before=_period(call, "notBefore"),
        not_after=_period(call, "notAfter"),
        issued=_period(call, "issued"),
    )


def _period(call: Call, name: str) -> Period:
    return Period(call.get(f"{name}From"), call.get(f"{name}To"))


def _order(call: Call) -> tuple[Order, bool]:
    text: str = call.get("sort") or Order.ISSUED.value
    return Order(text.removeprefix("-")), text.startswith("-")


def _values(call: Call, default: Sequence[str] = SUMMARY_FIELDS) -> Callable[[CertificateRecord], dict[str, Any]]:
    """Return a function that returns the requested fields of a certificate."""
    now, fields = call.smki.clock.now(), call.get("fields") or default
    if fields is SUMMARY_FIELDS:
        return lambda record: certificate_summary(record, now)
    if fields is DETAIL_FIELDS:
        return lambda record: certificate_details(record, now, call.reader)
    return lambda record: certificate_fields(record, now, fields, call.reader)


def _lines(call: Call, records: Iterator[CertificateRecord], form: str) -> Iterator[str]:
    values = _values(call)
    if form == JSONL:
        yield from (json.dumps(values(record)) + "\n" for record in records)
        return
    yield csv_line(call.get("fields") or SUMMARY_FIELDS)
    yield from (csv_line(list(values(record).values())) for record in records)


def _is_negotiated(call: Call) -> bool:
    return call.get("format") is None


def _get(call: Call) -> Response:
    form = wanted_form(*FORMS, suffix=call.get("format"))
    return certificate_answer(call, _ours_or_imported(call), form)


def certificate_answer(call: Call, record: CertificateRecord, form: str) -> Response:
    """Return a certificate in a media type. Its encoding never changes; the JSON fields, such as its status, can."""
    if form == DER:
        return answer(record.der, DER, IMMUTABLE, negotiated=_is_negotiated(call))
    if form == PEM:
        return answer(record.certificate.as_pem(), PEM, IMMUTABLE, negotiated=_is_negotiated(call))
    return answer_json(_values(call, DETAIL_FIELDS)(record), REVALIDATE, negotiated=_is_negotiated(call))


def _chain(call: Call) -> Response:
    form = wanted_form(*CHAIN_FORMS, suffix=call.get("format"))
    record = known(call)
    records = [record, *call.smki.chain(record)]
    if form == PEM:
        pem = "".join(each.certificate.as_pem() for each in records)
        return answer(pem, PEM, IMMUTABLE, negotiated=_is_negotiated(call))
    values = _values(call, DETAIL_FIELDS)
    return answer_json({"items": [values(each) for each in records]}, negotiated=_is_negotiated(call))


def _ours_or_imported(call: Call) -> CertificateRecord:
    """Return the certificate with the serial number in the path, or else the first imported one.

    :raises NotFound: if there is none.
    """
    number: SerialNumber = call.values["serial"]
    record = with_serial_number(call.smki.ledger, number)
    if record is None:
        raise NotFound(_unknown(number, "not in the ledger"))
    return record


def known(call: Call) -> CertificateRecord:
    """Return the certificate issued here with the serial number in the path.

    :raises NotFound: if there is none.
    """
    number: SerialNumber = call.values["serial"]
    record = call.smki.ledger.certificate(number)
    if record is None:
        is_imported = bool(call.smki.ledger.imports.with_serial_number(number))
        raise NotFound(_unknown(number, "imported" if is_imported else "not in the ledger"))
    return record


def _unknown(number: SerialNumber, seen: str) -> Problem:
    return Problem(
        code="certificate.unknown", subject=f"certificate {number}", seen=seen, expected="one that was issued here"
    )


def _authorities(call: Call) -> Response:
    form = wanted_form(*CHAIN_FORMS, suffix=call.get("format"))
    records = call.smki.authorities()
    if form == PEM:
        return answer("".join(each.certificate.as_pem() for each in records), PEM, negotiated=_is_negotiated(call))
    values = _values(call, DETAIL_FIELDS)
    return answer_json({"items": [values(each) for each in records]}, negotiated=_is_negotiated(call))


def _authority(call: Call) -> Response:
    form = wanted_form(*FORMS, suffix=call.get("format"))
    number: SerialNumber = call.values["serial"]
    record = call.smki.ledger.certificate(number)
    if record is None or not record.kind.is_authority:
        raise NotFound(
            Problem(
                code="authority.unknown",
                subject=f"authority {number}",
                seen="none with this serial number",
                expected="one of this SMKI",
                remedy="GET /api/v1/authorities lists them.",
            )
        )
    return certificate_answer(call, record, form)


_ORDERS = [f"{sign}{order.value}" for order in Order for sign in ("", "-")]
_FILTERS = (
    given.serial("serial", "Serial number in hexadecimal."),
    given.SHA256,
    given.ENTITY,
    given.KIND,
    given.role(),
    given.usage(),
    given.STATUS,
    given.serial("issuer", "Serial number of the issuing certificate."),
    given.device_type(),
    *(
        given.moment(f"{name}{end}", f"{text} {bound}.")
        for name, text in (("notBefore", "notBefore is"), ("notAfter", "notAfter is"), ("issued", "Issued"))
        for end, bound in (("From", "at or after this time"), ("To", "at or before this time"))
    ),
)
FIELDS = given.fields((*DETAIL_FIELDS, PEM_FIELD))
_PAGING = (
    given.choice("sort", _ORDERS, "Sort key; a leading - reverses the order. Equal keys are sorted by order of issue."),
    FIELDS,
    given.LIMIT,
    given.AFTER,
)

_LIST_ANSWER = Answer(
    "The matching certificates. JSON Lines and CSV are streamed without pagination, up to the limit if one is given; JSON "
    "and PEM are paginated. A page can have fewer items than the limit, or none; it is the last if it has no link to another.",
    {JSON: schema_ref("CertificatePage"), JSONL: {"type": "string"}, CSV: {"type": "string"}, PEM: {"type": "string"}},
    ("ETag", "Link"),
    tuple(Link(name, {"serial": "/items/0/serialNumber"}) for name in ("getCertificate", "getChain")),
)
_ONE = {JSON: schema_ref("Certificate"), PEM: {"type": "string"}, DER: {}}
ONE_ANSWER = Answer("The certificate.", _ONE, ("ETag",))
_CHAIN_ANSWER = Answer(
    "The certificate followed by those of its issuers, up to the root.",
    {JSON: schema_ref("Certificates"), PEM: {"type": "string"}},
    ("ETag",),
)
_AUTHORITIES_ANSWER = Answer(
    "The authorities in the order of their creation.",
    {JSON: schema_ref("Certificates"), PEM: {"type": "string"}},
    ("ETag",),
    (Link("getAuthority", {"serial": "/items/0/serialNumber"}),),
)


def _operations(
    path: str, name: str, tag: str, summary: str, handle: Callable[[Call], Response], found: Answer, *more: Any,
    suffixes: tuple[str, ...],
) -> tuple[Operation, Operation]:  # fmt: skip
    """Return the operation with content negotiation, and its variant with the format as a suffix of the path."""
    return (
        Operation("GET", path, name, tag, summary, handle, found, more, errors=(406,)),
        Operation("GET", f"{path}.{{format}}", f"{name}As", tag, f"{summary}, format by suffix", handle, found,
                  (given.suffix(*suffixes), *more)),
    )  # fmt: skip


OPERATIONS = (
    *_operations("/certificates", "listCertificates", "Certificates", "Find certificates", _list, _LIST_ANSWER,
                 *_FILTERS, *_PAGING, suffixes=("json", "jsonl", "csv", "pem")),
    *_operations("/certificates/{serial}", "getCertificate", "Certificates", "Get a certificate", _get, ONE_ANSWER,
                 given.SERIAL, FIELDS, suffixes=("json", "pem", "der")),
    *_operations("/certificates/{serial}/chain", "getChain", "Certificates", "Get a certificate with its chain", _chain,
                 _CHAIN_ANSWER, given.SERIAL, FIELDS, suffixes=("json", "pem")),
    *_operations("/authorities", "listAuthorities", "Authorities", "List the certification authorities", _authorities,
                 _AUTHORITIES_ANSWER, FIELDS, suffixes=("json", "pem")),
    *_operations("/authorities/{serial}", "getAuthority", "Authorities", "Get an authority", _authority, ONE_ANSWER,
                 given.SERIAL, FIELDS, suffixes=("json", "pem", "der")),
)  # fmt: skip
