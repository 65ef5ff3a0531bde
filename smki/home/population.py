"""The initial contents of an SMKI: the demonstration Parties, the authorities, the DCC's certificates and the first
lists."""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from smki.authority.hierarchy import ABOVE
from smki.identity import EntityIdentifier
from smki.keys.private_key import KeyStore
from smki.ledger import ListRecord
from smki.registration import Actor, Issued, Registration
from smki.registration.authorities import EstablishAuthority
from smki.registration.demonstration import DCC_ENTITY_IDENTIFIERS, DEVICES, PARTIES, TESTING_PARTICIPANTS
from smki.registration.devices import AddDevices
from smki.registration.parties import Register
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.recorded_test import ParticipationMode
from smki.sec.role import KeyUsage, RemotePartyRole


class Unpopulated(Protocol):
    """What this module needs of an SMKI."""

    registration: Registration

    def make_organisation_request(
        self, entity: EntityIdentifier, role: RemotePartyRole, usage: KeyUsage
    ) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
        """Make a key and a certification request for it."""

    def issue_organisation(self, request: bytes, *, interface: str) -> Issued:
        """Apply for an Organisation Certificate."""

    def renew_lists(self, *, interface: str) -> list[ListRecord]:
        """Issue every list that is due."""


def populate(smki: Unpopulated, keys: KeyStore, participants: ParticipationMode = ParticipationMode.OPEN) -> None:
    """Register the demonstration Parties, make the authorities, and issue the DCC's certificates and the first lists.

    :param keys: the store of the DCC's private keys.
    :param participants: whether a Party needs a recorded test to have Test Certificates.
    """
    init = Actor(interface="init")
    smki.registration.execute(Register((*PARTIES, *TESTING_PARTICIPANTS)), init)
    if participants is not ParticipationMode.OPEN:
        smki.registration.execute(ChangeSetting(Setting.PARTICIPANTS, participants.value), init)
    smki.registration.execute(AddDevices(DEVICES), init)
    for kind in ABOVE:
        smki.registration.execute(EstablishAuthority(kind), init)
    for role, entity in DCC_ENTITY_IDENTIFIERS.items():
        for usage in role.usages:
            key, request = smki.make_organisation_request(entity, role, usage)
            keys.write(dcc_key_name(role, usage), key)
            smki.issue_organisation(request, interface="init")
    smki.renew_lists(interface="init")


def dcc_key_name(role: RemotePartyRole, usage: KeyUsage) -> str:
    """Return the name of the private key of one of the DCC's certificates in the key store."""
    return f"dcc/{role.label}-{usage.code.lower()}"
