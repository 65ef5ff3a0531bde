"""Content negotiation (RFC 9110 12), and responses with validators and cache directives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from flask import Response, request

from smki.problem import Problem, SmkiError

JSON, PEM, DER, CRL, JSONL, CSV = (
    "application/json",
    "application/x-pem-file",
    "application/pkix-cert",
    "application/pkix-crl",
    "application/jsonl",
    "text/csv",
)
SUFFIXES = {"json": JSON, "pem": PEM, "der": DER, "crl": CRL, "jsonl": JSONL, "csv": CSV}

IMMUTABLE = "max-age=31536000, immutable"
"""Cache-Control of what never changes: an encoded certificate, an issued revocation list."""
REVALIDATE = "no-cache"
"""Cache-Control of what can change: caches may store it but must revalidate it each time."""


class NotAcceptableHere(SmkiError):
    """Raised if Accept names none of the available media types: HTTP 406."""


def wanted_form(*offered: str, suffix: str | None = None) -> str:
    """Return the media type of the response: that of the suffix, else the best match for Accept, else the first.

    :param offered: the available media types.
    :param suffix: the suffix of the path, a key of :data:`SUFFIXES`.
    :raises NotAcceptableHere: if Accept matches none of them.
    """
    if suffix is not None:
        return SUFFIXES[suffix]
    accept = request.environ.get("HTTP_ACCEPT", "")
    if accept in ("", "*/*", offered[0]):
        return offered[0]
    best = request.accept_mimetypes.best_match(offered)
    if best is None:
        raise NotAcceptableHere(
            Problem(
                code="answer.not-acceptable",
                subject="Accept",
                seen=accept[:64],
                expected=f"one of {', '.join(offered)}",
            )
        )
    return best


def answer(
    body: bytes | str, media_type: str, cache_control: str = REVALIDATE, *, negotiated: bool = False
) -> Response:
    """Return HTTP 200 with a strong ETag computed from the body, or 304 if the client already has that body."""
    encoded = body.encode() if isinstance(body, str) else body
    etag = etag_of(encoded)
    # Passed as a list, because setting headers one by one takes as long as reading the certificate.
    headers = [("ETag", etag), ("Cache-Control", _scoped(cache_control))]
    if negotiated:
        headers.append(("Vary", "Accept"))
    known = request.environ.get("HTTP_IF_NONE_MATCH")
    if known is not None and (known == etag or request.if_none_match.contains_weak(etag[1:-1])):
        response = Response(status=304, headers=headers)
        del response.headers["Content-Type"]
        return response
    headers += (("Content-Type", media_type), ("Content-Length", str(len(encoded))))
    return Response(encoded, headers=headers)


def answer_json(value: Any, cache_control: str = REVALIDATE, *, negotiated: bool = False) -> Response:
    """Return a value as JSON; see :func:`answer`."""
    return answer(encoded_json(value), JSON, cache_control, negotiated=negotiated)


def encoded_json(value: Any) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value).encode()


def etag_of(body: bytes) -> str:
    """Return the strong validator of a body (RFC 9110 8.8.3)."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def stream(pieces: Iterator[str], media_type: str, *, negotiated: bool = False) -> Response:
    """Return HTTP 200 with a text of any length that is generated while it is sent, without an ETag."""
    response = Response(pieces, mimetype=media_type)
    response.headers["Cache-Control"] = "no-store"
    if negotiated:
        response.headers["Vary"] = "Accept"
    return response


def _scoped(cache_control: str) -> str:
    if cache_control == "no-store":
        return cache_control
    # A response to a request with a credential must not be shared with others (RFC 9111 3.5).
    environ = request.environ
    is_guarded = "HTTP_AUTHORIZATION" in environ or "HTTP_X_API_KEY" in environ or "apikey" in environ["QUERY_STRING"]
    return f"private, {cache_control}" if is_guarded else f"public, {cache_control}"
