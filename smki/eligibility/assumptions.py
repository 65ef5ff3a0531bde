"""Assumptions about tests (SEC H14.11): what no available source says, in one place.

Each of them decides something, and each can be changed here alone.
"""

from __future__ import annotations

from smki.sec.device import DeviceType
from smki.sec.recorded_test import ParticipationMode, TestPurpose
from smki.sec.role import RemotePartyRole

DEFAULT_MODE = ParticipationMode.OPEN
"""Assumption: unless the operator chooses otherwise, every Party counts as taking part in tests."""

ROLES_UNLESS_RECORDED: frozenset[RemotePartyRole] = frozenset()
"""Assumption: the roles that a test calls for, for a participant that is not a Party, if none are recorded: none."""

DEVICE_TYPES_UNLESS_RECORDED = frozenset(DeviceType)
"""Assumption: the types of Devices that a test calls for if none are recorded: all of them."""

OPEN_TO_PARTIES = frozenset(TestPurpose)
"""The tests that are open to Parties. Assumption: the entry-process tests are open to every Party but the DCC, because
recording the test says that the Party seeks to become a User, or a subscriber, and it can do so in one User Role or for
one kind of certificate while it already is one in another."""

OPEN_TO_OTHERS = frozenset({TestPurpose.DEVICE_AND_USER_SYSTEM_TESTS, TestPurpose.SECTION_T})
"""The tests that are open to participants that are not Parties. Assumption: tests under Section T, which names who takes
part, are open to everybody for whom one is recorded."""

ENTRY_PROCESS_TESTS = frozenset({TestPurpose.UEPT, TestPurpose.SREPT})
"""The tests by which a Party becomes a User or a subscriber, which the DCC does not take part in."""

DCC_TAKES_PART = True
"""Assumption: the DCC needs no recorded test, because it provides the tests and its certificates make them possible."""

PARTICIPANTS_WHILE_IN_SERVICE = True
"""Assumption: a participant that is not a Party may have certificates for a Device that its test calls for whatever the
Device's SMI status. The column "any other SEC Party" of the table of Devices is about Parties."""

RECORDED_LIMITS_PARTIES = True
"""Assumption: what is recorded of a Party's test (roles, types of Devices, Entity Identifiers) limits the certificates
that it has for that test. Where nothing is recorded, what it may have as a Party decides alone."""
