"""What the operations share that change the register: they are for officers of the DCC, and answer with JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Response, request

from smki.registration.changes import UNCHANGED
from smki_repository.rest.negotiation import JSON
from smki_repository.rest.operation import Answer, Call, JsonBody, Operation, Parameter

API = "/api/v1"
FOR_DCC = "For officers of the DCC."


def write(
    method: str,
    path: str,
    name: str,
    tag: str,
    summary: str,
    handle: Callable[[Call], Response],
    answer: Answer,
    *path_parameters: Parameter,
    fields: tuple[Parameter, ...] = (),
    status: int = 200,
    errors: tuple[int, ...] = (),
) -> Operation:
    """An operation that runs a command of the register; the command checks that the officer is one of the DCC's.

    :param fields: of its JSON body, which is required where there are any, if only as ``{}``.
    :param errors: statuses of refusals beside those that all these operations have.
    """
    body = (JsonBody(fields),) if fields else ()
    return Operation(
        method, path, name, tag, summary, handle, answer, path_parameters, body,
        errors=(403, 406, 409, 422, *errors), status=status, for_officers=True, description=FOR_DCC,
    )  # fmt: skip


def done(value: dict[str, Any], status: int = 200, *, location: str = "") -> Response:
    """The answer to a change: JSON that nobody keeps.

    :param location: path below /api/v1 of what was made.
    """
    response = Response(json.dumps(value), status, mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    if location:
        response.headers["Location"] = f"{request.script_root}{API}{location}"
    return response


def or_unchanged(call: Call, name: str) -> Any:
    """The value of a field, which may be None; UNCHANGED where it did not come."""
    return call.values.get(name, UNCHANGED)


def set_of(call: Call, name: str) -> frozenset[Any]:
    """The items of a field that is an array; none where it did not come."""
    return frozenset(call.values.get(name, ()))
