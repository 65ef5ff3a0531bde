"""Whichever lint rule is deleted, something notices: a defect is no longer found by what its row says.

Twice: by code (the row of the catalogue taken away), and by place (each single ``report(...)`` and ``StructureFault(...)`` in
the source made to say nothing).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from smki import lint
from smki.pki.certificate import Certificate
from smki.pki.x509 import StructureFault
from smki.profile import catalogue
from smki.profile.catalogue import CATALOGUE, Report
from smki.testing.defects import DEFECTS, Base, Defect, SamplePki
from tests.profile.support import codes
from tests.support import PROJECT
from tests.testing.further_cases import further_cases

Place = tuple[str, int]
"""File and line."""


def issuer_of(defect: Defect, pki: SamplePki) -> Certificate | None:
    return Certificate.from_der(pki.good_bytes(defect.issuer)) if defect.issuer else None


def outcome(defect: Defect, pki: SamplePki) -> tuple[set[str], set[str]]:
    """What is found in it, and in good ones below it."""
    encoded = defect.make(pki)
    below: set[str] = set()
    if defect.below:
        authority = Certificate.from_der(encoded)
        for base in Base:
            if base.issuer is defect.base is not base:
                below |= codes(lint(pki.good_bytes(base), issuer=authority))
    return codes(lint(encoded, issuer=issuer_of(defect, pki), kind=defect.asked)), below


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_code_that_nothing_reports_is_missed(code: str, pki: SamplePki, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules of that code deleted: at least one defect is found by less than its row says."""
    concerned = [defect for defect in DEFECTS if code in (*defect.codes, *defect.below)]
    assert concerned
    report = Report.__call__

    def silent(self: Report, found: str, *words: str) -> None:
        if found != code:
            report(self, found, *words)

    before = [outcome(defect, pki) for defect in concerned]
    monkeypatch.setattr(Report, "__call__", silent)
    after = [outcome(defect, pki) for defect in concerned]
    for defect, (found, below) in zip(concerned, after, strict=True):
        if code in defect.codes:
            assert found == set(defect.codes) - {code}
        else:
            assert code not in below
    assert after != before


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_row_cannot_be_deleted_from_the_catalogue(code: str, pki: SamplePki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "CATALOGUE", {key: row for key, row in CATALOGUE.items() if key != code})
    with pytest.raises(KeyError, match=code):
        for defect in DEFECTS:
            if code in (*defect.codes, *defect.below):
                outcome(defect, pki)


SOURCES = [
    *sorted((PROJECT / "smki" / "profile").glob("*.py")),
    *(PROJECT / "smki" / "pki" / name for name in ("x509.py", "certificate.py", "request.py", "revocation_list.py")),
]


def places() -> Iterator[tuple[str, ast.Call]]:
    """Every place at which a check reports something, or a reader notes a fault for one."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("report", "StructureFault")
            ):
                yield str(file), node


def cases(pki: SamplePki) -> Iterator[Callable[[], object]]:
    """Everything that is linted here: the defects, what stands below them, and further cases."""
    for defect in DEFECTS:
        yield partial(outcome, defect, pki)
    for _, run in further_cases(pki):
        yield run


def test_every_place_that_reports_is_needed(pki: SamplePki, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place alone is the only source of a code in some case: made silent, that case's outcome changes.

    Seen by noting, for every finding, the line that it comes from.
    """
    sources: list[tuple[str, Place]] = []
    report, fault = Report.__call__, StructureFault.__init__
    files = {str(file) for file in SOURCES}

    def place() -> Place:
        frame = sys._getframe(2)
        return frame.f_code.co_filename, frame.f_lineno

    def noting(self: Report, code: str, *words: str) -> None:
        sources.append((code, place()))
        report(self, code, *words)

    def noting_fault(self: StructureFault, code: str, *words: str) -> None:
        sources.append((code, place()))
        fault(self, code, *words)

    monkeypatch.setattr(Report, "__call__", noting)
    monkeypatch.setattr(StructureFault, "__init__", noting_fault)
    needed: set[Place] = set()
    for run in cases(pki):
        sources.clear()
        run()
        for code in {code for code, _ in sources}:
            origins = {origin for found, origin in sources if found == code}
            through = {origin for origin in origins if "report_faults" not in _function_at(origin)}
            if len(through) == 1:
                needed |= through
    needed = {origin for origin in needed if origin[0] in files}
    unneeded = [
        f"{Path(file).name}:{node.lineno} {ast.unparse(node)[:90]}"
        for file, node in places()
        if not any(
            origin[0] == file and node.lineno <= origin[1] <= (node.end_lineno or node.lineno) for origin in needed
        )
        and "report_faults" not in _function_at((file, node.lineno))
    ]
    assert unneeded == [], "\n".join(unneeded)


def _function_at(origin: Place) -> str:
    """The name of the function around a place."""
    file, line = origin
    if file not in _FUNCTIONS:
        _FUNCTIONS[file] = [
            (node.lineno, node.end_lineno or node.lineno, node.name)
            for node in ast.walk(ast.parse(Path(file).read_text()))
            if isinstance(node, ast.FunctionDef)
        ]
    around = [name for start, end, name in _FUNCTIONS[file] if start <= line <= end]
    return around[-1] if around else ""


_FUNCTIONS: dict[str, list[tuple[int, int, str]]] = {}
