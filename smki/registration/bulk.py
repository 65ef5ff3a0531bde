"""Loads many Parties, Testing Participants or Devices from one CSV or JSON file: all of them or none.

:func:`read_parties` and :func:`read_devices` read a file. :class:`LoadParties` and :class:`LoadDevices` register the
    records, and report for each row what it conflicts with.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

from smki.identity import EntityIdentifier
from smki.ledger import Conflict
from smki.ledger.contract import RegisterReader
from smki.problem import Malformed, Problem
from smki.registration.command import Command, Context, Done
from smki.registration.devices import AddDevices
from smki.registration.inventory import Adding, NotToBeAdded
from smki.registration.parties import Register
from smki.sec.device import Device
from smki.sec.registry_fields import Registrant, parse_registrant, registrant_id

PARTY_COLUMNS = (
    "party_id", "name", "category", "user_roles", "standing", "identifiers", "authorised_for", "officers", "acts_for",
    "through_entry", "quota", "participant_id", "purpose", "agreement", "tests",
)  # fmt: skip
DEVICE_COLUMNS = (
    "device_id", "device_type", "status", "returns_to", "smets_version", "enrolled", "responsible", "model",
    "under_test",
)  # fmt: skip
_FLAGS = ("through_entry", "enrolled")

_COLUMN_OF_CODE = {
    "party-id": "party_id", "party-category": "category", "user-role": "user_roles", "standing": "standing", "day": "standing",
    "entity-identifier": "identifiers", "certificate-kind": "authorised_for", "officer": "officers", "quota": "quota",
    "test-purpose": "purpose", "test": "tests", "device-type": "device_type", "smi-status": "status", "smets-version": "smets_version",
    "fuel": "responsible", "responsible": "responsible", "device-model": "model",
}  # fmt: skip
"""The column that a problem is about, by the first part of the problem's code."""

R = TypeVar("R")
Row = dict[str, Any]


def read_parties(data: bytes, name: str) -> tuple[Registrant, ...]:
    """Read every Party and Testing Participant in a file, in the order of its rows.

    :param data: CSV with a header, or JSON: a list of objects.
    :param name: the name of the file, for error messages.
    :raises Malformed: with a problem for each row that is wrong.
    """
    return tuple(_read(data, name, PARTY_COLUMNS, _registrant))


def read_devices(data: bytes, name: str) -> tuple[Device, ...]:
    """Read every Device in a file; see :func:`read_parties`."""
    return tuple(_read(data, name, DEVICE_COLUMNS, _device))


@dataclass(frozen=True, slots=True)
class LoadParties(Command[tuple[Registrant, ...]]):
    """Register the Parties and Testing Participants of a file: all of them or none."""

    requires_dcc: ClassVar[bool] = True

    rows: tuple[Registrant, ...]

    def carry_out(self, context: Context) -> Done[tuple[Registrant, ...]]:
        """Register the records.

        :raises Conflict: with a problem, naming the row, for each id or Entity Identifier that is already in use.
        """
        problems = list(_clashes_of_parties(context.transaction.register, self.rows))
        if problems:
            raise Conflict(*problems)
        return Register(self.rows).carry_out(context)


@dataclass(frozen=True, slots=True)
class LoadDevices(Command[tuple[Device, ...]]):
    """Add the Devices of a file to the inventory: all of them or none."""

    rows: tuple[Device, ...]

    def carry_out(self, context: Context) -> Done[tuple[Device, ...]]:
        """Add the Devices.

        :raises Conflict: with a problem, naming the row, for each Device that already exists.
        :raises NotToBeAdded: with the problems, naming the row, of each Device that may not be added.
        """
        problems = list(_clashes_of_devices(context.transaction.register, self.rows))
        if problems:
            raise Conflict(*problems)
        adding = Adding(context.transaction, context.actor, context.now.date())
        problems = [
            problem for number, row in enumerate(self.rows, 1) for problem in _not_to_be_added(adding, row, number)
        ]
        if problems:
            raise NotToBeAdded(*problems)
        return AddDevices(self.rows).carry_out(context)


def _read(data: bytes, name: str, columns: tuple[str, ...], parse: Callable[[Row], R]) -> list[R]:
    records: list[R] = []
    problems: list[Problem] = []
    for number, row in enumerate(_rows(data, name, columns), start=1):
        try:
            records.append(parse(row))
        except Malformed as error:
            problems += (_in_row(problem, number) for problem in error.problems)
        except TypeError as error:
            problems.append(
                Problem(
                    code="row.incomplete",
                    subject=f"row {number}",
                    seen=str(error),
                    expected=f"some of: {', '.join(columns)}",
                )
            )
    if problems:
        raise Malformed(*problems)
    if not records:
        raise Malformed(Problem(code="input.no-rows", subject=name, seen="no rows", expected="at least one"))
    return records


def _rows(data: bytes, name: str, columns: tuple[str, ...]) -> Iterator[Row]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(
            Problem(code="input.not-text", subject=name, seen=str(error), expected="CSV or JSON in UTF-8")
        ) from None
    rows = _json_rows(text, name) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text, name)
    for row in rows:
        unknown = [str(column) for column in row if column not in columns]
        if unknown:
            raise Malformed(
                Problem(
                    code="column.unknown",
                    subject=name,
                    seen=f"column {unknown[0]!r}",
                    expected=f"some of: {', '.join(columns)}",
                )
            )
        yield {column: value for column, value in row.items() if value not in ("", None)}


def _json_rows(text: str, name: str) -> list[Row]:
    try:
        rows = json.loads(text)
    except RecursionError:
        raise Malformed(
            Problem(code="input.json", subject=name, seen="values nested too deeply", expected="a JSON list of objects")
        ) from None
    except ValueError as error:
        raise Malformed(
            Problem(code="input.json", subject=name, seen=str(error), expected="a JSON list of objects")
        ) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Malformed(Problem(code="input.json", subject=name, seen="other JSON", expected="a list of objects"))
    return rows


def _csv_rows(text: str, name: str) -> list[Row]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = list(reader)
    except csv.Error as error:
        raise Malformed(
            Problem(code="input.csv", subject=name, seen=str(error), expected="CSV with a header")
        ) from None
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():
            count = len(reader.fieldnames or ())
            raise Malformed(
                Problem(
                    code="row.length",
                    subject=f"row {number}",
                    seen="a different number of columns",
                    expected=f"{count} columns",
                )
            )
    return rows


def _registrant(row: Row) -> Registrant:
    row = dict(row)
    officers = row.get("officers", [])
    row["officers"] = [part.strip() for part in officers.split(";")] if isinstance(officers, str) else officers
    if "through_entry" in row:
        row["through_entry"] = _flag("through_entry", row["through_entry"])
    if "tests" in row:
        row["tests"] = _tests(row["tests"])
    return parse_registrant({column: _text(column, value) for column, value in row.items()})


def _tests(value: Any) -> list[dict[str, str]]:
    """Return the fields of tests, which are a list of objects, in CSV as JSON.

    :raises Malformed: for anything else.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    objects = value if isinstance(value, list) and all(isinstance(test, dict) for test in value) else [{"": None}]
    if all(isinstance(field, str | int) for test in objects for field in test.values()):
        return [{name: str(field) for name, field in test.items()} for test in objects]
    raise Malformed(
        Problem(
            code="row.value",
            subject="column tests",
            seen=repr(value)[:64],
            expected="a list of objects with the fields of a test, all of them text",
            clause="RFC 8259",
        )
    )


def _device(row: Row) -> Device:
    row = dict(row)
    if "enrolled" in row:
        row["enrolled"] = _flag("enrolled", row["enrolled"])
    return Device.parse(**{column: _text(column, value) for column, value in row.items()})


def _text(column: str, value: Any) -> Any:
    """Return the value in the form that is parsed: a list of strings for officers, a Boolean for flags, otherwise a
    string.

    :raises Malformed: for any other list, an object, or a Boolean where a string is expected.
    """
    if column in (*_FLAGS, "tests"):
        return value
    if column == "officers" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    if isinstance(value, bool | list | dict):
        expected = "a list of texts" if column == "officers" else "text"
        raise Malformed(
            Problem(
                code="row.value",
                subject=f"column {column}",
                seen=f"{type(value).__name__}",
                expected=expected,
                clause="RFC 8259",
            )
        )
    return str(value)


def _flag(column: str, value: Any) -> bool:
    words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() in words:
        return words[str(value).strip().lower()]
    raise Malformed(
        Problem(code="flag.malformed", subject=f"column {column}", seen=repr(value)[:64], expected="yes or no")
    )


def _in_row(problem: Problem, number: int) -> Problem:
    column = _COLUMN_OF_CODE.get(problem.code.partition(".")[0])
    where = f"row {number}, column {column}" if column else f"row {number}"
    return replace(problem, subject=f"{where}: {problem.subject}")


def _not_to_be_added(adding: Adding, row: Device, number: int) -> list[Problem]:
    try:
        adding.admit(row)
    except NotToBeAdded as error:
        return [replace(problem, subject=f"row {number}: {problem.subject}") for problem in error.problems]
    return []


def _clashes_of_parties(register: RegisterReader, records: Sequence[Registrant]) -> Iterator[Problem]:
    seen: set[str] = set()
    owners: dict[EntityIdentifier, str] = {}
    taken = {registrant_id(registrant) for registrant in register.registrants()}
    for number, record in enumerate(records, start=1):
        identity = registrant_id(record)
        if identity in taken or identity in seen:
            where = "registered already" if identity in taken else "in the file twice"
            yield Problem(
                code="party.exists",
                subject=f"row {number}, column party_id: Party {identity}",
                seen=where,
                expected="a new one",
            )
        seen.add(identity)
        for identifier in sorted(record.identifiers):
            owner = register.owner(identifier)
            owner_id = registrant_id(owner) if owner else owners.get(identifier)
            if owner_id is not None:
                subject = f"row {number}, column identifiers: Entity Identifier {identifier}"
                yield Problem(
                    code="entity-identifier.taken",
                    subject=subject,
                    seen=f"belongs to {owner_id}",
                    expected="an EUI-64 of no other Party",
                )
            owners.setdefault(identifier, identity)


def _clashes_of_devices(register: RegisterReader, records: Sequence[Device]) -> Iterator[Problem]:
    seen: set[EntityIdentifier] = set()
    for number, record in enumerate(records, start=1):
        if record.device_id in seen or register.device(record.device_id) is not None:
            where = "in the file twice" if record.device_id in seen else "in the inventory already"
            yield Problem(
                code="device.exists",
                subject=f"row {number}, column device_id: Device {record.device_id}",
                seen=where,
                expected="a new one",
            )
        seen.add(record.device_id)
