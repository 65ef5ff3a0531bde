"""Clauses are cited only where a source supports them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smki.codes import CODES
from smki.eligibility import PROVISIONS
from tests.support import PROJECT

# The sources: the seed document and the editions of the Appendices that the project was written from.
SUPPORTED = {
    "G1.5", "G1.7A", "G1.10", "G5.29", "H5", "H14.11", "L3", "L3.9", "L3.12", "L10", "L11", "L12", "L13", "M8",
    "Appendix M", "Appendix N", "Appendix P",
}  # fmt: skip
CITED = re.compile(r"SEC (Appendix [A-Z]|[A-Z][0-9]{1,2}(?:\.[0-9]+)*A?)|\b(L[0-9]{1,2}\.[0-9]+)\b")


def citations() -> Iterator[tuple[str, str]]:
    """Every clause of the Code that is named in the program and its documentation, with the file."""
    files = [file for root in ("smki", "repository") for file in (PROJECT / root).rglob("*.py")]
    files += [*(PROJECT / "docs").glob("*.md"), *PROJECT.glob("*.md")]
    for file in files:
        for found in CITED.finditer(file.read_text()):
            yield found[1] or found[2], str(file.relative_to(PROJECT))


def test_every_clause_that_is_named_stands_in_a_source() -> None:
    cited = set(citations())
    assert len(cited) > 50
    assert {(clause, file) for clause, file in cited if clause not in SUPPORTED} == set()


def test_revocation_is_not_said_to_be_in_l8() -> None:
    assert CODES["revocation.already"].clause == "SEC Appendix M"
    assert "L8" not in {clause for clause, _ in citations()}


def test_a_provision_names_a_clause_or_its_basis() -> None:
    for provision in PROVISIONS.values():
        cited = [provision.clause] if provision.clause else []
        assert provision.cited == " ".join([*cited, f"({provision.basis.value})"])
        assert not provision.clause.startswith("SEC ") or provision.clause.removeprefix("SEC ") in SUPPORTED
