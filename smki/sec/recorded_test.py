"""The tests in which a Party or another participant takes part, as they are recorded (SEC H14.11)."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from smki.identity import EntityIdentifier
from smki.problem import Malformed, Problem
from smki.sec.device import DeviceType
from smki.sec.quota import check_quota, parse_quota
from smki.sec.role import RemotePartyRole
from smki.sec.vocabulary import hyphenated, parse_list, parse_word

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")

MAX_ON_BEHALF_OF = 128
"""Maximum number of characters of the name of the organisation on whose behalf a participant acts."""


class TestPurpose(enum.Enum):
    """The tests for which Test Certificates are provided (SEC H14.11)."""

    __test__ = False  # the name begins like a test class for pytest

    UEPT = "User Entry Process Tests"
    SREPT = "SMKI and Repository Entry Process Tests"
    DEVICE_AND_USER_SYSTEM_TESTS = "Device and User System Tests"
    SECTION_T = "tests under Section T"

    @classmethod
    def parse(cls, text: str) -> TestPurpose:
        """Parse ``uept``, ``device-and-user-system-tests`` and so on, in upper or lower case.

        :raises Malformed: for anything else.
        """
        return parse_word(cls, text, "test-purpose.unknown", "test purpose", "SEC H14.11")

    def __str__(self) -> str:
        return str(self.value)


class ParticipationMode(enum.Enum):
    """Whether a Party needs a recorded test to have Test Certificates. Others always do."""

    STRICT = "strict"
    """A Party needs a recorded test that is open to it."""
    OPEN = "open"
    """Every Party counts as taking part in tests."""

    @classmethod
    def parse(cls, text: str) -> ParticipationMode:
        """Parse ``strict`` or ``open``, in upper or lower case.

        :raises Malformed: for anything else.
        """
        try:
            return cls(text.strip().lower())
        except ValueError:
            raise Malformed(
                Problem(
                    code="participation.unknown",
                    subject="mode of participation",
                    seen=f"{text[:64]!r}",
                    expected="strict or open",
                )
            ) from None

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTest:
    """A test in which a participant takes part, and what the test calls for."""

    name: str
    """Identifies it among the tests of the participant: ``uept``."""
    purpose: TestPurpose
    quota: int | None = None
    """The number of Test Certificates that the participant may have for this test; None for no limit."""
    roles: frozenset[RemotePartyRole] = frozenset()
    """The roles of the Organisation Certificates that the test calls for; empty if none were recorded."""
    device_types: frozenset[DeviceType] = frozenset()
    """The types of Devices that the test calls for; empty if none were recorded."""
    identifiers: frozenset[EntityIdentifier] = frozenset()
    """The Entity Identifiers that the test calls for; empty if none were recorded."""
    on_behalf_of: str = ""
    """The id of the Party, or the name of the Device manufacturer, on whose behalf the participant acts; empty for
    itself."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Malformed(
                Problem(
                    code="test.name",
                    subject="name of a test",
                    seen=f"{self.name[:64]!r}",
                    expected="1 to 32 lower-case letters, digits and hyphens, the first and the last not a hyphen",
                )
            )
        check_quota(self.quota, f"test {self.name}")
        if len(self.on_behalf_of) > MAX_ON_BEHALF_OF or "\n" in self.on_behalf_of:
            raise Malformed(
                Problem(
                    code="test.on-behalf-of",
                    subject=f"test {self.name}, on behalf of",
                    seen=f"{self.on_behalf_of[:64]!r}, {len(self.on_behalf_of)} characters",
                    expected=f"a Party ID or a name of at most {MAX_ON_BEHALF_OF} characters in one line",
                )
            )

    @classmethod
    def of(cls, purpose: TestPurpose, name: str = "", **fields: Any) -> RecordedTest:
        """Make a record whose name is, if none is given, that of its purpose: ``uept``."""
        return cls(name=name.strip().lower() or name_of_purpose(purpose), purpose=purpose, **fields)

    @classmethod
    def parse(
        cls,
        *,
        purpose: str,
        test: str = "",
        quota: str = "",
        roles: str = "",
        device_types: str = "",
        identifiers: str = "",
        on_behalf_of: str = "",
    ) -> RecordedTest:
        """Parse the fields of a test, given as text. Several values are separated by commas.

        :param test: its name; empty for that of its purpose.
        :raises Malformed: if a field is not valid.
        """
        return cls.of(
            TestPurpose.parse(purpose),
            test,
            quota=parse_quota(quota),
            roles=frozenset(parse_list(roles, RemotePartyRole.parse)),
            device_types=frozenset(parse_list(device_types, DeviceType.parse)),
            identifiers=frozenset(parse_list(identifiers, EntityIdentifier.parse)),
            on_behalf_of=on_behalf_of.strip(),
        )

    @property
    def fields(self) -> dict[str, str]:
        """Its fields as text, as :meth:`parse` takes them; empty ones are omitted."""
        fields = {
            "test": self.name,
            "purpose": hyphenated(self.purpose),
            "quota": "" if self.quota is None else str(self.quota),
            "roles": ", ".join(role.label for role in RemotePartyRole if role in self.roles),
            "device_types": ", ".join(each.name for each in DeviceType if each in self.device_types),
            "identifiers": ", ".join(str(identifier) for identifier in sorted(self.identifiers)),
            "on_behalf_of": self.on_behalf_of,
        }
        return {name: value for name, value in fields.items() if value}

    @property
    def described(self) -> str:
        """Its purpose, its name if that says more, and on whose behalf the participant acts."""
        name = "" if self.name == name_of_purpose(self.purpose) else f" ({self.name})"
        return f"{self.purpose}{name}{f', on behalf of {self.on_behalf_of}' if self.on_behalf_of else ''}"


def name_of_purpose(purpose: TestPurpose) -> str:
    """Return the name that a test has unless it is given another: ``uept``."""
    return purpose.name.lower().replace("_", "-")


def parse_tests(rows: Iterable[Mapping[str, str]]) -> tuple[RecordedTest, ...]:
    """Parse tests from their fields.

    :raises Malformed: if a field is unknown, missing or not valid.
    """
    made = []
    for row in rows:
        try:
            made.append(RecordedTest.parse(**row))
        except TypeError as error:
            seen, expected = str(error), "purpose; test, quota, roles, device_types, identifiers and on_behalf_of"
            raise Malformed(Problem(code="test.fields", subject="test", seen=seen, expected=expected)) from None
    return tuple(made)


def check_tests(tests: tuple[RecordedTest, ...], subject: str) -> None:
    """Check that the tests of a participant have different names.

    :raises Malformed: if two have the same.
    """
    names = [test.name for test in tests]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Malformed(
            Problem(
                code="test.repeated",
                subject=subject,
                seen=f"two tests {twice[0]}",
                expected="a different name for each",
            )
        )
