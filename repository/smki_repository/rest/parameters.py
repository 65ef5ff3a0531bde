"""Parameters shared by operations. Each accepts exactly what its schema allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from smki.identity import EntityIdentifier, PartyId, SerialNumber
from smki.problem import Malformed, Problem
from smki.sec.device import MAX_MODEL, DeviceType, Responsible, SmiStatus, parse_model
from smki.sec.party import Officer
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole
from smki.sec.vocabulary import hyphenated
from smki_repository.rest.operation import Parameter

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
MAX_ITEMS = 100
"""Maximum number of items of an array in a JSON body."""

_SERIAL = "^0*[1-9A-Fa-f][0-9A-Fa-f]*$"
_EUI = "^([0-9A-Fa-f]{16}|[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){7}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){7})$"
_SHA256 = "^[0-9A-Fa-f]{64}$"
_PARTY = "^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$"
_CURSOR = "^[1-9][0-9]{0,15}$"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)([Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d))?", re.ASCII)


def _text(
    schema: dict[str, Any], parse: Callable[[str], Any], code: str, expected: str, clause: str
) -> Callable[[str], Any]:
    """Return a function that parses text conforming to the pattern and maximum length of a schema."""
    pattern = re.compile(schema["pattern"].removesuffix("$") + r"\Z", re.ASCII)
    longest = schema.get("maxLength", 64)

    def read(text: str) -> Any:
        if not pattern.match(text) or len(text) > longest:
            raise Malformed(Problem(code=code, subject="", seen=f"{text[:64]!r}", expected=expected, clause=clause))
        return parse(text)

    return read


def _matching(
    pattern: str, parse: Callable[[str], Any], code: str, expected: str, clause: str = "", **more: Any
) -> dict[str, Any]:
    schema = {"type": "string", "pattern": pattern, **more}
    return {"schema": schema, "read": _text(schema, parse, code, expected, clause)}


def _one_of(values: Mapping[str, Any], code: str, clause: str = "") -> dict[str, Any]:
    def read(text: str) -> Any:
        if text in values:
            return values[text]
        raise Malformed(
            Problem(code=code, subject="", seen=f"{text[:64]!r}", expected=f"one of {', '.join(values)}", clause=clause)
        )

    return {"schema": {"type": "string", "enum": list(values)}, "read": read}


def choice(name: str, texts: Iterable[str], description: str) -> Parameter:
    """Return a parameter that is one of several texts."""
    return Parameter(name, description=description, **_one_of({text: text for text in texts}, "parameter.value"))


def free_text(name: str, description: str, *, max_length: int = 256, required: bool = False) -> Parameter:
    """Return a parameter that is any text of 1 to *max_length* characters."""

    def read(text: str) -> str:
        if not 1 <= len(text) <= max_length:
            raise Malformed(
                Problem(
                    code="parameter.length", subject="", seen=f"{len(text)} characters", expected=f"1 to {max_length}"
                )
            )
        return text

    return Parameter(name, {"type": "string", "minLength": 1, "maxLength": max_length}, description, read, required)


def one_of(name: str, values: Mapping[str, Any], description: str, code: str, *, required: bool = False) -> Parameter:
    """Return a parameter that is one of several texts, each of which stands for a value."""
    return Parameter(name, description=description, required=required, **_one_of(values, code))


def several(item: Parameter, description: str = "") -> Parameter:
    """Return a field that is an array in a JSON body, whose items are read like *item*."""
    schema = {"type": "array", "items": item.schema, "maxItems": MAX_ITEMS}
    return replace(item, schema=schema, description=description or item.description)


def or_null(parameter: Parameter) -> Parameter:
    """Return a field of a JSON body that can also be null."""
    return replace(parameter, schema={**parameter.schema, "type": [parameter.schema["type"], "null"]})


def flag(name: str, description: str) -> Parameter:
    """Return a parameter that is true or false."""
    known = _one_of({"true": True, "false": False}, "parameter.value")
    return Parameter(name, {"type": "boolean"}, description, known["read"])


MAX_NUMBER = 2**53 - 1
"""Maximum number of a list, an application or a credential: after a restore from a backup they have 16 digits."""


def whole_number(name: str, description: str, highest: int, *, lowest: int = 1, required: bool = False) -> Parameter:
    """Return a parameter that is an integer from *lowest* to *highest*."""

    def read(text: str) -> int:
        if re.fullmatch("-?[0-9]{1,16}", text, re.ASCII) and lowest <= int(text) <= highest:
            return int(text)
        expected = f"an integer from {lowest} to {highest}"
        raise Malformed(Problem(code="parameter.number", subject="", seen=f"{text[:64]!r}", expected=expected))

    schema = {"type": "integer", "minimum": lowest, "maximum": highest}
    return Parameter(name, schema, description, read, required)


def read_moment(text: str) -> datetime:
    """Parse an RFC 3339 date and time, or a date, which means its first second in UTC.

    :raises Malformed: if the text is neither.
    """
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text.upper())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if text.startswith("0001") else datetime.max.replace(tzinfo=UTC)
    except ValueError:
        expected = "a date, or a date and time with a time zone, like 2026-11-21T08:30:00Z"
        raise Malformed(
            Problem(code="time.malformed", subject="", seen=f"{text[:64]!r}", expected=expected, clause="RFC 3339")
        ) from None


def moment(name: str, description: str) -> Parameter:
    """Return a parameter that is a date, or a date and time."""
    schema = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}
    return Parameter(name, schema, description, read_moment)


def day(name: str, description: str) -> Parameter:
    """Return a parameter that is a date."""

    def read(text: str) -> date:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return read_moment(text).date()
        raise Malformed(
            Problem(
                code="day.malformed",
                subject="",
                seen=f"{text[:64]!r}",
                expected="a date like 2026-11-21",
                clause="RFC 3339",
            )
        )

    return Parameter(name, {"type": "string", "format": "date"}, description, read)


def fields(known: Iterable[str]) -> Parameter:
    """Return a parameter that selects some of the known fields."""
    names = list(known)

    def read(text: str) -> tuple[str, ...]:
        chosen = tuple(text.split(","))
        for name in chosen:
            if name not in names:
                raise Malformed(
                    Problem(
                        code="parameter.field", subject="", seen=f"{name[:64]!r}", expected=f"some of {','.join(names)}"
                    )
                )
        return chosen

    schema = {"type": "array", "minItems": 1, "items": {"type": "string", "enum": names}}
    return Parameter("fields", schema, "Comma-separated list of the fields to return.", read)


def serial(name: str, description: str, *, required: bool = False) -> Parameter:
    """Return a parameter that is a serial number in hexadecimal."""
    expected = "a serial number: 1 to 40 hexadecimal digits, not all zero"
    known = _matching(
        _SERIAL, SerialNumber.parse, "serial-number.malformed", expected, "RFC 5280 4.1.2.2", minLength=1, maxLength=40
    )
    return Parameter(name, description=description, required=required, **known)


def entity_identifier(name: str, description: str, *, required: bool = False) -> Parameter:
    """Return a parameter that is an EUI-64."""
    expected = "an EUI-64: 16 hexadecimal digits, or 8 pairs separated by - or :"
    known = _matching(_EUI, EntityIdentifier.parse, "entity-identifier.malformed", expected, "GBCS 12")
    return Parameter(name, description=description, required=required, **known)


def party_id(name: str, description: str, *, required: bool = False) -> Parameter:
    """Return a parameter that is the ID of a Party or Testing Participant."""
    expected = "1 to 32 letters, digits and hyphens, the first and the last not a hyphen"
    known = _matching(_PARTY, PartyId.parse, "party-id.malformed", expected)
    return Parameter(name, description=description, required=required, **known)


def officers(name: str, description: str) -> Parameter:
    """Return a field that is an array of names of officers, who act for both kinds of certificate."""
    pattern = "^[A-Za-z0-9][^:;\\x00-\\x1F\\x7F]{0,63}$"
    known = _matching(
        pattern,
        Officer.parse,
        "officer-name.malformed",
        "a name of at most 64 characters without a colon",
        maxLength=64,
    )
    return several(Parameter(name, description=description, **known))


def responsible() -> Parameter:
    """Return a parameter that is a responsible Party with its fuel."""
    pattern = f"^(electricity|gas): {_PARTY[1:]}"
    known = _matching(pattern, Responsible.parse, "responsible.malformed", "electricity or gas, a colon and a Party ID")
    return Parameter(
        "responsible", description="A fuel and its responsible Party, for example gas: LARGE-SUPPLIER.", **known
    )


def role(name: str = "role", *, required: bool = False) -> Parameter:
    """Return a parameter that is a Remote Party Role."""
    values = {text: each for each in RemotePartyRole for text in (each.label, each.hexadecimal)}
    description = "Remote Party Role, by name or by its two hexadecimal digits (GBCS 12)."
    return Parameter(name, description=description, required=required, **_one_of(values, "role.unknown", "GBCS 12"))


def usage(name: str = "usage") -> Parameter:
    """Return a parameter that is a key usage."""
    values = {"DS": KeyUsage.DIGITAL_SIGNATURE, "KA": KeyUsage.KEY_AGREEMENT}
    values |= {text.lower(): each for text, each in values.items()} | {each.label: each for each in values.values()}
    return Parameter(name, description="Key usage.", **_one_of(values, "key-usage.unknown", "GBCS 12"))


def device_type() -> Parameter:
    """Return a parameter that is a Device type."""
    known = _one_of(dict(DeviceType.__members__), "device-type.unknown")
    return Parameter("deviceType", description="Device type in the Smart Metering Inventory.", **known)


def model(*, required: bool = False) -> Parameter:
    """Return a parameter that is the product identifier of a Device model."""
    known = _matching(
        "^[!-~]([ -~]{0,62}[!-~])?$",
        parse_model,
        "device-model.malformed",
        f"1 to {MAX_MODEL} printable ASCII characters",
        maxLength=MAX_MODEL,
    )
    description = "Product identifier of the Device model on the Certified Products List."
    return Parameter("model", description=description, required=required, **known)


def test_name(description: str) -> Parameter:
    """Return a parameter that is the name of a recorded test."""
    expected = "1 to 32 lower-case letters, digits and hyphens, the first and the last not a hyphen"
    known = _matching("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", str, "test.name", expected)
    return Parameter("test", description=description, **known)


def quota(description: str) -> Parameter:
    """Return a field that is a number of Test Certificates, or null."""
    return or_null(whole_number("quota", description, 999_999_999, lowest=0))


SERIAL = serial("serial", "Serial number in hexadecimal; upper or lower case, leading zeros optional.")
EUI = entity_identifier("eui", "EUI-64 with hyphens, colons or no separators, for example 90-B3-D5-1F-30-01-00-00.")
ENTITY = entity_identifier("entityIdentifier", "EUI-64 of an Organisation or a Device.")
PARTY = party_id("party", "ID of a Party or Testing Participant.")
SHA256 = Parameter(
    "sha256",
    description="SHA-256 of the certificate's DER encoding in hexadecimal.",
    **_matching(_SHA256, bytes.fromhex, "sha256.malformed", "64 hexadecimal digits"),
)
KIND = Parameter(
    "kind",
    description="Kind of certificate.",
    **_one_of({kind.value: kind for kind in CertificateKind}, "certificate-kind.unknown"),
)
SUBSCRIBER_KIND = Parameter(
    "kind",
    description="Kind of certificate. Default: inferred from the certification request.",
    **_one_of(
        {kind.value: kind for kind in (CertificateKind.DEVICE, CertificateKind.ORGANISATION)},
        "certificate-kind.unknown",
    ),
)
STATUS = Parameter(
    "status",
    description="Current status: P pending, I in use, N not in use, E expired, R revoked.",
    **_one_of({status.value: status for status in CertificateStatus}, "status.unknown", "SEC Appendix P"),
)
SMI_STATUS = Parameter(
    "status",
    description="SMI status.",
    **_one_of({hyphenated(status): status for status in SmiStatus}, "smi-status.unknown"),
)
LIMIT = whole_number("limit", f"Maximum number of items. Default: {DEFAULT_LIMIT} per page.", MAX_LIMIT)
AFTER = Parameter(
    "after",
    description="Cursor from the link to the next page. Its value has no other meaning.",
    **_matching(_CURSOR, int, "page.malformed", "the value in the link to the next page", maxLength=16),
)


def suffix(*formats: str) -> Parameter:
    """Return the path parameter that selects the format of the response."""
    known = _one_of({each: each for each in formats}, "format.unknown")
    return Parameter("format", description="Format of the response.", **known)
