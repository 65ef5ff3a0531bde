"""What an operation of the REST interface is: data, from which routes, the reading of requests and the document follow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request

from smki.home.smki import Smki
from smki.problem import Malformed, Problem
from smki.registration import Actor
from smki_repository.access import ActingOfficer

Schema = dict[str, Any]

SMALL_BODY_BYTES = 64 * 1024
"""What a body may have where nothing larger makes sense."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that a request carries: in its path, its query or a JSON body."""

    name: str
    schema: Schema
    """JSON Schema of it."""
    description: str
    read: Callable[[str], Any]
    """Makes the value of its text; raises Malformed exactly where the schema does not hold."""
    required: bool = False


def schema_ref(name: str) -> Schema:
    """A reference to a schema of :data:`smki_repository.rest.schemas.SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A JSON object with these fields and no others.

    A field is text, true or false, a whole number, or an array of texts, as its schema says; an array is read item by item.
    ``null`` is taken where the type of the schema names it.
    """

    fields: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class OctetsBody:
    """Certificates and the like, in any of the forms in which people hand them over."""

    media_types: tuple[str, ...]
    max_bytes: int = SMALL_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Link:
    """Where an answer leads: another operation, and what of the answer it takes."""

    operation: str
    """Its name."""
    values: Mapping[str, str]
    """Parameter to JSON Pointer in the answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers when all is well."""

    description: str
    content: Mapping[str, Schema]
    """Media type to schema."""
    headers: tuple[str, ...] = ()
    """Keys of :data:`smki_repository.rest.openapi.HEADERS`."""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    """Below ``/api/v1``, with parameters in braces."""
    name: str
    """Unique: the operationId."""
    tag: str
    summary: str
    handle: Callable[[Call], Response]
    answer: Answer
    parameters: tuple[Parameter, ...] = ()
    body: tuple[JsonBody | OctetsBody, ...] = ()
    """The forms that the request body may have; empty where there is none."""
    errors: tuple[int, ...] = ()
    """Statuses of refusals that are this operation's own."""
    status: int = 200
    for_officers: bool = False
    """Whether an officer's token is needed."""
    description: str = ""

    @property
    def path_parameters(self) -> tuple[Parameter, ...]:
        """Those that stand in the path."""
        return tuple(parameter for parameter in self.parameters if f"{{{parameter.name}}}" in self.path)

    @property
    def query_parameters(self) -> tuple[Parameter, ...]:
        """Those that stand in the query."""
        return tuple(parameter for parameter in self.parameters if f"{{{parameter.name}}}" not in self.path)


@dataclass(slots=True)
class Call:
    """One request to an operation, read."""

    smki: Smki
    operation: Operation
    values: dict[str, Any] = field(default_factory=dict)
    """By the name of the parameter or field; those that did not come are missing."""
    encoded: bytes = b""
    """The body, where it is no JSON."""
    officer: ActingOfficer | None = None
    """Who acts; only where the operation is for officers."""

    def get(self, name: str) -> Any:
        """The value of a parameter or field; None where it did not come."""
        return self.values.get(name)

    @property
    def acting(self) -> ActingOfficer:
        """Who acts.

        :raises RuntimeError: where the operation is not for officers.
        """
        if self.officer is None:
            raise RuntimeError(f"{self.operation.name} is not for officers")
        return self.officer

    def actor(self, on_behalf_of: str = "") -> Actor:
        """Return who runs a command: the officer whose token came with the request.

        :param on_behalf_of: the id of the User for which a Shared Resource acts.
        """
        acting = self.acting
        return Actor(interface="rest", party=acting.party, officer=acting.name, on_behalf_of=on_behalf_of)


class UnsupportedBody(Malformed):
    """The body is of a media type that the operation does not take: HTTP 415."""


def read_query(operation: Operation, values: dict[str, Any]) -> None:
    """Read the query into *values*.

    :raises Malformed: naming the parameter that is unknown, there twice, missing or not what it should be.
    """
    if request.environ["QUERY_STRING"]:
        known = {parameter.name: parameter for parameter in operation.query_parameters}
        for name, texts in request.args.lists():
            if name == "apikey":  # said who asks, and that was seen to already
                continue
            if name not in known:
                allowed = ", ".join(known) or "no parameters"
                raise Malformed(
                    Problem(
                        code="parameter.unknown",
                        subject="query",
                        seen=f"parameter {name[:64]!r}",
                        expected=f"only {allowed}",
                    )
                )
            if len(texts) > 1:
                raise Malformed(
                    Problem(
                        code="parameter.repeated", subject=f"parameter {name}", seen="more than once", expected="once"
                    )
                )
            values[name] = read_value(known[name], texts[0])
    for parameter in operation.query_parameters:
        if parameter.required and parameter.name not in values:
            raise Malformed(
                Problem(
                    code="parameter.missing",
                    subject="query",
                    seen=f"no {parameter.name}",
                    expected=parameter.description,
                )
            )


def read_value(parameter: Parameter, text: str, what: str = "parameter") -> Any:
    """The value of a parameter's text.

    :param what: what it is called in an error: a parameter, or a field.

    :raises Malformed: naming the parameter, with the code of what is wrong with it.
    """
    try:
        return parameter.read(text)
    except Malformed as error:
        named = (
            Problem(
                code=each.code,
                subject=f"{what} {parameter.name}",
                seen=each.seen,
                expected=each.expected,
                clause=each.clause,
                remedy=each.remedy,
            )
            for each in error.problems
        )
        raise Malformed(*named) from None


def read_body(operation: Operation, call: Call) -> None:
    """Read the body into *call*.

    :raises UnsupportedBody: when it is of another media type.
    :raises Malformed: naming the field that is unknown, missing or not what it should be.
    """
    media_type = request.mimetype
    for form in operation.body:
        if isinstance(form, JsonBody):
            if media_type == "application/json" or (not media_type and len(operation.body) == 1):
                _read_json(form, request.get_data(), call.values)
                return
        elif media_type in form.media_types or not media_type:
            request.max_content_length = form.max_bytes
            call.encoded = request.get_data()
            if not call.encoded.strip():
                raise Malformed(
                    Problem(
                        code="body.empty",
                        subject="request body",
                        seen="nothing in it",
                        expected="PEM, base64, hexadecimal or DER",
                    )
                )
            return
    allowed = ", ".join(media_types_of(operation))
    seen = f"Content-Type {media_type[:64]!r}" if media_type else "no Content-Type"
    remedy = f"Send it with -H 'Content-Type: {media_types_of(operation)[0]}'."
    raise UnsupportedBody(
        Problem(code="body.media-type", subject="request body", seen=seen, expected=allowed, remedy=remedy)
    )


def media_types_of(operation: Operation) -> list[str]:
    """The media types that an operation takes."""
    types: list[str] = []
    for form in operation.body:
        types += ("application/json",) if isinstance(form, JsonBody) else form.media_types
    return types


def _read_json(form: JsonBody, encoded: bytes, values: dict[str, Any]) -> None:
    known = {parameter.name: parameter for parameter in form.fields}
    allowed = ", ".join(known)
    try:
        body = json.loads(encoded)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Malformed(
            Problem(
                code="body.malformed",
                subject="request body",
                seen="no JSON object",
                expected=f"a JSON object of {allowed}",
            )
        )
    for name, value in body.items():
        if name not in known:
            raise Malformed(
                Problem(
                    code="body.field", subject="request body", seen=f"field {name[:64]!r}", expected=f"only {allowed}"
                )
            )
        values[name] = _field(known[name], value)
    for parameter in form.fields:
        if parameter.required and parameter.name not in body:
            raise Malformed(
                Problem(
                    code="body.field-missing",
                    subject="request body",
                    seen=f"no {parameter.name}",
                    expected=parameter.description,
                )
            )


def _field(parameter: Parameter, value: Any) -> Any:
    schema_type = parameter.schema.get("type")
    types = schema_type if isinstance(schema_type, list) else [schema_type]
    if value is None and "null" in types:
        return None
    if "array" in types:
        return _items(parameter, value)
    if "boolean" in types:
        if isinstance(value, bool):
            return value
        expected = "true or false"
    elif "integer" in types:
        # 5.0 is a whole number too (JSON Schema 2020-12, 6.1.1).
        if (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, float) and value.is_integer()
        ):
            return read_value(parameter, str(int(value)), "field")
        expected = "a whole number"
    elif isinstance(value, str) and _is_text(value):
        return read_value(parameter, value, "field")
    else:
        expected = "text"
    raise Malformed(
        Problem(code="body.field", subject=f"field {parameter.name}", seen=f"{value!r}"[:64], expected=expected)
    )


def _items(parameter: Parameter, value: Any) -> tuple[Any, ...]:
    longest = parameter.schema["maxItems"]
    if (
        not isinstance(value, list)
        or len(value) > longest
        or not all(isinstance(item, str) and _is_text(item) for item in value)
    ):
        seen = f"{len(value)} items" if isinstance(value, list) else f"{value!r}"[:64]
        raise Malformed(
            Problem(
                code="body.field",
                subject=f"field {parameter.name}",
                seen=seen,
                expected=f"an array of at most {longest} texts",
            )
        )
    return tuple(read_value(parameter, item, "field") for item in value)


def _is_text(value: str) -> bool:
    """Whether it consists of characters: JSON can write halves of one that nothing can store."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
