"""Errors over HTTP as problem details (RFC 9457), with the same codes as in the other interfaces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Response

from smki.problem import Problem, problem_text
from smki.remedies import Interface

MEDIA_TYPE = "application/problem+json"


def problem_details(problems: Sequence[Problem], status: int, title: str = "", **extension: Any) -> Response:
    """Return a problem details response. Its type, title and detail are those of the first problem.

    :param problems: all problems in order of importance; they become the member ``problems``.
    :param status: the HTTP status.
    :param title: a short summary; derived from the code of the first problem by default.
    :param extension: additional members.
    """
    first = problems[0]
    body = {
        "type": f"urn:smki:problem:{first.code}",
        # The title does not vary between occurrences of a problem (RFC 9457 3.1.3).
        "title": title or first.code.replace(".", ": ").replace("-", " ").capitalize(),
        "status": status,
        "detail": problem_text(first, Interface.REST),
        "problems": [problem.as_json(Interface.REST) for problem in problems],
        **extension,
    }
    response = Response(json.dumps(body), status, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response
