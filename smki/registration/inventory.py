"""Applies the rule of who may add which Device (:mod:`smki.eligibility.inventory`) with what the ledger knows."""

from __future__ import annotations

from datetime import date

from smki.eligibility import REASONS, Decision, InventoryQuestion, Participation, decide
from smki.eligibility.inventory import INVENTORY_ROWS, as_added_by, given_of
from smki.identity import PartyId
from smki.ledger import Reader
from smki.problem import NotFound, Problem, SmkiError
from smki.registration.actor import Actor
from smki.registration.authorisation import NotAuthorised
from smki.registration.participation import participation_mode
from smki.registration.products import listing_of
from smki.sec.device import Device, DeviceType
from smki.sec.registry_fields import Registrant, registrant_id


class NotToBeAdded(SmkiError):
    """Whoever asked may not add that Device to the inventory."""


class Adding:
    """Decides on Devices that one actor adds.

    An officer adds Devices for its Party or Testing Participant. The operator of the home adds each Device for the first
    Party that may, or for the one whose Device under test it is.

    :raises NotFound: if the actor names a Party that is not registered.
    :raises NotAuthorised: if its officer is not one of that Party.
    """

    def __init__(self, reader: Reader, actor: Actor, day: date) -> None:
        self._reader = reader
        self._day = day
        self._who: Registrant | None = None
        self.officer = ""
        """The officer who adds the Devices; empty for the operator of the home."""
        self._first: dict[tuple[DeviceType, str], Registrant] = {}
        self._granted: set[tuple[DeviceType, str, PartyId | None]] = set()
        if not actor.is_operator:
            self._who = _registrant(reader, actor.party)
            self.officer = _officer(self._who, actor)

    def admit(self, device: Device) -> tuple[Device, str]:
        """Return a Device as it is added, and the id of the Party or Testing Participant that adds it.

        :raises NotToBeAdded: with every reason, if it may not be added.
        """
        who = self._who
        if who is None and device.under_test is not None:
            who = _registrant(self._reader, str(device.under_test))
        if who is None:
            key = device.device_type, device.model
            if key not in self._first:
                self._first[key] = self._find_first(device)
            return device, registrant_id(self._first[key])
        device = as_added_by(device, who, under_test=False)
        self._require(device, who)
        return device, registrant_id(who)

    def _find_first(self, device: Device) -> Registrant:
        """Return the first Party that may add a Device; if none may, refuse it as one that comes closest to it."""
        refused: list[Decision] = []
        for who in self._reader.register.registrants():
            decision = self._decide(device, who)
            if decision.eligible:
                return who
            refused.append(decision)
        if not refused:
            row = INVENTORY_ROWS[device.device_type]
            reason = REASONS[row.refusal]
            raise NotToBeAdded(
                Problem(
                    code=reason.code,
                    subject=reason.subject,
                    seen="nobody is registered",
                    expected=reason.expected,
                    clause=row.provision.clause,
                    basis=row.provision.basis.value,
                    remedy=reason.remedy,
                    given=given_of(device),
                )
            )
        raise NotToBeAdded(*min(refused, key=lambda decision: len(decision.problems)).problems)

    def _require(self, device: Device, who: Registrant) -> None:
        key = device.device_type, device.model, device.under_test
        if self._who is not None and key in self._granted:
            return
        decision = self._decide(device, who)
        if not decision.eligible:
            raise NotToBeAdded(*decision.problems)
        self._granted.add(key)

    def _decide(self, device: Device, who: Registrant) -> Decision:
        listing = listing_of(self._reader, device)
        taking_part = Participation(mode=participation_mode(self._reader))
        return decide(InventoryQuestion(who, device, self._day, listing, taking_part))


def _registrant(reader: Reader, name: str) -> Registrant:
    found = reader.register.registrant(PartyId.parse(name)) if name else None
    if found is None:
        raise NotFound(
            Problem(
                code="party.unknown",
                subject=f"Party {name[:64]}",
                seen="not registered",
                expected="a registered Party or Testing Participant",
            )
        )
    return found


def _officer(who: Registrant, actor: Actor) -> str:
    names = [officer.name for officer in who.officers]
    if actor.officer in names or (not actor.officer and names):
        return actor.officer or names[0]
    raise NotAuthorised(
        Problem(
            code="officer.unknown",
            subject="officer",
            seen=f"{actor.officer[:64] or 'no officer'}, for {registrant_id(who)}",
            expected="an officer of the Party or Testing Participant",
            given={"party": registrant_id(who)},
        )
    )
