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


def _below(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/test_{name}.py" for name in names)


# Not those that run the program or several processes: they are slow, and see no mutant.
_COMMANDS = _below(
    "tests/registration", "acceptance", "applying", "authorisation", "authorities", "check", "clearances", "duties",
    "hierarchy", "inquiry", "lists", "revoking",
)  # fmt: skip
_REGISTER = _below(
    "tests/registration", "credentials", "dcc_and_participants", "devices", "entitlement", "history", "inventory",
    "one_command_each", "parties", "register_commands", "remedies_as_printed",
)  # fmt: skip
_REST = _below("tests/repository", "rest_acting", "rest_reading", "rest_register", "who_and_what")
_RECORD = _below("tests", "record", "record_tampering")
_OTHERS = _below("tests", "registration", "issue", "in_memory", "one_transaction", "revocation")

PACKAGES = {
    package.name: package
    for package in (
        Package(
            "eligibility",
            ("tests/eligibility", *_below("tests/registration", "wording", "entitlement", "inventory", "inquiry"),
             *_below("tests/repository", "who_and_what")),
            90,
        ),
        Package("relying_party", ("tests/relying_party",), 90),
        Package("registration", ("tests/registration/test_wording.py", "tests/eligibility/test_cast.py", *_COMMANDS, *_REGISTER, *_REST, *_OTHERS), 90),
        Package("authority", (*_COMMANDS, *_RECORD, *_below("tests/ledger", "check_in_pages"), *_below("tests/repository", "audit")), 90),
        Package(
            "ledger",
            ("tests/ledger", *_RECORD,
             *_below("tests", "ledger", "ledger_migrations", "ledger_search", "schema_gate", "backup", "in_memory"),
             *_below("tests/registration", "check", "credentials", "duties", "history", "inventory", "lists")),
            80,
        ),
    )
}  # fmt: skip
