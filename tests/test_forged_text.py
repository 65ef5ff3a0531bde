"""Text from somebody else cannot pass for a line of ours, drive a terminal, or turn the direction of writing."""

from __future__ import annotations

import ast
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smki_repository.app import create_app

from smki import Certificate, Problem, Smki, SmkiError
from smki.pki.request import organisation_subject
from smki.pki.x509 import name_text
from smki.problem import problem_lines, problem_text
from smki.testing.defects import Base
from smki.testing.defects.edits import put
from smki.testing.defects.sample_pki import ORGANISATION_EUI64, ROLE
from smki.text import visible
from tests.profile.support import PKI
from tests.support import PROJECT, run_cli, run_here

FORGED = "Meters\n  Role                networkOperator\x1b[2J\u202eevil\u200b\u2028\x00\x7f\x9b"
ESCAPED = r"Meters\n  Role                networkOperator\x1b[2J\u202eevil\u200b\u2028\x00\x7f\x9b"


def forged() -> bytes:
    subject = organisation_subject(ROLE, ORGANISATION_EUI64, FORGED)
    content_bytes: bytes = put(subject=subject)(PKI.good(Base.ORGANISATION), PKI).encoded()
    return content_bytes


def forged_issuer() -> bytes:
    subject = organisation_subject(ROLE, ORGANISATION_EUI64, FORGED)
    content_bytes: bytes = put(subject=subject, issuer=subject)(PKI.good(Base.ORGANISATION), PKI).encoded()
    return content_bytes


def is_clean(output: bytes) -> bool:
    """Whether each line is printable, and none begins as the forged one would."""
    lines = output.decode().split("\n")
    return all(line.isprintable() for line in lines) and not any(
        "Role" in line[:6] and "networkOp" in line for line in lines
    )


@given(st.text())
def test_what_is_visible_is_printable_and_on_one_line(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    assert visible(shown) == shown
    if text.isprintable():
        assert shown == text


def test_no_control_or_format_character_or_separator_is_left() -> None:
    for number in range(0x110000):
        character = chr(number)
        if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs"):
            assert visible(character).isascii(), hex(number)


def test_show(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "forged.der"
    file.write_bytes(forged())
    for words in (("show", file, "--home", home), ("show", file, "--home", tmp_path)):
        output = run_here(*words).stdout
        assert is_clean(output)
        assert f"  Common name         {ESCAPED}\n" in output.decode()
    values = json.loads(run_here("show", file, "--home", home, "--json").stdout)
    assert values["commonName"] == FORGED


def test_lint_and_verify(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "forged\n  Role networkOperator\u202e.der"
    file.write_bytes(forged_issuer())
    for words in (
        ("lint", file),
        ("lint", file, file),
        ("verify", file, "--home", home),
        ("verify", file, file, "--checks", "--home", home),
    ):
        output = run_here(*words).stdout
        assert is_clean(output), output
        assert rb"\u202e" in output


def test_what_was_imported(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "forged\n  Role networkOperator.der"
    file.write_bytes(forged_issuer())
    for words in (
        ("import", file),
        ("list", "--imported"),
        ("search", "Meters"),
        ("search", "no\nsuch\x1b[1m"),
        ("audit", "events", "01"),
    ):
        result = run_cli(*words, "--home", home)
        assert b"Traceback" not in result.stderr
        assert is_clean(result.stdout), result.stdout
        assert is_clean(result.stderr), result.stderr


def test_errors(home: Path, tmp_path: Path) -> None:
    name = "no\n  Role networkOperator\x1b[31m\u2066"
    for words in (
        ("show", name, "--home", home),
        ("lint", name),
        ("verify", name, "--home", home),
        ("list", "--home", tmp_path / name),
        ("list", name, "--home", home),
        ("list", f"--{name}", "--home", home),
        ("party", "show", name, "--home", home),
        ("eligible", "device", "--eui", name, "--home", home),
    ):
        result = run_cli(*words)
        assert result.returncode != 0
        assert is_clean(result.stderr), result.stderr
        assert result.stderr.strip()


def test_problems_are_escaped_in_the_one_place_that_writes_them() -> None:
    problem = Problem(code="code", subject=FORGED, seen=FORGED, expected=FORGED, clause=FORGED, remedy=FORGED)
    lines = problem_lines(problem)
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert problem_text(problem) == str(SmkiError(problem)) == "\n".join(lines)
    assert problem.as_json()["seen"] == FORGED


def test_a_name_in_json_stays_as_it_is() -> None:
    certificate = Certificate.from_der(forged())
    assert certificate.as_json()["commonName"] == FORGED
    assert FORGED in name_text(certificate.subject)


def test_parties_and_officers(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "parties.json"
    rows = json.loads(run_here("party", "show", "LARGE-SUPPLIER", "--home", home, "--json").stdout)
    del rows["certificates"]
    rows |= {"party_id": "FORGED", "name": FORGED, "identifiers": [], "officers": []}
    file.write_text(json.dumps([rows]))
    result = run_cli("party", "load", file, "--home", home)
    assert is_clean(result.stdout + result.stderr)
    for words in (("party", "list"), ("party", "show", "FORGED")):
        result = run_cli(*words, "--home", home)
        assert is_clean(result.stdout + result.stderr)


def test_every_command_writes_text_through_one_function() -> None:
    """What goes to click.echo directly is JSON, or a verdict with its colours."""
    direct = []
    for file in sorted((PROJECT / "smki" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.echo", "print", "click.secho"):
                written = ast.unparse(node.args[0])
                if not written.startswith("json.dumps(") or (
                    "ensure_ascii=False" in written and file.name != "profile.py"
                ):
                    direct.append(f"{file.name}: {written}")
    assert direct == ["say.py: '\\n'.join(map(visible, lines))", "verify.py: one_line(one)"]


def test_pages_and_plain_answers_of_the_repository(
    home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Smki.open(home) as smki:
        app = create_app(smki)
        assert app.jinja_env.from_string("{{ name }}").render(name=FORGED) == ESCAPED.replace("'", "&#39;")
        assert app.jinja_env.from_string("{{ name }}").render(name="<\u202e>") in ("<\\u202e>", "&lt;\\u202e&gt;")

        @app.get("/fails/<path:name>")
        def fails(name: str) -> str:
            raise RuntimeError("broken")

        client = app.test_client()
        answer = client.get("/nothing%0aRole%20networkOperator%e2%80%ae")
        assert is_clean(answer.data)
        assert client.get("/fails/a%1b%5b2J%e2%80%ae").status_code == 500
    assert any(r"/fails/a\x1b[2J\u202e" in record.getMessage() for record in caplog.records)
    assert all(record.getMessage().isprintable() for record in caplog.records)
