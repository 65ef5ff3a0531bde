"""Revocation lists over HTTP: the current lists, which are never past their nextUpdate, and all earlier ones."""

from __future__ import annotations

from flask import Blueprint, Response, request

from smki.clock import Clock, TravellingClock, to_seconds
from smki.home.smki import Smki
from smki.ledger import ListRecord
from smki.pki.certificate import to_pem
from smki.pki.revocation_list import PEM_LABEL
from smki.problem import NotFound, Problem
from smki.registration.revocation_lists import IssuedLists
from smki.remedies import Interface
from smki.sec.role import CertificateKind

DER_TYPE = "application/pkix-crl"
PEM_TYPE = "application/x-pem-file"
KINDS = {"crl": CertificateKind.ISSUING_OCA, "arl": CertificateKind.ROOT_OCA}


def revocation_lists(smki: Smki) -> Blueprint:
    """Create the blueprint that serves revocation lists.

    Of the newest authority: ``/crl/organisation.crl`` and ``.arl`` are the current lists, ``/crl/organisation/NUMBER.crl``
    is an earlier one. Of any other authority, by its common name: ``/crl/organisation/T1.crl`` and
    ``/crl/organisation/T1/NUMBER.crl``. Each is DER, or PEM with ``.pem`` appended.
    """
    blueprint = Blueprint("revocation_lists", __name__)

    @blueprint.get("/crl/organisation.<string:kind>")
    @blueprint.get("/crl/organisation.<string:kind>.pem")
    @blueprint.get("/crl/organisation/<string:issuer>.<string:kind>")
    @blueprint.get("/crl/organisation/<string:issuer>.<string:kind>.pem")
    def current(kind: str, issuer: str = "") -> Response:
        lists = smki.lists(_kind(kind), issuer, interface="http")
        record = current_list_of(lists, smki.clock)
        if record is None:
            return missing_list()
        if is_travelling(smki.clock):
            return answer_list(record, "no-store")
        left = max(0, to_seconds(record.next_update) - to_seconds(smki.clock.now()))
        # Caches may keep the list briefly, never past nextUpdate. A revocation has to become visible within an hour.
        return answer_list(record, f"public, max-age={min(left, MAX_AGE_SECONDS)}, must-revalidate")

    @blueprint.get("/crl/organisation/<int:number>.<string:kind>")
    @blueprint.get("/crl/organisation/<int:number>.<string:kind>.pem")
    @blueprint.get("/crl/organisation/<string:issuer>/<int:number>.<string:kind>")
    @blueprint.get("/crl/organisation/<string:issuer>/<int:number>.<string:kind>.pem")
    def past(number: int, kind: str, issuer: str = "") -> Response:
        record = smki.lists(_kind(kind), issuer).numbered(number)
        return missing_list() if record is None else answer_list(record, "public, max-age=31536000, immutable")

    @blueprint.errorhandler(NotFound)
    def unknown(error: NotFound) -> Response:
        return Response(f"{error.text(Interface.REST)}\n", 404, mimetype="text/plain")

    return blueprint


MAX_AGE_SECONDS = 300
"""Maximum number of seconds for which caches may keep a current list."""


def is_travelling(clock: Clock) -> bool:
    """Return whether the request is answered as of another time."""
    return isinstance(clock, TravellingClock) and clock.is_travelling


def current_list_of(lists: IssuedLists, clock: Clock) -> ListRecord | None:
    """Return the list to serve: a current one, which is issued if necessary.

    For a request as of another time nothing is issued, so that the list may be overdue; None before the first.
    """
    return lists.as_of(clock.now()) if is_travelling(clock) else lists.current()


def _kind(suffix: str) -> CertificateKind:
    """Return the kind of authority whose lists have a suffix.

    :raises NotFound: if there is none.
    """
    if suffix not in KINDS:
        raise NotFound(
            Problem(
                code="list.unknown",
                subject=f".{suffix[:16]}",
                seen="not a kind of list",
                expected=".crl or .arl",
                clause="RFC 2585 4.2",
            )
        )
    return KINDS[suffix]


def answer_list(record: ListRecord, cache_control: str) -> Response:
    """Return a list as DER, or as PEM if the path ends in ``.pem``; return 304 if the client already has it.

    The only validator is the ETag, which contains the number. There is no Last-Modified, and If-Modified-Since has no
    effect: two lists can have the same thisUpdate, and a newer one an earlier thisUpdate, if the clock was set.
    """
    as_pem = request.path.endswith(".pem")
    body = to_pem(PEM_LABEL, record.der).encode() if as_pem else record.der
    response = Response(body, mimetype=PEM_TYPE if as_pem else DER_TYPE)
    response.set_etag(f"{record.issuer.hex}-{record.number}{'-pem' if as_pem else ''}")
    response.headers["Cache-Control"] = cache_control
    response.make_conditional(request)
    return response


def missing_list() -> Response:
    """Return the response if there is no such list: HTTP 404."""
    return Response("no such revocation list; see / for the available services\n", 404, mimetype="text/plain")
