"""Questions to the provisions, with everything that the ledger knows about them: asked by the gate, and by anybody."""

from __future__ import annotations

from datetime import date

from smki.clock import Clock
from smki.eligibility import DEVICE_THRESHOLD, Applicant, Decision, DeviceQuestion, OrganisationQuestion, decide
from smki.identity import EntityIdentifier
from smki.ledger import Conditions, Ledger
from smki.ledger.register_records import registrant_id
from smki.problem import Problem, SmkiError
from smki.registration.applicants import first_eligible, named_applicant, owner_as_applicant
from smki.registration.application import Application
from smki.sec.device import Device, DeviceType
from smki.sec.party import NonParty
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole


class CannotBeJudged(SmkiError):
    """It cannot even be said who asks, or for which Device."""


class Inquiry:
    """Asks who may subscribe for what."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def organisation(
        self,
        entity: EntityIdentifier,
        role: RemotePartyRole,
        usage: KeyUsage,
        *,
        applicant: str = "",
        officer: str = "",
        on_behalf_of: str = "",
        as_of: date | None = None,
    ) -> Decision:
        """Whether an applicant may subscribe for an Organisation Certificate on a day (today by default).

        :param applicant: the id of the Party; by default the one that owns the Entity Identifier.
        :raises CannotBeJudged: when there is no such Party.
        """
        day = as_of or self._clock.now().date()
        application = Application(CertificateKind.ORGANISATION, b"", "question", applicant, officer, on_behalf_of)
        who, _ = self.who(application, entity, day)
        return self.decide(who, None, role, usage, entity, day)[0]

    def device(
        self,
        entity: EntityIdentifier,
        device_type: DeviceType | None = None,
        *,
        applicant: str = "",
        officer: str = "",
        on_behalf_of: str = "",
        as_of: date | None = None,
    ) -> Decision:
        """Whether an applicant may subscribe for a Device Certificate on a day (today by default).

        :param applicant: the id of the Party or Testing Participant; by default the first that may.
        :raises CannotBeJudged: when there is no such Party, or the Device is not in the inventory and has no type.
        """
        day = as_of or self._clock.now().date()
        application = Application(
            CertificateKind.DEVICE, b"", "question", applicant, officer, on_behalf_of, device_type
        )
        who, device = self.who(application, entity, day)
        return self.decide(who, device, None, KeyUsage.DIGITAL_SIGNATURE, entity, day)[0]

    def who(self, application: Application, entity: EntityIdentifier, day: date) -> tuple[Applicant, Device | None]:
        """Who applies, and for which Device if it is one.

        :raises CannotBeJudged: when that cannot be told.
        """
        register = self._ledger.register
        try:
            applicant = named_applicant(register, application)
            if application.kind is CertificateKind.ORGANISATION:
                applicant = applicant or owner_as_applicant(register, entity, application)
                if applicant is None:
                    raise CannotBeJudged(_no_owner(entity))
                return applicant, None
            device = register.device(entity)
            if device is None:
                if application.device_type is None:
                    raise CannotBeJudged(_unknown_device(entity))
                device = Device(entity, application.device_type)
            elif application.device_type not in (None, device.device_type):
                raise CannotBeJudged(_other_type(device, application.device_type))
            return applicant or first_eligible(register, device, day, application), device
        except CannotBeJudged:
            raise
        except SmkiError as error:
            raise CannotBeJudged(*error.problems) from error

    def decide(
        self,
        applicant: Applicant,
        device: Device | None,
        role: RemotePartyRole | None,
        usage: KeyUsage,
        entity: EntityIdentifier,
        day: date,
        public_key_info: bytes | None = None,
    ) -> tuple[Decision, Conditions]:
        """The decision by what the ledger says now, and what must still hold when it is carried out.

        :param device: for a Device Certificate.
        :param role: for an Organisation Certificate.
        :param public_key_info: SubjectPublicKeyInfo (DER) of a request; None in a mere question.
        """
        ledger, subscriber = self._ledger, applicant.subscriber
        is_certified = public_key_info is not None and ledger.is_certified(public_key_info)
        quota, had = None, 0
        if not isinstance(subscriber, NonParty) and subscriber.quota is not None:
            quota, had = subscriber.quota, ledger.certificates_issued_to(registrant_id(subscriber))
        if device is not None:
            limit = ledger.register.threshold(device.device_id) or DEVICE_THRESHOLD
            issued = ledger.certificates_for_device(device.device_id)
            question = DeviceQuestion(applicant, device, day, issued, limit, False, had, is_certified)
            return decide(question), Conditions(public_key_info, limit, quota)
        if role is None:
            raise ValueError("an Organisation Certificate is asked for in a role")
        wanted = OrganisationQuestion(applicant, role, usage, entity, day, had, is_certified)
        return decide(wanted), Conditions(public_key_info, None, quota)


def _no_owner(entity: EntityIdentifier) -> Problem:
    return Problem(
        "entity-identifier.no-owner",
        "Entity Identifier",
        f"{entity}, which belongs to no Party",
        "an Entity Identifier of the Party that applies",
        "SEC L3.9",
        "Register the Party with it (smki party add), or have one assigned (smki party assign-eui).",
    )


def _other_type(device: Device, said: DeviceType | None) -> Problem:
    return Problem(
        "device.other-type",
        f"Device {device.device_id}",
        f"said to be {said.name if said else ''}, but in the Smart Metering Inventory as {device.device_type.name}",
        "the Device type of the inventory, or none",
        "SEC L3.9",
        "Leave the type out, or name the right Device.",
    )


def _unknown_device(entity: EntityIdentifier) -> Problem:
    return Problem(
        "device.unknown",
        f"Device {entity}",
        "not in the Smart Metering Inventory, and nobody says what it is",
        "a Device in the inventory, or its Device type",
        "SEC L3.9",
        f"Say what it is with --type ESME (or GSME, CHF, …), or add it: smki device add {entity} --type ESME.",
    )
