"""Look-ups of one certificate: answered before Flask, whose own work takes longer than the look-up.

Only the ordinary cases are answered here, and as Flask would answer them: a certificate by its serial number, in JSON or DER
over REST or by the XML service, that exists. Every other request is passed on, among them those that are refused.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from smki.home.lookup import with_serial_number
from smki.home.smki import Smki
from smki.identity import SerialNumber
from smki.interchange.description import certificate_details
from smki.ledger import CertificateRecord
from smki.pki.template import CertificateReader
from smki.problem import SmkiError
from smki_repository.certificate_service import RETRIEVE, XML, retrieval
from smki_repository.metrics import count
from smki_repository.rest.negotiation import DER, IMMUTABLE, JSON, REVALIDATE, encoded_json, etag_of
from smki_repository.time_travel import is_real

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CERTIFICATE = re.compile(r"/api/v1/certificates/(?P<serial>[0-9A-Fa-f]{1,40})(?P<suffix>\.der|\.json)?\Z")
_ROUTE = "/api/v1/certificates/<serial>"
_NOT_ORDINARY = ("HTTP_IF_NONE_MATCH", "HTTP_AUTHORIZATION", "HTTP_X_API_KEY")
"""Headers that change the response to a GET request."""
_ANY_FORM = ("", "*/*", JSON)

Found = tuple[str, list[tuple[str, str]], bytes]
"""A response with HTTP 200: the route that is counted, the headers and the body."""


class LookUps:
    """WSGI middleware that answers look-ups.

    Not for a Repository that needs credentials for reading, injects faults or logs requests.

    :param application: answers everything else.
    :param is_allowed: whether requests with a Host header are answered.
    :param max_body_bytes: maximum size of a request body.
    """

    def __init__(
        self, application: WSGIApplication, smki: Smki, is_allowed: Callable[[str | None], bool], max_body_bytes: int
    ) -> None:
        self._application = application
        self._smki = smki
        self._is_allowed = is_allowed
        self._max_body_bytes = max_body_bytes
        self._reader = CertificateReader()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or pass it on."""
        began = time.perf_counter()
        method = environ["REQUEST_METHOD"]
        found: Found | None = None
        if self._is_allowed(environ.get("HTTP_HOST")) and is_real(self._smki.clock):
            try:
                if method == "GET":
                    found = self._get(environ)
                elif method == "POST" and environ["PATH_INFO"] == RETRIEVE:
                    found = self._retrieve(environ)
            except (SmkiError, OSError):
                found = None  # refused by the application, in the format of the service
        if found is None:
            return self._application(environ, start_response)
        route, headers, body = found
        headers.append(("Content-Length", str(len(body))))
        start_response("200 OK", headers)
        count(method, route, 200, time.perf_counter() - began)
        return [body]

    def _get(self, environ: WSGIEnvironment) -> Found | None:
        matched = _CERTIFICATE.match(environ["PATH_INFO"])
        if matched is None or environ["QUERY_STRING"] or any(name in environ for name in _NOT_ORDINARY):
            return None
        suffix = matched["suffix"]
        if suffix is None and environ.get("HTTP_ACCEPT", "") not in _ANY_FORM:
            return None
        record = self._record(matched["serial"])
        if record is None:
            return None
        if suffix == ".der":
            body, media_type, cache_control = record.der, DER, IMMUTABLE
        else:
            values = certificate_details(record, self._smki.clock.now(), self._reader)
            body, media_type, cache_control = encoded_json(values), JSON, REVALIDATE
        headers = [("ETag", etag_of(body)), ("Cache-Control", f"public, {cache_control}"), ("Content-Type", media_type)]
        if suffix is None:
            headers.append(("Vary", "Accept"))
        return (_ROUTE if suffix is None else f"{_ROUTE}.<format>"), headers, body

    def _retrieve(self, environ: WSGIEnvironment) -> Found | None:
        stream = environ["wsgi.input"]
        if "HTTP_ORIGIN" in environ or not isinstance(stream, io.BytesIO):
            return None
        request = stream.getvalue()
        if len(request) > self._max_body_bytes or environ.get("CONTENT_LENGTH") != str(len(request)):
            return None
        retrieved = retrieval(self._smki, request, environ.get("REMOTE_ADDR"))
        if retrieved is None:
            return None
        body, headers = retrieved
        return RETRIEVE, [("Content-Type", f"{XML}; charset=utf-8"), *headers], body

    def _record(self, serial: str) -> CertificateRecord | None:
        return with_serial_number(self._smki.ledger, SerialNumber.parse(serial))
