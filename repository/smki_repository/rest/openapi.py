"""The OpenAPI 3.1 document, generated from the same operations as the routes."""

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
        "description": "Required if the operator says so, by default on all but the loopback interface. Can also be sent as "
        "Authorization: Bearer. smki apikey add NAME makes one.",
    },
    API_KEY_PARAMETER: {"type": "apiKey", "in": "query", "name": "apikey", "description": "The API key in the query."},
    OFFICER: {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of an Authorised Responsible Officer. smki officer token --party PARTY makes one.",
    },
}

HEADERS: dict[str, Any] = {
    "ETag": {
        "description": "For If-None-Match: the response is 304 if nothing has changed. Streamed responses have none.",
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{24}"$'},
    },
    "Link": {
        "description": 'The next page, with rel="next"; absent from the last page.',
        "schema": {"type": "string"},
    },
    "Location": {"description": "URL of the new resource.", "schema": {"type": "string"}},
}

_REFUSALS = {
    400: "The request does not conform to this document; the problems name the parameter or field.",
    401: "The request has no valid credential.",
    403: "The officer is not allowed to do this, or the Party is not an Eligible Subscriber.",
    404: "Not found.",
    406: "Accept names none of the available media types.",
    409: "Not possible in the current state.",
    413: "The body is too large.",
    415: "The media type of the body is not supported here.",
    422: "The request is well formed but refused; the problems list every reason.",
    503: "The ledger is currently unavailable, or the server is overloaded.",
}
_INTRODUCTION = """Search for, retrieve, check and apply for the certificates of a test SMKI, and administer its register.

Every GET operation also supports HEAD. Errors are problem details (RFC 9457); their member `problems` lists each reason with
its code, what was seen, what was expected, the clause and a remedy. The codes are the same on the command line, in Python
and here. Times are UTC (RFC 3339)."""


def document(operations: Sequence[Operation], server: str) -> dict[str, Any]:
    """Return the OpenAPI document as a JSON value.

    :param server: the path that precedes the paths of the operations.
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
