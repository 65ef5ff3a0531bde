"""Operations to list and retrieve revocation lists and their entries."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from flask import Response

from smki.clock import iso
from smki.ledger import ListRecord
from smki.ledger.damage import read_stored
from smki.pki.certificate import to_pem
from smki.pki.revocation_entry import RevokedEntry
from smki.pki.revocation_list import PEM_LABEL, RevocationList
from smki.problem import NotFound, Problem
from smki.sec.role import CertificateKind
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import CRL, IMMUTABLE, JSON, PEM, answer, answer_json, wanted_form
from smki_repository.rest.operation import Answer, Call, Link, Operation, schema_ref
from smki_repository.rest.paging import limit_of, page

KINDS = {CertificateKind.ISSUING_OCA: "crl", CertificateKind.ROOT_OCA: "arl"}
FORMS = (JSON, CRL, PEM)


def _issuers(call: Call) -> dict[str, str]:
    """Return the kind of list (crl or arl) that each authority issues, by the authority's serial number."""
    return {record.serial_number.hex: KINDS[record.kind] for record in call.smki.authorities() if record.kind in KINDS}


def describe(record: ListRecord, kind: str) -> dict[str, Any]:
    """Return the JSON fields of a revocation list; *kind* is crl or arl."""
    return {
        "issuerSerialNumber": record.issuer.hex,
        "number": record.number,
        "kind": kind,
        "thisUpdate": iso(record.this_update),
        "nextUpdate": iso(record.next_update),
        "entries": record.entries,
    }


def _all(call: Call) -> Iterator[dict[str, Any]]:
    for authority in call.smki.authorities():
        kind = KINDS.get(authority.kind)
        issuer = call.get("issuer")
        if kind is None or issuer not in (None, authority.serial_number) or call.get("kind") not in (None, kind):
            continue
        yield from (describe(record, kind) for record in call.smki.ledger.revocations.lists(authority.serial_number))


def _list(call: Call) -> Response:
    wanted_form(JSON)
    begin, limit = call.get("after") or 0, limit_of(call.values)
    found = list(islice(_all(call), begin, begin + limit + 1))
    return page(found[:limit], begin + limit if len(found) > limit else None)


def _known(call: Call) -> tuple[ListRecord, str]:
    issuer, number = call.values["serial"], call.values["number"]
    kind = _issuers(call).get(issuer.hex)
    record = call.smki.ledger.revocations.numbered(issuer, number) if kind else None
    if record is None or kind is None:
        raise NotFound(
            Problem(
                code="revocation-list.unknown",
                subject=f"revocation list {number} of {issuer}",
                seen="not in the ledger",
                expected="one that was issued here",
            )
        )
    return record, kind


def _get(call: Call) -> Response:
    form = wanted_form(*FORMS, suffix=call.get("format"))
    record, kind = _known(call)
    negotiated = call.get("format") is None
    if form == CRL:
        return answer(record.der, CRL, IMMUTABLE, negotiated=negotiated)
    if form == PEM:
        return answer(to_pem(PEM_LABEL, record.der), PEM, IMMUTABLE, negotiated=negotiated)
    return answer_json(describe(record, kind), IMMUTABLE, negotiated=negotiated)


@lru_cache(maxsize=4)
def _entries_of(der: bytes, number: int) -> list[RevokedEntry]:
    # Parsing a list of 100,000 entries takes a second, and a client that pages through it requests it many times.
    return list(read_stored("revocation_list", number, der, RevocationList.from_der).entries())


def _entries(call: Call) -> Response:
    wanted_form(JSON)
    begin, limit = call.get("after") or 0, limit_of(call.values)
    record = _known(call)[0]
    entries = _entries_of(record.der, record.number)
    items = [
        {
            "serialNumber": entry.serial_number.hex,
            "revoked": iso(entry.revoked_at),
            "reason": entry.reason.label if entry.reason is not None else None,
        }
        for entry in entries[begin : begin + limit]
    ]
    return page(items, begin + limit if begin + limit < len(entries) else None)


_NUMBER = given.whole_number("number", "cRLNumber.", given.MAX_NUMBER)
_ISSUER = given.serial("serial", "Serial number of the issuing authority's certificate.")
_ONE = Answer("The list.", {JSON: schema_ref("RevocationList"), CRL: {}, PEM: {"type": "string"}}, ("ETag",))
_LEADS_TO = tuple(
    Link(name, {"serial": "/items/0/issuerSerialNumber", "number": "/items/0/number"})
    for name in ("getRevocationList", "listRevocationEntries")
)
_SUMMARY = "Get a revocation list"

OPERATIONS = (
    Operation(
        "GET", "/revocation-lists", "listRevocationLists", "Revocation lists", "List all issued revocation lists", _list,
        Answer("Sorted by issuer, then by number.", {JSON: schema_ref("RevocationListPage")}, ("ETag", "Link"), _LEADS_TO),
        (given.serial("issuer", "Serial number of the issuing authority's certificate."),
         given.choice("kind", KINDS.values(), "Organisation CRL or Organisation ARL."), given.LIMIT, given.AFTER),
        errors=(406,),
    ),
    Operation("GET", "/revocation-lists/{serial}/{number}", "getRevocationList", "Revocation lists", _SUMMARY, _get, _ONE,
              (_ISSUER, _NUMBER), errors=(406,)),
    Operation("GET", "/revocation-lists/{serial}/{number}.{format}", "getRevocationListAs", "Revocation lists",
              f"{_SUMMARY}, format by suffix", _get, _ONE, (_ISSUER, _NUMBER, given.suffix("json", "crl", "pem"))),
    Operation(
        "GET", "/revocation-lists/{serial}/{number}/entries", "listRevocationEntries", "Revocation lists",
        "List the entries of a revocation list", _entries,
        Answer("The entries in the order of the list.", {JSON: schema_ref("RevocationEntryPage")}, ("ETag", "Link")),
        (_ISSUER, _NUMBER, given.LIMIT, given.AFTER), errors=(406,),
    ),
)  # fmt: skip
