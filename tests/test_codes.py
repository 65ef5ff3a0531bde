"""Every code that is raised is in a catalogue, every row is raised somewhere, and every remedy exists."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

import pytest

from checks.codes_document import codes_document
from smki.codes import CODES
from smki.eligibility.refusals import REASONS
from smki.problem import Problem, problem_text
from smki.profile.catalogue import CATALOGUE
from smki.relying_party import requirements
from smki.remedies import REMEDIES, Interface
from tests.support import PROJECT

CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*\Z")
RAISERS = {"Problem", "parse_word", "fails", "_problem", "unreadable", "_refuse", "_not_json", "_in_row"}
"""Functions that take a code, first or second."""


def raised() -> dict[str, set[str]]:
    """The codes that are written in the source where something is refused, with the files."""
    found = defaultdict(set)
    for root in ("smki", "repository"):
        for file in (PROJECT / root).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if not isinstance(node, ast.Call):
                    continue
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
                for value in given if name in RAISERS else ():
                    if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.match(value.value):
                        found[value.value].add(str(file.relative_to(PROJECT)))
    return found


RAISED = raised()
CATALOGUES = {*CODES, *CATALOGUE, *REASONS, *requirements.REMEDIES}


def test_every_code_that_is_raised_is_in_a_catalogue() -> None:
    assert {code: files for code, files in RAISED.items() if code not in CATALOGUES} == {}


def test_every_row_is_raised_somewhere() -> None:
    text = "\n".join(
        file.read_text()
        for root in ("smki", "repository")
        for file in (PROJECT / root).rglob("*.py")
        if file.name != "codes.py"
    )
    assert [code for code in CODES if f'"{code}"' not in text] == []


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_row_is_whole(code: str) -> None:
    row = CODES[code]
    assert row.code == code
    assert CODE.match(code)
    assert row.remedy == "" or row.remedy in REMEDIES or row.remedy.endswith((".", "?"))


@pytest.mark.parametrize("key", sorted(REMEDIES))
def test_a_remedy_has_a_text_for_each_interface(key: str) -> None:
    problem = Problem(code="test.none", subject="test", seen="nothing", remedy=key, given={"party": "ACME"})
    for interface in Interface:
        text = problem.remedy_for(interface)
        assert text.endswith(".")
        assert "{" not in text
    rest = problem.remedy_for(Interface.REST)
    assert "smki " not in rest.replace("smki.", "")
    assert "--" not in rest


def test_every_key_of_a_remedy_is_used() -> None:
    used = {row.remedy for row in CODES.values()} | {reason.remedy for reason in REASONS.values()}
    used |= set(requirements.REMEDIES.values())
    text = "\n".join(
        file.read_text() for file in (PROJECT / "smki").rglob("*.py") if not file.name.endswith("remedies.py")
    )
    assert [key for key in REMEDIES if key not in used and f'"{key}"' not in text] == []


def test_clause_and_remedy_come_from_the_catalogue() -> None:
    problem = Problem(code="party.unknown", subject="Party ACME", seen="not registered")
    assert problem.clause == "SEC L3"
    assert "smki party add" in problem_text(problem)
    assert "POST /api/v1/parties" in problem_text(problem, Interface.REST)
    assert Problem(**problem.fields()) == problem


def test_the_page_of_codes_is_up_to_date() -> None:
    assert (PROJECT / "docs" / "codes.md").read_text() == codes_document()
