"""The OpenAPI document (3.1), made of the operations that the routes are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smki import __version__
from smki_repository.problem_details import MEDIA_TYPE
from smki_repository.rest.operation import JsonBody, Operation, Parameter, Schema, media_types_of, schema_ref
from smki_repository.rest.reader import example_body
from smki_repository.rest.schemas import SCHEMAS

API_KEY, API_KEY_PARAMETER, OFFICER = "apiKey", "apiKeyParameter", "officerToken"

_SECURITY_SCHEMES: dict[str, Any] = {
    API_KEY: {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "Needed where the operator wants it, which is the default beyond the loopback interface: "
        "smki apikey add NAME. Authorization: Bearer takes it too.",
    },
    API_KEY_PARAMETER: {"type": "apiKey", "in": "query", "name": "apikey", "description": "The same in the query."},
    OFFICER: {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of an Authorised Responsible Officer: smki officer token --party PARTY.",
    },
}

HEADERS: dict[str, Any] = {
    "ETag": {
        "description": "Send it back as If-None-Match: 304 says that nothing has changed. Streamed answers have none.",
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{24}"$'},
    },
    "Link": {
        "description": 'The next page, with rel="next"; missing on the last.',
        "schema": {"type": "string"},
    },
    "Location": {"description": "Where what was made is from now on.", "schema": {"type": "string"}},
}

_REFUSALS = {
    400: "The request is not as this document says; the problems name the parameter or field.",
    401: "No credential that counts came with the request.",
    403: "Not for whoever asks, or the Party is not an Eligible Subscriber.",
    404: "There is no such thing.",
    406: "None of the forms that Accept names is one that there is.",
    409: "Not in the state that it is in now.",
    413: "The body is too large.",
    415: "The body is of a media type that is not taken here.",
    422: "Well formed, but refused: every reason is among the problems.",
    503: "The ledger cannot be read or written now.",
}
_INTRODUCTION = """Certificates of a test SMKI: find, read, ask about and apply for them.

HEAD is answered wherever GET is. Every error is problem details (RFC 9457) whose `problems` hold each reason with its code,
what was seen, what was expected, the clause and the way out; the codes are the same on the command line, in Python and here.
Times are UTC (RFC 3339)."""


def document(operations: Sequence[Operation], server: str) -> dict[str, Any]:
    """The OpenAPI document, for ``json.dumps``.

    :param server: the path below which the operations are.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    tags = list(dict.fromkeys(operation.tag for operation in operations))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SMKI Repository for tests",
            "version": __version__,
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "headers": HEADERS,
            "securitySchemes": _SECURITY_SCHEMES,
            "responses": {
                str(status): {"description": text, "content": {MEDIA_TYPE: {"schema": schema_ref("ProblemDetails")}}}
                for status, text in _REFUSALS.items()
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    value: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [{OFFICER: []}]
        if operation.for_officers
        else [{}, {API_KEY: []}, {API_KEY_PARAMETER: []}, {OFFICER: []}],
        "responses": {str(operation.status): _answer(operation), **_refusals(operation)},
    }
    if operation.description:
        value["description"] = operation.description
    if operation.parameters:
        value["parameters"] = [
            *(_parameter(parameter, "path") for parameter in operation.path_parameters),
            *(_parameter(parameter, "query") for parameter in operation.query_parameters),
        ]
    if operation.body:
        value["requestBody"] = {"required": True, "content": _body(operation)}
    return value


def _parameter(parameter: Parameter, place: str) -> dict[str, Any]:
    value: dict[str, Any] = {
        "name": parameter.name,
        "in": place,
        "description": parameter.description,
        "required": place == "path" or parameter.required,
        "schema": parameter.schema,
    }
    if parameter.schema.get("type") == "array":
        value |= {"style": "form", "explode": False}
    return value


def _body(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for form in operation.body:
        if isinstance(form, JsonBody):
            schema: Schema = {
                "type": "object",
                "properties": {field.name: {**field.schema, "description": field.description} for field in form.fields},
                "required": [field.name for field in form.fields if field.required],
                "additionalProperties": False,
            }
            content["application/json"] = {"schema": schema}
            example = example_body(operation)
            if example is not None:
                content["application/json"]["example"] = example
        else:
            for media_type in form.media_types:
                content[media_type] = {"schema": {"type": "string", "minLength": 1}} if "text" in media_type else {}
    return content


def _answer(operation: Operation) -> dict[str, Any]:
    answer = operation.answer
    value: dict[str, Any] = {
        "description": answer.description,
        "content": {name: {"schema": schema} if schema else {} for name, schema in answer.content.items()},
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in answer.headers},
    }
    if answer.links:
        value["links"] = {
            link.operation: {
                "operationId": link.operation,
                "parameters": {name: f"$response.body#{pointer}" for name, pointer in link.values.items()},
            }
            for link in answer.links
        }
    return value


def _refusals(operation: Operation) -> dict[str, Any]:
    statuses = {400, 401, 503, *operation.errors}
    if operation.path_parameters or any(parameter.name == "after" for parameter in operation.parameters):
        statuses.add(404)
    if media_types_of(operation):
        statuses |= {413, 415}
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}
