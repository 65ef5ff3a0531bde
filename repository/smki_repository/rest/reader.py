"""The OpenAPI document as an HTML page without scripts or external resources."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import render_template

from smki_repository.rest.operation import JsonBody, Operation, Parameter
from smki_repository.rest.schemas import SCHEMAS

_EXAMPLES = {
    "serial": "4DF56E92D528F83544EBA0547068CF8C",
    "entityIdentifier": "90-B3-D5-1F-30-01-00-00",
    "eui": "00-DB-12-34-56-78-90-A0",
    "party": "LARGE-SUPPLIER",
    "number": "1",
    "request": "MIH4…",
    "kind": "device",
    "because": "the role is wrong",
    "reason": "superseded",
    "model": "ACME SM100 1.2",
    "value": "listed",
    "role": "supplier",
    "participant": "MANUFACTURER",
    "fixed": "2030-01-01T00:00:00Z",
    "party_id": "ACME",
    "participant_id": "METERS-LTD",
    "identifier": "90-B3-D5-1F-30-05-00-00",
    "device_id": "00-DB-12-34-56-78-90-AF",
    "name": "Jo Bloggs",
    "officer": "Jo Bloggs",
    "issuer": "4DF56E92D528F83544EBA0547068CF8C",
    "quota": "500",
    "threshold": "200",
}


def page_of(operations: Sequence[Operation], root: str, host: str) -> str:
    """Return the page as HTML.

    :param root: the path below which the Repository is served; empty for the root.
    :param host: scheme and authority of the Repository's URL, for example ``http://127.0.0.1:8083``.
    """
    tags = {
        tag: [each for each in operations if each.tag == tag] for tag in dict.fromkeys(each.tag for each in operations)
    }
    return render_template(
        "rest.html",
        tags=tags,
        root=root,
        command=lambda operation: command(operation, f"{host}{root}/api/v1"),
        values=values_of,
        schemas={name: json.dumps(schema, indent=2) for name, schema in SCHEMAS.items()},
        json_fields=lambda operation: [
            field for form in operation.body if isinstance(form, JsonBody) for field in form.fields
        ],
    )


def command(operation: Operation, base: str) -> str:
    """Return a curl command line that calls the operation."""
    path = operation.path
    for parameter in operation.path_parameters:
        path = path.replace(f"{{{parameter.name}}}", _example(parameter))
    arguments = [f"curl -s {base}{path}"]
    if operation.for_officers:
        arguments.append('-H "Authorization: Bearer $TOKEN"')
    body = example_body(operation)
    if body is not None:
        if operation.method != "POST":
            arguments.append(f"-X {operation.method}")
        text = json.dumps(body, ensure_ascii=False)
        arguments += ["-H 'Content-Type: application/json'", f"-d '{text}'"]
    elif operation.body:
        arguments += ["-H 'Content-Type: application/octet-stream'", "--data-binary @meter.pem"]
    elif operation.method == "POST":
        arguments.append("-X POST")
    return " \\\n  ".join(arguments)


def example_body(operation: Operation) -> dict[str, Any] | None:
    """Return an example JSON body with the required fields, or the first field if none is required.

    Return None if the operation accepts no JSON body, or accepts another kind of body and requires no JSON field.
    """
    forms = [form for form in operation.body if isinstance(form, JsonBody)]
    if not forms or (len(operation.body) > 1 and not any(field.required for field in forms[0].fields)):
        return None
    fields = [field for field in forms[0].fields if field.required] or list(forms[0].fields[:1])
    return {field.name: _json_example(field) for field in fields}


def _json_example(parameter: Parameter) -> Any:
    schema_type = parameter.schema.get("type")
    if schema_type == "array":
        return [_example(replace(parameter, schema=parameter.schema["items"]))]
    if schema_type == "boolean":
        return True
    if "integer" in (schema_type if isinstance(schema_type, list) else [schema_type]):
        return int(_EXAMPLES.get(parameter.name) or parameter.schema["minimum"])
    return _example(parameter)


def _example(parameter: Parameter) -> str:
    choices = parameter.schema.get("enum")
    if parameter.name in _EXAMPLES and (not choices or _EXAMPLES[parameter.name] in choices):
        return _EXAMPLES[parameter.name]
    return str(choices[0]) if choices else _EXAMPLES.get(parameter.name, "…")


def values_of(parameter: Parameter) -> str:
    """Return a short description of the values that a parameter accepts."""
    schema = parameter.schema
    choices = schema.get("enum") or schema.get("items", {}).get("enum")
    if choices:
        return ", ".join(choices)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "integer" in types:
        return f"{schema['minimum']} to {schema['maximum']}" + (", or null" if "null" in types else "")
    if "array" in types:
        return f"array of strings: {schema['items'].get('pattern', 'any')}"
    if schema["type"] == "boolean":
        return "true, false"
    if "anyOf" in schema:
        return "date, or date and time"
    return str(schema.get("format") or schema.get("pattern") or "string")
