"""Pagination: each page has a link to the next, in its body and in the Link header (RFC 8288)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from smki_repository.rest.negotiation import answer_json
from smki_repository.rest.parameters import DEFAULT_LIMIT


def limit_of(values: dict[str, Any]) -> int:
    """Return the maximum number of items of the requested page."""
    limit: int = values.get("limit", DEFAULT_LIMIT)
    return limit


def page(items: Sequence[Any], after: object | None, *, negotiated: bool = False) -> Response:
    """Return a page as JSON.

    :param after: the cursor of the next page; None if this is the last.
    """
    body: dict[str, Any] = {"items": items}
    following = next_link(after)
    if following is not None:
        body["next"] = following
    response = answer_json(body, negotiated=negotiated)
    add_link(response, following)
    return response


def next_link(after: object | None) -> str | None:
    """Return path and query of the next page, without an API key; None if there is no next page."""
    if after is None:
        return None
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in ("after", "apikey")]
    return f"{request.script_root}{request.path}?{urlencode([*kept, ('after', str(after))])}"


def add_link(response: Response, following: str | None) -> None:
    """Add the Link header to a page that is not the last."""
    if following is not None:
        response.headers["Link"] = f'<{following}>; rel="next"'
