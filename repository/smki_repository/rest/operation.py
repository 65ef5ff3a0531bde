"""REST operations as data, from which the routes, the parsing of requests and the OpenAPI document are derived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request

from smki.home.smki import Smki
from smki.pki.template import CertificateReader
from smki.problem import Malformed, Problem
from smki.registration import Actor
from smki_repository.access import ActingOfficer
from smki_repository.json_body import read_json

Schema = dict[str, Any]

SMALL_BODY_BYTES = 64 * 1024
"""Default maximum size of a request body."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value in the path, the query or the JSON body of a request."""

    name: str
    schema: Schema
    """Its JSON Schema."""
    description: str
    read: Callable[[str], Any]
    """Converts its text to a value; raises Malformed exactly if the text does not conform to the schema."""
    required: bool = False


def schema_ref(name: str) -> Schema:
    """Return a reference to a schema in :data:`smki_repository.rest.schemas.SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A request body that is a JSON object with these fields and no others.

    According to its schema, a field is a string, a boolean, an integer or an array of strings, whose items are read one by
    one. ``null`` is accepted if the schema's type includes it.
    """

    fields: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class BytesBody:
    """A request body that is a certificate, request or revocation list in PEM, DER, base64 or hexadecimal."""

    media_types: tuple[str, ...]
    max_bytes: int = SMALL_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Link:
    """A link from a response to another operation (OpenAPI Link Object)."""

    operation: str
    """Name of the operation."""
    values: Mapping[str, str]
    """Parameter of the operation to JSON Pointer into the response."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The response of an operation that succeeds."""

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
    """Path below ``/api/v1``, with parameters in braces."""
    name: str
    """The operationId, which is unique."""
    tag: str
    summary: str
    handle: Callable[[Call], Response]
    answer: Answer
    parameters: tuple[Parameter, ...] = ()
    body: tuple[JsonBody | BytesBody, ...] = ()
    """The accepted kinds of request body; empty if there is none."""
    errors: tuple[int, ...] = ()
    """HTTP statuses of refusals that are specific to this operation."""
    status: int = 200
    for_officers: bool = False
    """Whether an officer's token is required."""
    description: str = ""

    @property
    def path_parameters(self) -> tuple[Parameter, ...]:
        """The parameters in the path."""
        return tuple(parameter for parameter in self.parameters if f"{{{parameter.name}}}" in self.path)

    @property
    def query_parameters(self) -> tuple[Parameter, ...]:
        """The parameters in the query."""
        return tuple(parameter for parameter in self.parameters if f"{{{parameter.name}}}" not in self.path)


@dataclass(slots=True)
class Call:
    """A parsed request to an operation."""

    smki: Smki
    operation: Operation
    reader: CertificateReader
    values: dict[str, Any] = field(default_factory=dict)
    """Values by name of the parameter or field; those that were not sent are absent."""
    encoded: bytes = b""
    """The body, if it is not JSON."""
    officer: ActingOfficer | None = None
    """The officer who makes the request; None if the operation is not for officers."""

    def get(self, name: str) -> Any:
        """Return the value of a parameter or field; None if it was not sent."""
        return self.values.get(name)

    @property
    def acting(self) -> ActingOfficer:
        """The officer who makes the request.

        :raises RuntimeError: if the operation is not for officers.
        """
        if self.officer is None:
            raise RuntimeError(f"{self.operation.name} is not for officers")
        return self.officer

    def actor(self, on_behalf_of: str = "") -> Actor:
        """Return the actor of a command: the officer whose token was sent with the request.

        :param on_behalf_of: ID of the User on whose behalf a Shared Resource acts.
        """
        acting = self.acting
        return Actor(interface="rest", party=acting.party, officer=acting.name, on_behalf_of=on_behalf_of)


class UnsupportedBody(Malformed):
    """Raised for a body of a media type that the operation does not accept: HTTP 415."""


def read_query(operation: Operation, values: dict[str, Any]) -> None:
    """Read the query into *values*.

    :raises Malformed: if a parameter is unknown, repeated, missing or invalid.
    """
    if request.environ["QUERY_STRING"]:
        known = {parameter.name: parameter for parameter in operation.query_parameters}
        for name, texts in request.args.lists():
            if name == "apikey":  # already checked before the request was dispatched
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
    """Convert the text of a parameter to its value.

    :param what: what error messages call it: ``parameter`` or ``field``.
    :raises Malformed: if the text is invalid; the problem names the parameter.
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

    :raises UnsupportedBody: if its media type is not accepted.
    :raises Malformed: if a field is unknown, missing or invalid.
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
                        seen="empty",
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
    """Return the media types that an operation accepts."""
    types: list[str] = []
    for form in operation.body:
        types += ("application/json",) if isinstance(form, JsonBody) else form.media_types
    return types


def _read_json(form: JsonBody, encoded: bytes, values: dict[str, Any]) -> None:
    known = {parameter.name: parameter for parameter in form.fields}
    allowed = ", ".join(known)
    try:
        body = read_json(encoded)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Malformed(
            Problem(
                code="body.malformed",
                subject="request body",
                seen="not a JSON object",
                expected=f"a JSON object with the fields {allowed}",
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
        # 5.0 is an integer too (JSON Schema 2020-12, 6.1.1).
        if (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, float) and value.is_integer()
        ):
            return read_value(parameter, str(int(value)), "field")
        expected = "an integer"
    elif isinstance(value, str) and _is_text(value):
        return read_value(parameter, value, "field")
    else:
        expected = "a string"
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
                expected=f"an array of at most {longest} strings",
            )
        )
    return tuple(read_value(parameter, item, "field") for item in value)


def _is_text(value: str) -> bool:
    """Return whether a string can be encoded: JSON escapes can contain unpaired surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
