"""Whatever value stands in whatever column, a reader of the ledger returns what it promises, or says which row is damaged."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smki import EntityIdentifier, SerialNumber
from smki.identity import PartyId
from smki.ledger.records import ApplicationQuery, CertificateQuery, CredentialKind, EventQuery, Order
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.ledger.sqlite.row_form import row_of
from smki.problem import IntegrityError, SmkiError
from tests.ledger.test_tampering import COLUMNS, MIGRATIONS_TABLE, Column, Tampered, image
from tests.support import DEVICE, SOAK, SUPPLIER

__all__ = ["image"]

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=40),
    st.sampled_from(["", "tomorrow", "{}", "[]", '"x"', "null", "[1]", '{"name":1}', '{"name":{"from":1,"to":2}}',
                     '{"name":{}}', '{"registrants":[1]}', '{"registrants":1}', '{"numbersAbove":"x"}', '[{"code":1}]',
                     '{"party_id":1}', "[" * 100_000, b"\x01", b"\xff" * 16, -1, 2**62]),
)  # fmt: skip

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PARTY = PartyId.parse("LARGE-SUPPLIER")


def reads(
    ledger: SqliteLedger, serials: list[SerialNumber], issuers: list[SerialNumber]
) -> Iterator[Callable[[], Any]]:
    """Every way to read, with its result read to the end."""
    register, revocations, search, history = ledger.register, ledger.revocations, ledger.search, ledger.history
    for serial in serials:
        yield lambda serial=serial: ledger.certificate(serial)  # type: ignore[misc]
        yield lambda serial=serial: revocations.of(serial)  # type: ignore[misc]
        yield lambda serial=serial: ledger.imports.with_serial_number(serial)  # type: ignore[misc]
        yield lambda serial=serial: search.events(EventQuery(serial_number=serial)).records  # type: ignore[misc]
    for issuer in issuers:
        yield lambda issuer=issuer: list(revocations.entries(issuer, NOW))  # type: ignore[misc]
        yield lambda issuer=issuer: list(revocations.lists(issuer))  # type: ignore[misc]
        yield lambda issuer=issuer: revocations.latest(issuer)  # type: ignore[misc]
        yield lambda issuer=issuer: revocations.as_of(issuer, NOW)  # type: ignore[misc]
        yield lambda issuer=issuer: [revocations.pending(each, NOW) for each in revocations.lists(issuer)]  # type: ignore[misc]
    yield lambda: list(ledger.certificates(CertificateQuery()))
    yield lambda: ledger.authorities()
    yield lambda: list(ledger.applications(ApplicationQuery()))
    yield lambda: ledger.unfinished_applications()
    yield lambda: ledger.certificates_issued_to(str(PARTY))
    yield lambda: ledger.certificates_by_test(str(PARTY))
    yield lambda: [ledger.setting(name) for name in ("certified-products", "participants")]
    yield lambda: ledger.roles_certified(SUPPLIER)
    yield lambda: (ledger.last_certificate_id(), ledger.count_certificates(), ledger.numbers_above())
    yield lambda: list(ledger.events())
    yield lambda: [register.registrants(), register.registrant(PARTY), register.owner(SUPPLIER)]
    yield lambda: register.highest_identifier(EntityIdentifier(bytes(8)), EntityIdentifier(b"\xff" * 8))
    yield lambda: [list(register.devices()), register.device(DEVICE), register.threshold(DEVICE)]
    yield lambda: [register.products(), register.product("ACME SM100 1.1")]
    yield lambda: [ledger.credentials.all(kind) for kind in CredentialKind]
    yield lambda: list(ledger.imports.certificates(CertificateQuery()))
    yield lambda: [history.of_registrants(), history.of_device(DEVICE)]
    yield lambda: [history.of_setting("certified-products"), history.of_setting("participants")]
    yield lambda: [history.certificates_by_subscriber(), history.certificates_by_test()]
    for order in Order:
        yield lambda order=order: list(search.all_certificates(CertificateQuery(), order))  # type: ignore[misc]
    yield lambda: [search.registrants().records, search.devices(), search.applications(ApplicationQuery()).records]
    yield lambda: [search.events(EventQuery()).records, search.statistics(int(NOW.timestamp()))]
    yield lambda: [
        ledger.record.size(),
        list(ledger.record.leaves()),
        list(ledger.record.events()),
        list(ledger.record.rows()),
    ]


HINTS = {"str": str, "int": int, "bytes": bytes, "datetime": datetime, "bool": bool}


def has_the_types_it_promises(found: Any) -> bool:
    """Whether the plain fields of records have their types, at any depth."""
    if isinstance(found, list | tuple | frozenset):
        return all(map(has_the_types_it_promises, found))
    if isinstance(found, dict):
        return all(map(has_the_types_it_promises, found.values()))
    if not dataclasses.is_dataclass(found) or isinstance(found, type):
        return True
    hints = get_type_hints(type(found))
    for field in dataclasses.fields(found):
        value, kind = getattr(found, field.name), hints.get(field.name)
        if isinstance(kind, type) and kind in HINTS.values() and not isinstance(value, kind):
            return False
        if not has_the_types_it_promises(value):
            return False
    return True


@settings(
    max_examples=60 * SOAK,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.sampled_from([each for each in COLUMNS if each.table != MIGRATIONS_TABLE]), st.integers(0, 300), VALUES)
def test_a_reader_returns_what_it_promises_or_names_the_row(
    image: bytes, column: Column, number: int, value: Any
) -> None:
    tampered = Tampered(image)
    try:
        keys = tampered.key(column.table)
        rows = tampered.connection.execute(
            f"SELECT {', '.join(keys)} FROM {column.table} ORDER BY {', '.join(keys)}"
        ).fetchall()
        serials = [SerialNumber.from_bytes(row[0]) for row in tampered.connection.execute(
            "SELECT serial_number FROM certificate UNION SELECT serial_number FROM imported_certificate")]  # fmt: skip
        issuers = [SerialNumber.from_bytes(row[0]) for row in tampered.connection.execute(
            "SELECT DISTINCT issuer_serial_number FROM revocation_list")]  # fmt: skip
        where = " AND ".join(f"{key} = ?" for key in keys)
        try:
            tampered.execute(
                f"UPDATE {column.table} SET {column.name} = ? WHERE {where}", value, *rows[number % len(rows)]
            )
        except sqlite3.IntegrityError:  # the schema does not let it be that
            return
        for read in reads(tampered.ledger, serials, issuers):
            try:
                assert has_the_types_it_promises(read())
            except SmkiError:
                continue
    finally:
        tampered.ledger.close()


def test_what_a_form_says_of_each_value() -> None:
    @row_of("thing", "ibT")
    def thing(row: tuple[Any, ...]) -> int:
        return int(row[2] or "0")

    assert thing((1, b"", "5")) == 5
    assert thing((1, b"", None)) == 0
    for row, seen in {
        (7, "x", "5"): "text where bytes should be (value 2)",
        (7, b"", 5): "a number where text should be (value 3)",
        (7, None, None): "nothing where bytes should be (value 2)",
        (7, b"", "x"): "invalid literal for int() with base 10: 'x'",
    }.items():
        with pytest.raises(IntegrityError) as caught:
            thing(row)
        assert caught.value.problems[0].subject == "thing 7"
        assert caught.value.problems[0].seen == f"cannot be read: {seen}"
    with pytest.raises(IntegrityError, match="a fraction where a number should be"):
        thing((1.5, b"", "5"))
