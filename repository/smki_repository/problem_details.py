"""Errors over HTTP as problem details (RFC 9457), with the codes that are used everywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Response

from smki.problem import Problem, problem_text
from smki.remedies import Interface

MEDIA_TYPE = "application/problem+json"


def problem_details(problems: Sequence[Problem], status: int, title: str = "", **extension: Any) -> Response:
    """An answer of that HTTP status: type, title and detail of the decisive problem, the first.

    :param title: what the problem is in few words; by default its code in words.
    :param extension: more members beside ``problems``, which has every one with all that it says.
    """
    first = problems[0]
    body = {
        "type": f"urn:smki:problem:{first.code}",
        # The same each time, as RFC 9457 3.1.3 wants it.
        "title": title or first.code.replace(".", ": ").replace("-", " ").capitalize(),
        "status": status,
        "detail": problem_text(first, Interface.REST),
        "problems": [problem.as_json(Interface.REST) for problem in problems],
        **extension,
    }
    response = Response(json.dumps(body), status, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response
