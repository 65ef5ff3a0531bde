"""The forms of an answer: which one is wanted (RFC 9110 12), and how each is sent so that caches can hold it."""

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
"""For what can never change: a certificate's bytes, a list that was issued."""
REVALIDATE = "no-cache"
"""For what can change: caches may keep it, but ask each time."""


class NotAcceptableHere(SmkiError):
    """None of the forms that there are is one that was asked for: HTTP 406."""


def wanted_form(*offered: str, suffix: str | None = None) -> str:
    """The media type of the answer: that of the suffix, else the best of those that Accept names, else the first.

    :raises NotAcceptableHere: when Accept names none of them.
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
    """HTTP 200 with a strong validator over the bytes of the body, or 304 where the asker has them already."""
    encoded = body.encode() if isinstance(body, str) else body
    etag = f'"{hashlib.blake2b(encoded, digest_size=12).hexdigest()}"'
    # Given as a list: setting them one by one takes as long as reading the certificate does.
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
    """The same with JSON."""
    return answer(json.dumps(value), JSON, cache_control, negotiated=negotiated)


def stream(pieces: Iterator[str], media_type: str, *, negotiated: bool = False) -> Response:
    """HTTP 200 with text that is made while it is sent, so that it can be as long as it likes; without a validator."""
    response = Response(pieces, mimetype=media_type)
    response.headers["Cache-Control"] = "no-store"
    if negotiated:
        response.headers["Vary"] = "Accept"
    return response


def _scoped(cache_control: str) -> str:
    if cache_control == "no-store":
        return cache_control
    # What was given to somebody because of a credential is not for others (RFC 9111 3.5).
    environ = request.environ
    is_guarded = "HTTP_AUTHORIZATION" in environ or "HTTP_X_API_KEY" in environ or "apikey" in environ["QUERY_STRING"]
    return f"private, {cache_control}" if is_guarded else f"public, {cache_control}"
