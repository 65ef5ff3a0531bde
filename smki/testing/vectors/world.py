"""Authorities, certificates and lists for the conformance vectors, made from a seed with keys of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from smki.identity import EntityIdentifier, SerialNumber
from smki.keys.private_key import SeededRandomness
from smki.pki import der
from smki.pki.request import hardware_module_alt_name, organisation_subject, public_point
from smki.pki.revocation_entry import RevokedEntry, encode_entries
from smki.pki.x509 import (
    ECDSA_WITH_SHA256_ALGORITHM,
    Oid,
    encode_attribute,
    encode_public_key,
    key_identifier,
    key_usage_bit_string,
)
from smki.profile.build import CertificateContents, build_tbs_certificate, validity_from
from smki.profile.build_list import ListContents, build_tbs_list
from smki.profile.forms import RevocationListProfile
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL, TEST_POLICY_OID, profile_of
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

MOMENT = datetime(2026, 6, 15, 12, 0, 0, tzinfo=UTC)
"""The moment that the cases ask about where they say nothing else: fixed, so that a seed makes the same octets."""

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
"""When the authorities' certificates begin."""
ISSUED = datetime(2025, 3, 1, tzinfo=UTC)
"""When everything else was issued."""
SUPPLIER = EntityIdentifier.parse("90-B3-D5-1F-30-01-00-00")
DEVICE = EntityIdentifier.parse("00-DB-12-34-56-78-90-A0")
LIST_NUMBER = 1000

Edit = Callable[[list[bytes]], list[bytes]]
"""Changes the fields of a TBSCertificate or TBSCertList (each encoded) before it is signed."""

_ECDSA = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one certificate is to hold; everything that is not said follows from its kind."""

    kind: CertificateKind
    name: bytes
    """The subject Name, DER."""
    key: str
    """The label of its key."""
    issuer: bytes
    """The issuer Name, DER."""
    signer: str
    """The label of the key that signs."""
    role: RemotePartyRole | None = None
    extensions: dict[str, bytes] = field(default_factory=dict)
    """Extension contents that are not the usual ones, by object identifier."""
    validity: tuple[datetime, datetime] | None = None
    serial: str = ""
    """What the serial number is derived from, where it is not the key."""
    policy: str = TEST_POLICY_OID
    issuer_key: bytes | None = None
    """authorityKeyIdentifier, where it is not the signer's."""
    edit: Edit | None = None
    outer: Edit | None = None
    """Changes tbsCertificate, signatureAlgorithm and signatureValue after it was signed."""


class World:
    """Keys and what is made with them.

    :param seed: makes keys, serial numbers and all that follows reproducible, octet for octet.
    """

    def __init__(self, seed: str = "vectors") -> None:
        self._randomness = SeededRandomness(f"conformance vectors\0{seed}")
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}

    def key(self, label: str) -> ec.EllipticCurvePrivateKey:
        """The private key of that label."""
        if label not in self._keys:
            self._keys[label] = self._randomness.private_key(label)
        return self._keys[label]

    def point(self, label: str) -> bytes:
        """Its public key, 65 octets."""
        return public_point(self.key(label).public_key())

    def serial(self, label: str) -> SerialNumber:
        """The serial number of that label."""
        return self._randomness.serial_number(label.encode(), 0)

    def certificate(self, plan: Plan) -> bytes:
        """The certificate (DER) of a plan."""
        profile = profile_of(plan.kind, plan.role)
        began = BEGAN if plan.kind.is_authority else ISSUED
        not_before, not_after = plan.validity or validity_from(began, profile.validity.form)
        is_root = plan.issuer == plan.name and plan.kind.is_authority
        contents = CertificateContents(
            serial_number=self.serial(plan.serial or plan.key),
            issuer=plan.issuer,
            not_before=not_before,
            not_after=not_after,
            subject=plan.name,
            public_key_info=encode_public_key(self.point(plan.key)),
            issuer_key_identifier=None if is_root else plan.issuer_key or key_identifier(self.point(plan.signer)),
            policy_oid=plan.policy,
            carried_over=plan.extensions,
        )
        return self.signed(build_tbs_certificate(profile, contents), plan.signer, plan.edit, plan.outer)

    def signed(self, tbs: bytes, signer: str, edit: Edit | None = None, outer: Edit | None = None) -> bytes:
        """A certificate or list (DER) from its to-be-signed part."""
        if edit is not None:
            tbs = der.sequence(*edit([node.encoded for node in der.read(tbs).children()]))
        parts = [tbs, ECDSA_WITH_SHA256_ALGORITHM, der.bit_string(self.key(signer).sign(tbs, _ECDSA))]
        return der.sequence(*(outer(parts) if outer is not None else parts))

    def revocation_list(
        self,
        profile: RevocationListProfile,
        *,
        issuer: bytes,
        signer: str,
        number: int = LIST_NUMBER,
        since: datetime | None = None,
        until: datetime | None = None,
        revoked: Sequence[RevokedEntry] = (),
        issuer_key: bytes | None = None,
        edit: Edit | None = None,
        outer: Edit | None = None,
    ) -> bytes:
        """A revocation list (DER)."""
        since = since or MOMENT - timedelta(hours=6)
        contents = ListContents(
            issuer=issuer,
            issuer_key_identifier=issuer_key or key_identifier(self.point(signer)),
            number=number,
            this_update=since,
            next_update=until or since + timedelta(hours=profile.next_update.form.hours),
            entries=encode_entries(revoked),
        )
        return self.signed(build_tbs_list(profile, contents), signer, edit, outer)

    def authority(self, kind: CertificateKind, common_name: str, key: str, above: Plan | None) -> Plan:
        """The plan of an authority; itself the issuer where there is none above it."""
        name = authority_name(kind, common_name)
        return Plan(kind, name, key, above.name if above else name, above.key if above else key)

    @cached_property
    def root_oca(self) -> Plan:
        """The Root OCA."""
        return self.authority(CertificateKind.ROOT_OCA, "VA", "root oca", None)

    @cached_property
    def issuing_oca(self) -> Plan:
        """The Issuing OCA."""
        return self.authority(CertificateKind.ISSUING_OCA, "V1", "issuing oca", self.root_oca)

    @cached_property
    def root_dca(self) -> Plan:
        """The Root DCA."""
        return self.authority(CertificateKind.ROOT_DCA, "VD", "root dca", None)

    @cached_property
    def issuing_dca(self) -> Plan:
        """The Issuing DCA."""
        return self.authority(CertificateKind.ISSUING_DCA, "VD01", "issuing dca", self.root_dca)

    def organisation(
        self,
        role: RemotePartyRole = RemotePartyRole.SUPPLIER,
        usage: KeyUsage = KeyUsage.DIGITAL_SIGNATURE,
        issuer: Plan | None = None,
    ) -> Plan:
        """The plan of an Organisation Certificate."""
        above = issuer or self.issuing_oca
        name = organisation_subject(role, SUPPLIER, None)
        extensions = {Oid.KEY_USAGE: key_usage_bit_string(usage)}
        key = f"organisation {role.label} {usage.code}"
        return Plan(CertificateKind.ORGANISATION, name, key, above.name, above.key, role, extensions)

    def device(self, usage: KeyUsage = KeyUsage.DIGITAL_SIGNATURE, issuer: Plan | None = None) -> Plan:
        """The plan of a Device Certificate."""
        above = issuer or self.issuing_dca
        extensions = {
            Oid.KEY_USAGE: key_usage_bit_string(usage),
            Oid.SUBJECT_ALT_NAME: hardware_module_alt_name(DEVICE),
        }
        empty = der.sequence()
        key = f"device {usage.code}"
        return Plan(CertificateKind.DEVICE, empty, key, above.name, above.key, None, extensions)

    def crl(self, issuer: Plan | None = None, **changes: Any) -> bytes:
        """An Organisation CRL (DER)."""
        above = issuer or self.issuing_oca
        wanted: dict[str, Any] = {"issuer": above.name, "signer": above.key, **changes}
        return self.revocation_list(ORGANISATION_CRL, **wanted)

    def arl(self, issuer: Plan | None = None, **changes: Any) -> bytes:
        """An Organisation ARL (DER)."""
        above = issuer or self.root_oca
        wanted: dict[str, Any] = {"issuer": above.name, "signer": above.key, **changes}
        return self.revocation_list(ORGANISATION_ARL, **wanted)


def authority_name(kind: CertificateKind, common_name: str) -> bytes:
    """The Name (DER) of an authority."""
    rdns = [encode_attribute(Oid.COMMON_NAME, der.printable_string(common_name))]
    unit = {CertificateKind.ROOT_OCA: "00", CertificateKind.ISSUING_OCA: "07"}.get(kind)
    if unit is not None:
        rdns.insert(0, encode_attribute(Oid.ORGANIZATIONAL_UNIT_NAME, der.printable_string(unit)))
    return der.sequence(*rdns)


def changed(plan: Plan, **changes: Any) -> Plan:
    """The same plan but for these fields."""
    return replace(plan, **changes)
