"""The parameters that operations share. What each one reads is exactly what its schema says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from smki.identity import EntityIdentifier, PartyId, SerialNumber
from smki.problem import Malformed, Problem
from smki.sec.device import DeviceType, Responsible, SmiStatus
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
    """A reader of text that matches the pattern and the length of a schema."""
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


def _one_of(words: Mapping[str, Any], code: str, clause: str = "") -> dict[str, Any]:
    def read(text: str) -> Any:
        if text in words:
            return words[text]
        raise Malformed(
            Problem(code=code, subject="", seen=f"{text[:64]!r}", expected=f"one of {', '.join(words)}", clause=clause)
        )

    return {"schema": {"type": "string", "enum": list(words)}, "read": read}


def choice(name: str, words: Iterable[str], description: str) -> Parameter:
    """One of some words."""
    return Parameter(name, description=description, **_one_of({word: word for word in words}, "parameter.value"))


def free_text(name: str, description: str, *, max_length: int = 256, required: bool = False) -> Parameter:
    """Any text of at least one character."""

    def read(text: str) -> str:
        if not 1 <= len(text) <= max_length:
            raise Malformed(
                Problem(
                    code="parameter.length", subject="", seen=f"{len(text)} characters", expected=f"1 to {max_length}"
                )
            )
        return text

    return Parameter(name, {"type": "string", "minLength": 1, "maxLength": max_length}, description, read, required)


def one_of(name: str, words: Mapping[str, Any], description: str, code: str, *, required: bool = False) -> Parameter:
    """One of some words, each of which stands for a value."""
    return Parameter(name, description=description, required=required, **_one_of(words, code))


def several(item: Parameter, description: str = "") -> Parameter:
    """An array in a JSON body, each item of which is read as that parameter."""
    schema = {"type": "array", "items": item.schema, "maxItems": MAX_ITEMS}
    return replace(item, schema=schema, description=description or item.description)


def or_null(parameter: Parameter) -> Parameter:
    """The same, or null, in a JSON body."""
    return replace(parameter, schema={**parameter.schema, "type": [parameter.schema["type"], "null"]})


def flag(name: str, description: str) -> Parameter:
    """true or false."""
    known = _one_of({"true": True, "false": False}, "parameter.value")
    return Parameter(name, {"type": "boolean"}, description, known["read"])


def whole_number(name: str, description: str, highest: int, *, lowest: int = 1, required: bool = False) -> Parameter:
    """A whole number."""

    def read(text: str) -> int:
        if re.fullmatch("-?[0-9]{1,12}", text, re.ASCII) and lowest <= int(text) <= highest:
            return int(text)
        expected = f"a whole number from {lowest} to {highest}"
        raise Malformed(Problem(code="parameter.number", subject="", seen=f"{text[:64]!r}", expected=expected))

    schema = {"type": "integer", "minimum": lowest, "maximum": highest}
    return Parameter(name, schema, description, read, required)


def read_moment(text: str) -> datetime:
    """Read an RFC 3339 date and time, or a date for its first second; UTC.

    :raises Malformed: for anything else.
    """
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text.upper())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if text.startswith("0001") else datetime.max.replace(tzinfo=UTC)
    except ValueError:
        expected = "a date, or a date and time with its zone, like 2026-11-21T08:30:00Z"
        raise Malformed(
            Problem(code="time.malformed", subject="", seen=f"{text[:64]!r}", expected=expected, clause="RFC 3339")
        ) from None


def moment(name: str, description: str) -> Parameter:
    """A moment (UTC)."""
    schema = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}
    return Parameter(name, schema, description, read_moment)


def day(name: str, description: str) -> Parameter:
    """A day."""

    def read(text: str) -> date:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return read_moment(text).date()
        raise Malformed(
            Problem(
                code="day.malformed",
                subject="",
                seen=f"{text[:64]!r}",
                expected="a day like 2026-11-21",
                clause="RFC 3339",
            )
        )

    return Parameter(name, {"type": "string", "format": "date"}, description, read)


def fields(known: Iterable[str]) -> Parameter:
    """Which fields are wanted."""
    words = list(known)

    def read(text: str) -> tuple[str, ...]:
        chosen = tuple(text.split(","))
        for word in chosen:
            if word not in words:
                raise Malformed(
                    Problem(
                        code="parameter.field", subject="", seen=f"{word[:64]!r}", expected=f"some of {','.join(words)}"
                    )
                )
        return chosen

    schema = {"type": "array", "minItems": 1, "items": {"type": "string", "enum": words}}
    return Parameter("fields", schema, "Only these fields, separated by commas.", read)


def serial(name: str, description: str, *, required: bool = False) -> Parameter:
    """A serial number."""
    expected = "a serial number: 1 to 40 hexadecimal digits, not all nought"
    known = _matching(
        _SERIAL, SerialNumber.parse, "serial-number.malformed", expected, "RFC 5280 4.1.2.2", minLength=1, maxLength=40
    )
    return Parameter(name, description=description, required=required, **known)


def entity_identifier(name: str, description: str, *, required: bool = False) -> Parameter:
    """An EUI-64."""
    expected = "an EUI-64: 16 hexadecimal digits, or 8 pairs separated by - or :"
    known = _matching(_EUI, EntityIdentifier.parse, "entity-identifier.malformed", expected, "GBCS 12")
    return Parameter(name, description=description, required=required, **known)


def party_id(name: str, description: str, *, required: bool = False) -> Parameter:
    """The id of a Party or Testing Participant."""
    expected = "1 to 32 letters, digits and hyphens, the first and the last not a hyphen"
    known = _matching(_PARTY, PartyId.parse, "party-id.malformed", expected)
    return Parameter(name, description=description, required=required, **known)


def officers(name: str, description: str) -> Parameter:
    """Names of officers, for both kinds of certificate."""
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
    """A responsible Party with its fuel."""
    pattern = f"^(electricity|gas): {_PARTY[1:]}"
    known = _matching(pattern, Responsible.parse, "responsible.malformed", "electricity or gas, a colon and a Party ID")
    return Parameter("responsible", description="A Party for a fuel, like gas: LARGE-SUPPLIER.", **known)


def role(name: str = "role", *, required: bool = False) -> Parameter:
    """A Remote Party Role."""
    words = {word: each for each in RemotePartyRole for word in (each.label, each.hexadecimal)}
    text = "Remote Party Role, by name or by its two hexadecimal digits (GBCS 12)."
    return Parameter(name, description=text, required=required, **_one_of(words, "role.unknown", "GBCS 12"))


def usage(name: str = "usage") -> Parameter:
    """A key usage."""
    words = {"DS": KeyUsage.DIGITAL_SIGNATURE, "KA": KeyUsage.KEY_AGREEMENT}
    words |= {word.lower(): each for word, each in words.items()} | {each.label: each for each in words.values()}
    return Parameter(name, description="Key usage.", **_one_of(words, "key-usage.unknown", "GBCS 12"))


def device_type() -> Parameter:
    """A Device type."""
    known = _one_of(dict(DeviceType.__members__), "device-type.unknown", "SEC A1")
    return Parameter("deviceType", description="What the Device is, by the Smart Metering Inventory.", **known)


SERIAL = serial("serial", "Serial number, hexadecimal, in either case, leading noughts optional.")
EUI = entity_identifier("eui", "EUI-64: 90-B3-D5-1F-30-01-00-00, with : or without separators.")
ENTITY = entity_identifier("entityIdentifier", "EUI-64 of an Organisation or a Device.")
PARTY = party_id("party", "Party ID, or the id of a Testing Participant.")
SHA256 = Parameter(
    "sha256",
    description="SHA-256 of the certificate's DER, hexadecimal.",
    **_matching(_SHA256, bytes.fromhex, "sha256.malformed", "64 hexadecimal digits"),
)
KIND = Parameter(
    "kind",
    description="What kind of certificate.",
    **_one_of({kind.value: kind for kind in CertificateKind}, "certificate-kind.unknown"),
)
SUBSCRIBER_KIND = Parameter(
    "kind",
    description="Which certificate is wanted; by default what the request looks like.",
    **_one_of(
        {kind.value: kind for kind in (CertificateKind.DEVICE, CertificateKind.ORGANISATION)},
        "certificate-kind.unknown",
    ),
)
STATUS = Parameter(
    "status",
    description="P pending, I in use, N not in use, E expired, R revoked; now.",
    **_one_of({status.value: status for status in CertificateStatus}, "status.unknown", "SEC Appendix P"),
)
SMI_STATUS = Parameter(
    "status",
    description="SMI status.",
    **_one_of({hyphenated(status): status for status in SmiStatus}, "smi-status.unknown", "SEC A1"),
)
LIMIT = whole_number("limit", f"How many at most; {DEFAULT_LIMIT} where it is left out.", MAX_LIMIT)
AFTER = Parameter(
    "after",
    description="Where the page begins: from the link to it. It says nothing otherwise.",
    **_matching(_CURSOR, int, "page.malformed", "what the link to the next page has", maxLength=16),
)


def suffix(*formats: str) -> Parameter:
    """The form of the answer, as the ending of the path."""
    known = _one_of({each: each for each in formats}, "format.unknown")
    return Parameter("format", description="The form of the answer.", **known)
