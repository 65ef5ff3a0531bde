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


_COMMANDS = tuple(
    f"tests/registration/test_{name}.py"
    for name in ("acceptance", "applying", "authorisation", "authorities", "check", "clearances", "hierarchy", "inquiry",
                 "lists", "revoking")
)  # fmt: skip
_REGISTER = tuple(f"tests/registration/test_{name}.py" for name in ("credentials", "devices", "parties"))
"""Not those that run the program or several processes: they are slow, and see no mutant."""

PACKAGES = {
    package.name: package
    for package in (
        Package("eligibility", ("tests/eligibility",), 90),
        Package("relying_party", ("tests/relying_party",), 90),
        Package(
            "registration", (*_COMMANDS, *_REGISTER, "tests/test_registration.py", "tests/test_issue.py"), 90
        ),
        Package("authority", _COMMANDS, 90),
        Package(
            "ledger",
            ("tests/ledger", "tests/test_ledger.py", "tests/test_ledger_migrations.py", "tests/test_ledger_search.py",
             "tests/test_record.py", "tests/test_schema_gate.py", "tests/test_backup.py",
             "tests/registration/test_credentials.py", "tests/registration/test_check.py"),
            80,
        ),
    )
}  # fmt: skip
