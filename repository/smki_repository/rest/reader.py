"""The document for people: one page of HTML that needs nothing from elsewhere, no script and no style sheet."""

from __future__ import annotations

import json
from collections.abc import Sequence

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
    "role": "supplier",
}


def page_of(operations: Sequence[Operation], root: str, host: str) -> str:
    """The page as HTML.

    :param root: the path below which the Repository is; empty where it is the root.
    :param host: ``http://127.0.0.1:8083``.
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
    """The operation as a command line that can be tried."""
    path = operation.path
    for parameter in operation.path_parameters:
        path = path.replace(f"{{{parameter.name}}}", _example(parameter))
    words = [f"curl -s {base}{path}"]
    if operation.for_officers:
        words.append('-H "Authorization: Bearer $TOKEN"')
    fields = [field for form in operation.body if isinstance(form, JsonBody) for field in form.fields if field.required]
    if fields:
        body = json.dumps({field.name: _example(field) for field in fields}, ensure_ascii=False)
        words += ["-H 'Content-Type: application/json'", f"-d '{body}'"]
    elif operation.body:
        words += ["-H 'Content-Type: application/octet-stream'", "--data-binary @meter.pem"]
    elif operation.method == "POST":
        words.append("-X POST")
    return " \\\n  ".join(words)


def _example(parameter: Parameter) -> str:
    words = parameter.schema.get("enum")
    if parameter.name in _EXAMPLES and (not words or _EXAMPLES[parameter.name] in words):
        return _EXAMPLES[parameter.name]
    return str(words[0]) if words else _EXAMPLES.get(parameter.name, "…")


def values_of(parameter: Parameter) -> str:
    """What a parameter may be, in few words."""
    schema = parameter.schema
    words = schema.get("enum") or schema.get("items", {}).get("enum")
    if words:
        return ", ".join(words)
    if schema["type"] == "integer":
        return f"{schema['minimum']} to {schema['maximum']}"
    if schema["type"] == "boolean":
        return "true, false"
    if "anyOf" in schema:
        return "date, or date and time"
    return str(schema.get("format") or schema.get("pattern") or "text")
