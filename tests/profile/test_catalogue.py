"""The catalogue, the code and docs/findings.md say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from smki.problem import Severity
from smki.profile.catalogue import CATALOGUE, Report
from smki.profile.check_extensions import _CODES
from smki.profile.document import findings_document
from smki.profile.tables import ALL_PROFILES
from smki.testing.defects import DEFECTS
from tests.support import PROJECT

CODE = re.compile(r"[a-z][a-z-]*\.[a-z][a-z-]*\Z")
READERS = ("x509.py", "certificate.py", "request.py", "revocation_list.py")


def sources() -> list[Path]:
    return [
        *sorted((PROJECT / "smki" / "profile").glob("*.py")),
        *(PROJECT / "smki" / "pki" / name for name in READERS),
    ]


def codes_written_in(file: Path) -> set[str]:
    """Every text in a module that is handed to report() or Fault() as its code, or stands first in a tuple of names."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        first: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("report", "Fault"):
            first = node.args[0]
        elif isinstance(node, ast.Tuple) and len(node.elts) == 4:
            first = node.elts[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and CODE.match(first.value):
            found.add(first.value)
    return found


def test_there_are_at_least_seventy() -> None:
    assert len(CATALOGUE) >= 70


def test_every_row_is_whole() -> None:
    for code, row in CATALOGUE.items():
        assert code == row.code
        assert CODE.match(code), code
        assert isinstance(row.severity, Severity)
        assert row.clause.strip(), code
        assert row.rule.strip(), code
        assert "|" not in row.rule + row.clause, code  # it goes into a table


def test_every_code_in_the_source_is_in_the_catalogue() -> None:
    written = set().union(*map(codes_written_in, sources()))
    assert len(written) > 90
    assert written <= set(CATALOGUE)


def test_every_code_that_is_put_together_is_in_the_catalogue() -> None:
    for profile in ALL_PROFILES.values():
        for row in profile.extensions:
            prefix, form = _CODES[row.form.oid], row.form
            if not form.optional:
                assert f"{prefix}.missing" in CATALOGUE
            if form.critical is not None:
                assert f"{prefix}.{'not-critical' if form.critical else 'critical'}" in CATALOGUE
    for prefix in ("validity.", "update.", "entry.date-"):
        assert {f"{prefix}malformed", f"{prefix}encoding"} <= set(CATALOGUE)


def test_every_code_of_the_catalogue_is_found_in_a_defect() -> None:
    """So none is there that nothing reports."""
    found = {code for defect in DEFECTS for code in (*defect.codes, *defect.below)}
    assert found == set(CATALOGUE)


def test_an_unknown_code_is_a_mistake_in_the_program() -> None:
    with pytest.raises(KeyError):
        Report()("no-such.code", "here", "this")


def test_a_report_has_a_bound_and_errors_are_not_crowded_out() -> None:
    report = Report()
    for _ in range(3 * Report.MAX_FINDINGS):
        report("extension.order", "here", "this")
    assert [report.is_full, len(report.findings)] == [False, Report.MAX_FINDINGS + 1]
    for _ in range(3 * Report.MAX_FINDINGS):
        report("role.unknown", "here", "this")
    assert report.is_full
    *kept, last = report.findings
    assert (last.code, last.severity) == ("findings.left-out", Severity.NOTICE)
    left_out = f"{2 * Report.MAX_FINDINGS:,}"
    assert last.seen == f"{left_out} more below error, {left_out} more at error or above"
    severities = [finding.severity for finding in kept]
    assert severities == [Severity.NOTICE] * Report.MAX_FINDINGS + [Severity.ERROR] * Report.MAX_FINDINGS


def test_the_document_is_made_from_the_catalogue() -> None:
    assert (PROJECT / "docs" / "findings.md").read_text() == findings_document()
    for code in CATALOGUE:
        assert f"| `{code}` |" in findings_document()
