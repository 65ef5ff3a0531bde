"""Questions about many certificates: who may have one, and what somebody may have."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from smki.eligibility.answers import WhatMay, WhoMay
from smki.identity import EntityIdentifier, PartyId
from smki.problem import Problem, SmkiError
from smki.registration.applicants import named_user
from smki.registration.entitlement import wanted_certificate, what_may, who_may
from smki.registration.history import settings_on
from smki.registration.inquiry import Inquiry
from smki.registration.products import listing_of
from smki.registration.who_and_what import CannotBeJudged, Supposing
from smki.sec.device import DeviceType, SmetsVersion
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole


class Questions(Inquiry):
    """Answers who may subscribe for what: one decision at a time, or for everybody and everything."""

    def who(
        self,
        *,
        role: RemotePartyRole | None = None,
        usage: KeyUsage | None = None,
        device_type: DeviceType | None = None,
        device: EntityIdentifier | None = None,
        authority: CertificateKind | None = None,
        supposing: Supposing | None = None,
        as_of: date | None = None,
    ) -> WhoMay:
        """Return who may have a certificate on a day (today by default).

        The parameters are those of :func:`wanted_certificate`.

        :raises Malformed: if they contradict each other.
        :raises CannotBeJudged: if the Device is not in the inventory and has no type, or another one.
        """
        register, day = self.register_of(as_of)
        wanted = wanted_certificate(
            register,
            role=role,
            usage=usage,
            device_type=device_type,
            device=device,
            authority=authority,
            supposing=supposing,
        )
        if device is not None and wanted.device is not None and register.device(device) is None:
            # As for a single question, whoever applies has to add it.
            wanted = replace(
                wanted, to_be_added=listing_of(self._reader, wanted.device, settings_on(self._reader, register))
            )
        return who_may(self._reader, register, wanted, day)

    def what(
        self,
        party: str,
        *,
        on_behalf_of: str = "",
        smets_version: SmetsVersion = SmetsVersion.SMETS2,
        as_of: date | None = None,
    ) -> WhatMay:
        """Return what a Party or Testing Participant may have on a day (today by default).

        :param party: its id.
        :param on_behalf_of: the id of the User on whose behalf it applies, as a Shared Resource.
        :raises CannotBeJudged: if one of them is not registered.
        """
        register, day = self.register_of(as_of)
        try:
            who = register.registrant(PartyId.parse(party))
            user = named_user(register, on_behalf_of) if on_behalf_of else None
        except SmkiError as error:
            raise CannotBeJudged(*error.problems) from error
        if who is None:
            expected = "a Party or Testing Participant that was added"
            problem = Problem(code="party.unknown", subject=f"Party {party}", seen="not registered", expected=expected)
            raise CannotBeJudged(problem)
        return what_may(self._reader, register, who, user, smets_version, day)
