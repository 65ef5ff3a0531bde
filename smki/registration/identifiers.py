"""Commands that assign Entity Identifiers to Parties and release them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from smki.identity import EntityIdentifier, PartyId
from smki.ledger import CertificateQuery, Conflict, Reader
from smki.problem import NotFound, Problem
from smki.registration.command import Command, Context, Done
from smki.registration.parties import known_registrant, replace_registrant, require_party
from smki.sec.party import Party
from smki.sec.registry_fields import Registrant
from smki.sec.role import CertificateKind, CertificateStatus

REGISTRY_FIRST = EntityIdentifier.parse("90-B3-D5-1F-30-04-00-00")
REGISTRY_LAST = EntityIdentifier.parse("90-B3-D5-1F-3F-FF-FF-FF")
"""The block of EUI-64s from which this emulator, in place of the Code Administrator, assigns Entity Identifiers.
Assumption: it follows the block of the published test identities."""


@dataclass(frozen=True, slots=True)
class AssignIdentifier(Command[EntityIdentifier]):
    """Assign a Party an Entity Identifier."""

    requires_dcc: ClassVar[bool] = True

    party: PartyId
    identifier: EntityIdentifier | None = None
    """None for the next free one of the registry block."""

    def carry_out(self, context: Context) -> Done[EntityIdentifier]:
        """Add the identifier to the Party; nothing is written if the Party already has it.

        :raises NotFound: if there is no such Party, or the registry block is used up.
        :raises Conflict: if the identifier belongs to another Party.
        """
        identifier = self.identifier or _next_free(context.transaction)

        def changed(found: Registrant) -> Registrant:
            party = require_party(found)
            return replace(party, identifiers=party.identifiers | {identifier})

        done = replace_registrant(context, self.party, changed, f"{identifier} assigned")
        return Done(identifier, done.happened)


def _next_free(reader: Reader) -> EntityIdentifier:
    """Return the identifier after the highest one assigned; if that is the last of the block, the first gap."""
    highest = reader.register.highest_identifier(REGISTRY_FIRST, REGISTRY_LAST)
    if highest is None:
        return REGISTRY_FIRST
    last = _number(REGISTRY_LAST)
    if _number(highest) < last:
        return EntityIdentifier((_number(highest) + 1).to_bytes(8, "big"))
    for number in range(_number(REGISTRY_FIRST), last):
        identifier = EntityIdentifier(number.to_bytes(8, "big"))
        if reader.register.owner(identifier) is None:
            return identifier
    raise NotFound(
        Problem(
            code="entity-identifier.none-free",
            subject="registry block",
            seen="used up",
            expected="a free EUI-64",
            remedy="entity-identifier.assign-another",
        )
    )


def _number(identifier: EntityIdentifier) -> int:
    return int.from_bytes(identifier.encoded, "big")


@dataclass(frozen=True, slots=True)
class ReleaseIdentifier(Command[Registrant]):
    """Take an Entity Identifier from a Party or Testing Participant, and from its tests, so that it can be assigned to
    another one.

    This is refused while an Organisation Certificate with the identifier is neither revoked nor expired: the next owner
    of the identifier could otherwise apply for certificates that cannot be told from those of the former owner.
    Assumption: the Code does not say this explicitly.
    """

    requires_dcc: ClassVar[bool] = True

    party: PartyId
    identifier: EntityIdentifier

    def carry_out(self, context: Context) -> Done[Registrant]:
        """Remove the identifier from the record.

        :raises NotFound: if there is no such Party or Testing Participant, or it does not have the identifier.
        :raises Conflict: if a certificate with the identifier is neither revoked nor expired, or somebody else's test
            calls for the identifier.
        """
        party = known_registrant(context.transaction, self.party)
        if self.identifier not in party.identifiers:
            raise NotFound(
                Problem(
                    code="entity-identifier.not-assigned",
                    subject=f"Entity Identifier {self.identifier}",
                    seen=f"not assigned to {self.party}",
                    expected="one of the Party's",
                )
            )
        self._require_unused(context)
        self._require_no_test(context.transaction)
        return replace_registrant(
            context,
            self.party,
            lambda found: replace(
                found,
                identifiers=found.identifiers - {self.identifier},
                tests=tuple(replace(test, identifiers=test.identifiers - {self.identifier}) for test in found.tests),
            ),
            f"{self.identifier} released",
        )

    def _require_no_test(self, reader: Reader) -> None:
        """Check that nobody who acts on behalf of the owner could go on using the identifier.

        A Party uses none but its own, whatever its tests call for.
        """
        for other in reader.register.registrants():
            if isinstance(other, Party) or other.participant_id == self.party:
                continue
            for test in other.tests:
                if self.identifier in test.identifiers:
                    raise Conflict(
                        Problem(
                            code="entity-identifier.in-test",
                            subject=f"Entity Identifier {self.identifier}",
                            seen=f"recorded with test {test.name} of {other.participant_id}",
                            expected="one for which no test of another participant calls",
                            given={"party": str(other.participant_id), "test": test.name, "eui": str(self.identifier)},
                        )
                    )

    def _require_unused(self, context: Context) -> None:
        query = CertificateQuery(kinds=(CertificateKind.ORGANISATION,), entity_identifier=self.identifier)
        for record in context.transaction.certificates(query):
            status = record.status_at(context.now)
            if status not in (CertificateStatus.REVOKED, CertificateStatus.EXPIRED):
                raise Conflict(
                    Problem(
                        code="entity-identifier.in-use",
                        subject=f"Entity Identifier {self.identifier}",
                        seen=f"in certificate {record.serial_number}, {status.label}",
                        expected="one whose certificates are all revoked or expired",
                        given={"serial": str(record.serial_number), "party": str(self.party)},
                    )
                )
