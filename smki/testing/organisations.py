"""Parties for tests, with certificates and keys: Organisations in a role, the DCC, a manufacturer of Devices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from smki.home.smki import Smki
from smki.identity import EntityIdentifier, PartyId
from smki.ledger import ApplicationQuery
from smki.pki.certificate import Certificate
from smki.pki.request import public_point
from smki.pki.x509 import encode_public_key
from smki.problem import NotFound, Problem
from smki.registration import Actor, Application
from smki.registration.demonstration import DCC_ENTITY_IDENTIFIERS, TESTING_PARTICIPANTS
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole
from smki.testing.credential import Credential

ENTITY_IDENTIFIERS = {
    role: EntityIdentifier.parse(text)
    for role, text in {
        RemotePartyRole.RECOVERY: "90B3D51F30000001",
        RemotePartyRole.SUPPLIER: "90B3D51F30010000",
        RemotePartyRole.NETWORK_OPERATOR: "90B3D51F30020000",
        RemotePartyRole.ACCESS_CONTROL_BROKER: "90B3D51F30000002",
        RemotePartyRole.TRANSITIONAL_COS: "90B3D51F30000004",
        RemotePartyRole.WAN_PROVIDER: "90B3D51F30000007",
        RemotePartyRole.LOAD_CONTROLLER: "90B3D51F30010008",
        RemotePartyRole.OTHER: "90B3D51F30010009",
        RemotePartyRole.XML_SIGN: "90B3D51F30010000",
        RemotePartyRole.DSP_XML_SIGN: "90B3D51F30000002",
    }.items()
}
"""Who of the demonstration cast has certificates in each role where a test names nobody."""


@dataclass(frozen=True, slots=True, repr=False)
class Organisation:
    """An Organisation in one Remote Party Role, with a certificate and key for each use that the role has."""

    smki: Smki = field(repr=False, compare=False)
    entity_identifier: EntityIdentifier
    role: RemotePartyRole
    credentials: tuple[Credential, ...]
    """Digital signature, key agreement, key agreement for prepayment top-up: those that there are, in this order."""

    def __repr__(self) -> str:
        return f"<{self.role.label} {self.entity_identifier}>"

    @classmethod
    def make(
        cls, smki: Smki, role: RemotePartyRole | str, entity: EntityIdentifier | str | None = None
    ) -> Organisation:
        """Have certificates issued to an Organisation of the register, on new keys.

        :param role: ``supplier``, ``networkOperator`` and so on.
        :param entity: its Entity Identifier; by default that of the demonstration cast.
        :raises Malformed: when *role* or *entity* is none, or the role has no certificates.
        :raises Refused: when it may not have them, with every reason.
        """
        role = RemotePartyRole.parse(role) if isinstance(role, str) else role
        entity = EntityIdentifier.parse(entity) if isinstance(entity, str) else entity
        if role not in ENTITY_IDENTIFIERS:
            expected = ", ".join(each.label for each in ENTITY_IDENTIFIERS)
            raise NotFound(Problem("role.no-certificates", "role", f"{role}, an authority's", expected, "GBCS 12"))
        entity = entity or ENTITY_IDENTIFIERS[role]
        made = [_issue(smki, entity, role, usage) for usage in role.usages]
        if role is RemotePartyRole.SUPPLIER:
            made.append(_issue(smki, entity, role, KeyUsage.KEY_AGREEMENT, top_up=True))
        return cls(smki, entity, role, tuple(made))

    @classmethod
    def of_dcc(cls, smki: Smki, role: RemotePartyRole | str) -> Organisation:
        """The DCC in a role, with the certificates that it lodged when the SMKI was made (SEC L3.12).

        :raises NotFound: for a role in which it lodged none.
        """
        role = RemotePartyRole.parse(role) if isinstance(role, str) else role
        entity = DCC_ENTITY_IDENTIFIERS.get(role)
        if entity is None:
            expected = ", ".join(each.label for each in DCC_ENTITY_IDENTIFIERS)
            raise NotFound(Problem("role.not-the-dcc", "role", role.label, expected, "SEC L3.12"))
        return cls(smki, entity, role, tuple(_lodged(smki, entity, role, usage) for usage in role.usages))

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Those of the credentials."""
        return tuple(credential.certificate for credential in self.credentials)

    @property
    def digital_signature(self) -> Credential:
        """Certificate and key for signatures; every role has them."""
        return self.credentials[0]

    @property
    def key_agreement(self) -> Credential:
        """Certificate and key for key agreement.

        :raises NotFound: when the role has none.
        """
        return self._nth(1, "key agreement")

    @property
    def top_up(self) -> Credential:
        """A Supplier's second certificate and key for key agreement, for prepayment top-up (GBCS 12).

        :raises NotFound: when the role has none.
        """
        return self._nth(2, "prepayment top-up")

    def _nth(self, number: int, what: str) -> Credential:
        if len(self.credentials) <= number:
            had = ", ".join(usage.label for usage in self.role.usages)
            raise NotFound(Problem("role.no-such-usage", f"{self.role} {self.entity_identifier}", had, what, "GBCS 12"))
        return self.credentials[number]

    def renew(self, usage: KeyUsage | str) -> Organisation:
        """The same with a new key and certificate in place of one; the old certificate is then not in use.

        :param usage: ``ds`` or ``ka`` (that for management, not that for top-up).
        """
        usage = KeyUsage.parse(usage) if isinstance(usage, str) else usage
        new = _issue(self.smki, self.entity_identifier, self.role, usage)
        at = self.role.usages.index(usage)
        return replace(self, credentials=(*self.credentials[:at], new, *self.credentials[at + 1 :]))


@dataclass(frozen=True, slots=True)
class Dcc:
    """The Data and Communications Company, in the roles in which it lodges certificates (SEC L3.12)."""

    smki: Smki = field(repr=False, compare=False)
    recovery: Organisation
    access_control_broker: Organisation
    transitional_cos: Organisation
    wan_provider: Organisation

    @classmethod
    def of(cls, smki: Smki) -> Dcc:
        """The DCC of an SMKI."""
        roles = (
            RemotePartyRole.RECOVERY,
            RemotePartyRole.ACCESS_CONTROL_BROKER,
            RemotePartyRole.TRANSITIONAL_COS,
            RemotePartyRole.WAN_PROVIDER,
        )
        return cls(smki, *(Organisation.of_dcc(smki, role) for role in roles))

    @property
    def roles(self) -> tuple[Organisation, ...]:
        """It in each of them."""
        return self.recovery, self.access_control_broker, self.transitional_cos, self.wan_provider

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """Of every role."""
        return tuple(credential for role in self.roles for credential in role.credentials)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Those of the credentials."""
        return tuple(credential.certificate for credential in self.credentials)


@dataclass(frozen=True, slots=True)
class Manufacturer:
    """A Testing Participant that makes Devices (SEC H14.11). It is no Party: its certificates are those of its Devices."""

    smki: Smki = field(repr=False, compare=False)
    participant_id: PartyId

    @classmethod
    def of(cls, smki: Smki) -> Manufacturer:
        """The manufacturer of the demonstration cast."""
        return cls(smki, TESTING_PARTICIPANTS[0].participant_id)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Every Device Certificate that it has subscribed for, oldest first."""
        return tuple(self._certificates())

    def _certificates(self) -> Iterator[Certificate]:
        query = ApplicationQuery(subscriber=str(self.participant_id), granted=True)
        for application in self.smki.ledger.applications(query):
            record = self.smki.ledger.certificate(application.serial_number) if application.serial_number else None
            if record is not None:
                yield record.certificate


def _issue(
    smki: Smki, entity: EntityIdentifier, role: RemotePartyRole, usage: KeyUsage, *, top_up: bool = False
) -> Credential:
    key, request = smki.make_organisation_request(entity, role, usage)
    application = Application(kind=CertificateKind.ORGANISATION, request=request, top_up=top_up)
    return Credential(smki, smki.issue(application, Actor(interface="testing")).record.der, key)


def _lodged(smki: Smki, entity: EntityIdentifier, role: RemotePartyRole, usage: KeyUsage) -> Credential:
    key = smki.dcc_key(role, usage)
    (record,) = smki.ledger.certificates_of_key(encode_public_key(public_point(key.public_key())))
    return Credential(smki, record.der, key)
