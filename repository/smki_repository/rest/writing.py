"""Helpers for the operations that change the register, which are for officers of the DCC and return JSON."""

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
    description: str = FOR_DCC,
) -> Operation:
    """Return an operation that runs a command. The command checks that the officer is an officer of the DCC.

    :param fields: the fields of its JSON body. If there are any, the body is required, even if only ``{}``.
    :param description: who may run it, if not the DCC alone.
    :param errors: HTTP statuses of refusals in addition to those that all these operations have.
    """
    body = (JsonBody(fields),) if fields else ()
    return Operation(
        method, path, name, tag, summary, handle, answer, path_parameters, body,
        errors=(403, 406, 409, 422, *errors), status=status, for_officers=True, description=description,
    )  # fmt: skip


def done(value: dict[str, Any], status: int = 200, *, location: str = "") -> Response:
    """Return the response to a change: JSON that must not be cached.

    :param location: path of the new resource below /api/v1, for the Location header.
    """
    response = Response(json.dumps(value), status, mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    if location:
        response.headers["Location"] = f"{request.script_root}{API}{location}"
    return response


def or_unchanged(call: Call, name: str) -> Any:
    """Return the value of a field, which may be None; return UNCHANGED if it was not sent."""
    return call.values.get(name, UNCHANGED)


def set_of(call: Call, name: str) -> frozenset[Any]:
    """Return the items of an array field; return an empty set if it was not sent."""
    return frozenset(call.values.get(name, ()))
