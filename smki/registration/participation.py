"""Commands about tests (SEC H14.11): record, change and end them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from smki.eligibility import Participation
from smki.identity import EntityIdentifier, PartyId
from smki.ledger import Reader
from smki.ledger.settings import SettingReader, SettingValues
from smki.problem import NotFound, Problem
from smki.registration.changes import UNCHANGED, Unchanged, given_fields, with_changes
from smki.registration.command import Command, Context, Done
from smki.registration.parties import replace_registrant, with_own_identifiers
from smki.registration.settings import Setting
from smki.sec.device import DeviceType
from smki.sec.party import NonParty, Party, TestingParticipant
from smki.sec.recorded_test import ParticipationMode, RecordedTest, TestPurpose
from smki.sec.registry_fields import Registrant, registrant_id
from smki.sec.role import RemotePartyRole

_WITHOUT_QUOTA = {mode: Participation(mode=mode) for mode in ParticipationMode}


def participation_mode(reader: SettingValues) -> ParticipationMode:
    """Return whether Parties need a recorded test."""
    return ParticipationMode(Setting.PARTICIPANTS.of(reader))


def participation_of(
    reader: SettingReader, subscriber: Registrant, settings: SettingValues | None = None
) -> Participation:
    """Return what the ledger knows about the tests of a subscriber, for a question.

    Certificates that a participant that is not a Party had before tests were recorded count for its first test.

    :param settings: those of an earlier day; today's by default.
    """
    mode = participation_mode(settings or reader)
    if has_quota(subscriber):
        return _participation(mode, reader.certificates_by_test(registrant_id(subscriber)), subscriber)
    return _WITHOUT_QUOTA[mode]


def has_quota(subscriber: Registrant) -> bool:
    """Return whether the number of certificates that a subscriber has had matters."""
    limited = any(test.quota is not None for test in subscriber.tests)
    return limited or (isinstance(subscriber, Party) and subscriber.quota is not None)


def participations(reader: Reader, settings: SettingValues) -> Callable[[Registrant], Participation]:
    """Return the same for any subscriber as :func:`participation_of`, from what is read once."""
    mode = participation_mode(settings)
    of_subscribers, of_tests = reader.history.certificates_by_subscriber(), reader.history.certificates_by_test()

    def participation(subscriber: Registrant) -> Participation:
        identity = registrant_id(subscriber)
        counts = of_tests.get(identity, {})
        outside = of_subscribers.get(identity, 0) - sum(counts.values())
        return _participation(mode, {**counts, "": outside}, subscriber)

    return participation


def _participation(mode: ParticipationMode, counts: Mapping[str, int], subscriber: Registrant) -> Participation:
    if isinstance(subscriber, TestingParticipant) and counts and subscriber.tests:
        first = subscriber.tests[0].name
        counts = {**counts, first: counts.get(first, 0) + counts[""]}
    return Participation(mode=mode, certificates=counts)


def uses_of_another(subscriber: Registrant | NonParty, entity: EntityIdentifier) -> bool:
    """Return whether a participant's test calls for an Entity Identifier that is not its own."""
    return (
        isinstance(subscriber, TestingParticipant)
        and entity not in subscriber.identifiers
        and any(entity in test.identifiers for test in subscriber.tests)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTest(Command[Registrant]):
    """Record a test in which a Party or another participant takes part, beside those that it has."""

    requires_dcc: ClassVar[bool] = True

    participant: PartyId
    test: RecordedTest

    def carry_out(self, context: Context) -> Done[Registrant]:
        """Add the test to the record of the participant.

        :raises NotFound: if there is no such Party or Testing Participant.
        :raises Malformed: if it already has a test of that name.
        :raises Conflict: if an Entity Identifier of the test belongs to somebody for whom the participant does not act.
        """

        def changed(found: Registrant) -> Registrant:
            return _with_tests(context.transaction, found, (*found.tests, self.test))

        detail = f"test {self.test.name} recorded: {self.test.described}"
        return replace_registrant(context, self.participant, changed, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTest(Command[Registrant]):
    """Change what is recorded of a test. Adding what is already there, or removing what is not, changes nothing."""

    requires_dcc: ClassVar[bool] = True

    participant: PartyId
    test: str
    """The name of the test."""
    purpose: TestPurpose | Unchanged = UNCHANGED
    quota: int | Unchanged | None = UNCHANGED
    """None for no limit."""
    add_roles: frozenset[RemotePartyRole] = frozenset()
    remove_roles: frozenset[RemotePartyRole] = frozenset()
    add_device_types: frozenset[DeviceType] = frozenset()
    remove_device_types: frozenset[DeviceType] = frozenset()
    add_identifiers: frozenset[EntityIdentifier] = frozenset()
    remove_identifiers: frozenset[EntityIdentifier] = frozenset()
    on_behalf_of: str | Unchanged = UNCHANGED
    """The id of a Party or the name of a Device manufacturer; empty for itself."""

    def carry_out(self, context: Context) -> Done[Registrant]:
        """Change the record of the test.

        :raises NotFound: if there is no such Party or Testing Participant, or it has no test of that name.
        :raises Malformed: if something is both added and removed, or a field is not valid.
        :raises Conflict: if an Entity Identifier belongs to somebody for whom the participant does not act.
        """

        def changed(found: Registrant) -> Registrant:
            before = _test_of(found, self.test)
            subject = f"of test {before.name}"
            after = replace(
                before,
                roles=with_changes(f"roles {subject}", before.roles, self.add_roles, self.remove_roles),
                device_types=with_changes(
                    f"Device types {subject}", before.device_types, self.add_device_types, self.remove_device_types
                ),
                identifiers=with_changes(
                    f"Entity Identifiers {subject}", before.identifiers, self.add_identifiers, self.remove_identifiers
                ),
                **given_fields(purpose=self.purpose, quota=self.quota, on_behalf_of=self.on_behalf_of),
            )
            tests = tuple(after if test is before else test for test in found.tests)
            return _with_tests(context.transaction, found, tests)

        return replace_registrant(context, self.participant, changed, f"test {self.test} changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTest(Command[Registrant]):
    """Remove a test from the record of a participant, which takes part in it no longer. Its certificates remain."""

    requires_dcc: ClassVar[bool] = True

    participant: PartyId
    test: str
    """The name of the test."""

    def carry_out(self, context: Context) -> Done[Registrant]:
        """Remove the test.

        :raises NotFound: if there is no such Party or Testing Participant, or it has no test of that name.
        """

        def changed(found: Registrant) -> Registrant:
            ended = _test_of(found, self.test)
            return replace(found, tests=tuple(test for test in found.tests if test is not ended))

        return replace_registrant(context, self.participant, changed, f"test {self.test} ended")


def _test_of(registrant: Registrant, name: str) -> RecordedTest:
    for test in registrant.tests:
        if test.name == name:
            return test
    raise NotFound(
        Problem(
            code="test.unknown",
            subject=f"test {name[:64]}",
            seen=f"{registrant_id(registrant)} takes part in "
            f"{', '.join(test.name for test in registrant.tests) or 'no recorded test'}",
            expected="the name of a recorded test of the participant",
            given={"party": registrant_id(registrant)},
        )
    )


def _with_tests(reader: Reader, found: Registrant, tests: tuple[RecordedTest, ...]) -> Registrant:
    """Return the record with other tests, and with the Entity Identifiers that they name and that belong to nobody."""
    if isinstance(found, Party):
        return replace(found, tests=tests)
    return with_own_identifiers(reader, replace(found, tests=tests))
