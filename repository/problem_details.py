"""Errors over HTTP as problem details (RFC 9457), with the codes that are used everywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence

from flask import Response

from smki.problem import Problem

MEDIA_TYPE = "application/problem+json"


def problem_details(problems: Sequence[Problem], status: int) -> Response:
    """An answer of that HTTP status: type and title of the decisive problem, the first; ``problems`` has every one."""
    first = problems[0]
    body = {
        "type": f"urn:smki:problem:{first.code}",
        "title": f"{first.subject}: {first.seen}",
        "status": status,
        "problems": [problem.as_json() for problem in problems],
    }
    return Response(json.dumps(body), status, mimetype=MEDIA_TYPE)
