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
"""The Entity Identifier that is used for each role unless a test chooses one: those of the demonstration Parties."""


@dataclass(frozen=True, slots=True, repr=False)
class Organisation:
    """An Organisation in one Remote Party Role, with a certificate and key for each key usage of the role."""

    smki: Smki = field(repr=False, compare=False)
    entity_identifier: EntityIdentifier
    role: RemotePartyRole
    credentials: tuple[Credential, ...]
    """Those for digital signature, key agreement, and key agreement for prepayment top-up, as far as the role has them."""

    def __repr__(self) -> str:
        return f"<{self.role.label} {self.entity_identifier}>"

    @classmethod
    def make(
        cls, smki: Smki, role: RemotePartyRole | str, entity: EntityIdentifier | str | None = None
    ) -> Organisation:
        """Issue certificates to an Organisation that is registered, on new keys.

        :param role: ``supplier``, ``networkOperator`` and so on.
        :param entity: its Entity Identifier; by default that of a demonstration Party (:data:`ENTITY_IDENTIFIERS`).
        :raises Malformed: when *role* or *entity* is not valid.
        :raises NotFound: when *role* is that of an authority.
        :raises Refused: when an application is refused, with every reason.
        """
        role = RemotePartyRole.parse(role) if isinstance(role, str) else role
        entity = EntityIdentifier.parse(entity) if isinstance(entity, str) else entity
        if role not in ENTITY_IDENTIFIERS:
            expected = ", ".join(each.label for each in ENTITY_IDENTIFIERS)
            raise NotFound(
                Problem(
                    code="role.no-certificates",
                    subject="role",
                    seen=f"{role}, the role of an authority",
                    expected=expected,
                )
            )
        entity = entity or ENTITY_IDENTIFIERS[role]
        made = [_issue(smki, entity, role, usage) for usage in role.usages]
        if role is RemotePartyRole.SUPPLIER:
            made.append(_issue(smki, entity, role, KeyUsage.KEY_AGREEMENT, top_up=True))
        return cls(smki, entity, role, tuple(made))

    @classmethod
    def of_dcc(cls, smki: Smki, role: RemotePartyRole | str) -> Organisation:
        """Return the DCC in a role, with the certificates issued to it when the SMKI was made (SEC L3.12).

        :raises NotFound: for a role in which it has none.
        """
        role = RemotePartyRole.parse(role) if isinstance(role, str) else role
        entity = DCC_ENTITY_IDENTIFIERS.get(role)
        if entity is None:
            expected = ", ".join(each.label for each in DCC_ENTITY_IDENTIFIERS)
            raise NotFound(Problem(code="role.not-the-dcc", subject="role", seen=role.label, expected=expected))
        return cls(smki, entity, role, tuple(_lodged(smki, entity, role, usage) for usage in role.usages))

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates of :attr:`credentials`."""
        return tuple(credential.certificate for credential in self.credentials)

    @property
    def digital_signature(self) -> Credential:
        """Certificate and key for digital signatures; every role has them."""
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
            raise NotFound(
                Problem(
                    code="role.no-such-usage", subject=f"{self.role} {self.entity_identifier}", seen=had, expected=what
                )
            )
        return self.credentials[number]

    def renew(self, usage: KeyUsage | str) -> Organisation:
        """Issue a new certificate on a new key, and return the Organisation with that in place of the old one.

        The old certificate is then no longer in use.

        :param usage: ``ds`` or ``ka`` (key agreement for management, not for prepayment top-up).
        """
        usage = KeyUsage.parse(usage) if isinstance(usage, str) else usage
        new = _issue(self.smki, self.entity_identifier, self.role, usage)
        at = self.role.usages.index(usage)
        return replace(self, credentials=(*self.credentials[:at], new, *self.credentials[at + 1 :]))


@dataclass(frozen=True, slots=True)
class Dcc:
    """The Data and Communications Company (DCC), in each role in which it has certificates (SEC L3.12)."""

    smki: Smki = field(repr=False, compare=False)
    recovery: Organisation
    access_control_broker: Organisation
    transitional_cos: Organisation
    wan_provider: Organisation

    @classmethod
    def of(cls, smki: Smki) -> Dcc:
        """Return the DCC of an SMKI."""
        roles = (
            RemotePartyRole.RECOVERY,
            RemotePartyRole.ACCESS_CONTROL_BROKER,
            RemotePartyRole.TRANSITIONAL_COS,
            RemotePartyRole.WAN_PROVIDER,
        )
        return cls(smki, *(Organisation.of_dcc(smki, role) for role in roles))

    @property
    def roles(self) -> tuple[Organisation, ...]:
        """The DCC in each of its roles."""
        return self.recovery, self.access_control_broker, self.transitional_cos, self.wan_provider

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The credentials of all roles."""
        return tuple(credential for role in self.roles for credential in role.credentials)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates of :attr:`credentials`."""
        return tuple(credential.certificate for credential in self.credentials)


@dataclass(frozen=True, slots=True)
class Manufacturer:
    """A Testing Participant that makes Devices (SEC H14.11): the subscriber for their certificates, and not a Party."""

    smki: Smki = field(repr=False, compare=False)
    participant_id: PartyId

    @classmethod
    def of(cls, smki: Smki) -> Manufacturer:
        """Return the manufacturer among the demonstration Parties."""
        return cls(smki, TESTING_PARTICIPANTS[0].participant_id)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Every Device Certificate issued to it as subscriber, oldest first."""
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
    application = Application(kind=CertificateKind.ORGANISATION, request=request, top_up=top_up, statement=True)
    return Credential(smki, smki.issue(application, Actor(interface="testing")).record.der, key)


def _lodged(smki: Smki, entity: EntityIdentifier, role: RemotePartyRole, usage: KeyUsage) -> Credential:
    key = smki.dcc_key(role, usage)
    (record,) = smki.ledger.certificates_of_key(encode_public_key(public_point(key.public_key())))
    return Credential(smki, record.der, key)
