"""What is mutated, by which tests it is judged, and how many mutants they have to kill."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
ACCEPTED = Path(__file__).with_name("accepted.toml")


@dataclass(frozen=True, slots=True)
class Package:
    """One package under mutation."""

    name: str
    tests: tuple[str, ...]
    """Files and folders below the project, as given to pytest."""
    goal: float
    """The least share of mutants that must be killed, in percent."""

    @property
    def files(self) -> list[Path]:
        """Its modules."""
        return sorted((PROJECT / "smki" / self.name).rglob("*.py"))


PACKAGES = {
    package.name: package
    for package in (
        Package("eligibility", ("tests/eligibility",), 90),
        Package("relying_party", ("tests/relying_party",), 90),
        Package(
            "registration",
            ("tests/test_registration.py", "tests/test_gate.py", "tests/test_issue.py", "tests/test_revocation.py",
             "tests/eligibility/test_cast.py", "tests/repository/test_rest_acting.py"),
            90,
        ),
        Package(
            "authority",
            ("tests/test_issue.py", "tests/test_revocation.py", "tests/test_home.py", "tests/test_in_memory.py",
             "tests/repository/test_audit.py"),
            90,
        ),
        Package(
            "ledger",
            ("tests/test_ledger.py", "tests/test_ledger_migrations.py", "tests/test_ledger_search.py",
             "tests/test_revocation.py", "tests/test_show_and_list.py", "tests/interchange/test_import.py"),
            80,
        ),
    )
}  # fmt: skip
