"""Whatever somebody writes into a row by hand, a command that reads it answers, or says which row cannot be read."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smki_repository.app import create_app
from smki_repository.rest.service import API
from werkzeug.test import TestResponse

from smki import Smki
from smki.ledger.sqlite.schema import empty_database
from smki.problem import IntegrityError, SmkiError
from smki.remedies import Interface
from tests.registration.test_one_command_each import CLI_READS, OF_SUBSCRIBERS, REST_READS, Prepared, prepared
from tests.support import SOAK, run_here

__all__ = ["prepared"]

SLOW = {"backup", "audit checkpoint", "export folder", "export pkcs12", "export org-crypto", "extract apply", "tidy"}


class Column(NamedTuple):
    """A column of the schema."""

    table: str
    name: str


def columns() -> list[Column]:
    connection = sqlite3.connect(":memory:")
    connection.deserialize(empty_database())
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
    found = [Column(table, row[1]) for table in tables for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.close()
    return [column for column in found if not column.table.startswith("_")]


COLUMNS = columns()

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=40),
    st.sampled_from(["", "tomorrow", "{}", "[]", '"x"', "null", "[1]", '{"name":1}', '{"name":{"from":1,"to":2}}',
                     '{"registrants":[1]}', '{"party_id":1}', "[" * 100_000, b"\x01", b"\xff" * 16, -1, 2**62]),
)  # fmt: skip


class Damaged:
    """A home, one value of whose ledger is changed at a time."""

    def __init__(self, own: Prepared) -> None:
        self.own, self._numbers = own, itertools.count()
        self._ledger = own.home / "ledger.sqlite"
        self._sound = self._ledger.read_bytes()

    def damage(self, column: Column, number: int, value: Any) -> bool:
        """Change a value in one of the rows; return False if the schema does not allow it."""
        for file in self.own.home.glob("ledger.sqlite*"):
            file.unlink()
        self._ledger.write_bytes(self._sound)
        connection = sqlite3.connect(self._ledger, isolation_level=None)
        try:
            keys = [row[1] for row in connection.execute(f"PRAGMA table_info({column.table})") if row[5]]
            rows = connection.execute(
                f"SELECT {', '.join(keys)} FROM {column.table} ORDER BY {', '.join(keys)}"
            ).fetchall()
            if not rows:
                return False
            triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            where = " AND ".join(f"{key} = ?" for key in keys)
            change = f"UPDATE {column.table} SET {column.name} = ? WHERE {where}"
            connection.execute(change, (value, *rows[number % len(rows)]))
            for _, create in triggers:
                connection.execute(create)
        except sqlite3.IntegrityError:
            return False
        finally:
            connection.close()
        return True

    def number_of(self, table: str, serial_number: str) -> int:
        """The first row of a table with a serial number (hexadecimal), counted in the order of its key."""
        column, order = ("serial_number", "id") if table == "certificate" else ("issuer_serial_number", "1, number")
        connection = sqlite3.connect(self._ledger)
        found = connection.execute(f"SELECT {column} FROM {table} ORDER BY {order}").fetchall()
        connection.close()
        return found.index((bytes.fromhex(serial_number),))

    def run(self, line: str) -> None:
        """Run a command that reads. It answers, or raises what the command line reports."""
        new = Path(self.own.names["new"]) / str(next(self._numbers))
        new.mkdir()
        names = {**self.own.names, "new": str(new)}
        try:
            run_here(*(word.format(**names) for word in line.split()), "--home", self.own.home)
        except SmkiError:
            pass
        finally:
            shutil.rmtree(new)

    def ask_all(self, names: list[str]) -> None:
        """Ask for operations that read. Each answers, with a status other than 500."""
        try:
            smki = Smki.open(self.own.home)
        except SmkiError:
            return
        with smki:
            for name in names:
                answer = self.ask(smki, name)
                assert answer.status_code != 500, (name, answer.text)

    def ask(self, smki: Smki, name: str) -> TestResponse:
        """Ask for an operation that reads."""
        path, body = REST_READS[name]
        secret = self.own.token if name in OF_SUBSCRIBERS else self.own.names["dcc"]
        options: dict[str, Any] = {"headers": {"Authorization": f"Bearer {secret}"}}
        if isinstance(body, str):
            options |= {"data": body.format(**self.own.names), "content_type": "application/x-pem-file"}
        elif body is not None:
            options["json"] = body
        method = "GET" if body is None else "POST"
        return create_app(smki).test_client().open(f"{API}{path.format(**self.own.names)}", method=method, **options)


@pytest.fixture
def damaged(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Damaged:
    monkeypatch.setenv("SMKI_PKCS12_PASSPHRASE", "a passphrase")
    shutil.copytree(prepared.home, tmp_path / "home")
    (tmp_path / "new").mkdir()
    for line in (f"import {prepared.names['foreign']}", "settings set certified-products listed", "participant set-mode strict",
                 "participant set-mode open", "settings set certified-products any"):  # fmt: skip
        run_here(*line.split(), "--home", tmp_path / "home")
    return Damaged(Prepared(tmp_path / "home", {**prepared.names, "new": str(tmp_path / "new")}, prepared.token))


@pytest.mark.parametrize(
    ("table", "column", "number", "value", "command", "subject"),
    [
        ("audit_event", "at", 3, "tomorrow", "audit events", "audit_event 4"),
        ("audit_event", "at", 3, 2**62, "audit events", "audit_event 4"),
        ("audit_event", "event", 3, "flew away", "audit events", "audit_event 4"),
        ("audit_event", "content", 1, "[" * 100_000, "audit events", "audit_event 2"),
        ("application", "reasons", 0, '[{"x": 1}]', "applications list", "application 1"),
        ("application", "request", -1, b"\x01\xff", "applications list", "application 13"),
        ("certificate", "role", 0, 99, "list", "certificate 1"),
        ("certificate", "der", -1, b"\x30\x00", "show {issued}", "certificate {issued}"),
        ("certificate", "der", -1, b"\x30\x00", "export csv --out {new}/a.csv", "certificate {issued}"),
        ("registrant", "record", 0, "[1]", "party list", "registrant DCC"),
        ("registrant", "record", 0, "[1]", "eligible device --eui 00-DB-12-34-56-78-90-A0", "registrant DCC"),
        ("device", "record", 0, "{}", "device list", "device 00DB1234567890A0"),
        ("device", "threshold", 0, "many", "device show 00-DB-12-34-56-78-90-A0", "device 00DB1234567890A0"),
        ("revocation_list", "this_update", 0, b"x", "crl list", "revocation_list {authority}"),
        ("revocation_list", "der", 0, b"x", "crl show 1", "revocation_list 1"),
        ("revocation", "reason", 0, "boredom", "crl publish", "revocation {revoked}"),
        ("revocation", "effective", 0, -(2**62), "crl publish", "revocation {revoked}"),
        ("credential", "created", 0, -(2**62), "apikey list", "credential 1"),
        ("certified_product", "device_type", 0, "KETTLE", "cpl list", "certified_product LISTED"),
        ("imported_certificate", "findings", 0, '["x"]', "list --imported", "imported_certificate 1"),
        ("setting", "value", 0, b"any", "settings list", "setting certified-products"),
    ],
)
def test_the_row_that_cannot_be_read_is_named(
    damaged: Damaged, table: str, column: str, number: int, value: Any, command: str, subject: str
) -> None:
    names = damaged.own.names
    if table == "revocation_list" or "{issued}" in subject:
        number = damaged.number_of(table, names["authority" if table == "revocation_list" else "issued"])
    assert damaged.damage(Column(table, column), number, value)
    if table == "revocation":
        with sqlite3.connect(damaged.own.home / "ledger.sqlite") as connection:
            names = {**names, "revoked": connection.execute("SELECT hex(serial_number) FROM revocation").fetchone()[0]}
    words = [word.format(**names) for word in command.split()]
    with pytest.raises(IntegrityError) as caught:
        run_here(*words, "--home", damaged.own.home)
    problem = caught.value.problems[0]
    assert problem.code == "ledger.row"
    assert problem.subject == subject.format(**names)
    assert "smki check" in problem.remedy_for(Interface.CLI)
    assert run_here("check", "--home", damaged.own.home).returncode == 1


@pytest.mark.parametrize(
    ("table", "column", "number", "operation"),
    [
        ("audit_event", "at", -1, "listEvents"),
        ("application", "reasons", 11, "listApplications"),
        ("certificate", "kind", -1, "listCertificates"),
        ("certificate", "der", -1, "listCertificates"),
        ("registrant", "record", -1, "listParties"),
        ("registrant", "record", 0, "askDevice"),
        ("device", "record", -1, "listDevices"),
        ("credential", "created", 0, "listApiKeys"),
        ("certified_product", "listed", -1, "listCertifiedProducts"),
        ("certificate_count", "status", -1, "getStatistics"),
    ],
)
def test_the_answer_over_rest_is_a_problem_with_503(
    damaged: Damaged, table: str, column: str, number: int, operation: str
) -> None:
    assert damaged.damage(Column(table, column), number, "x")
    with Smki.open(damaged.own.home) as smki:
        answer = damaged.ask(smki, operation)
    assert answer.status_code == 503, answer.text
    (problem,) = answer.get_json()["problems"]
    assert problem["code"] == "ledger.row"
    assert problem["subject"].startswith(table)
    assert "check the ledger" in problem["remedy"]


@settings(
    max_examples=12 * SOAK,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(COLUMNS),
    st.integers(0, 200),
    VALUES,
    st.lists(st.sampled_from(sorted(set(CLI_READS) - SLOW)), min_size=8, max_size=8, unique=True),
    st.lists(st.sampled_from(sorted(REST_READS)), min_size=8, max_size=8, unique=True),
)
def test_every_command_answers_or_says_what_cannot_be_read(
    damaged: Damaged, column: Column, number: int, value: Any, commands: list[str], operations: list[str]
) -> None:
    if damaged.damage(column, number, value):
        for command in ("check", *commands):
            damaged.run(CLI_READS[command])
        damaged.ask_all(operations)
