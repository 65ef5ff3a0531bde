"""Valid certificates, requests and revocation lists for defects and vectors, with authorities and keys of their own."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from smki.identity import EntityIdentifier, SerialNumber
from smki.keys.private_key import Randomness, SeededRandomness, SystemRandomness
from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.request import (
    hardware_module_alt_name,
    make_device_request,
    make_organisation_request,
    organisation_subject,
    public_point,
)
from smki.pki.revocation_entry import RevocationReason, RevokedEntry, encode_entries
from smki.pki.x509 import encode_attribute, encode_public_key, key_identifier, key_usage_bit_string
from smki.profile.build import CertificateContents, build_tbs_certificate, validity_from
from smki.profile.build_list import ListContents, build_tbs_list
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL, TEST_POLICY_OID, profile_of
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole
from smki.testing.defects.parts import CertificateParts, ListParts, RequestParts

DEVICE_EUI64 = EntityIdentifier.parse("00-DB-12-34-56-78-90-A0")
ORGANISATION_EUI64 = EntityIdentifier.parse("90-B3-D5-1F-30-01-00-00")
ORGANISATION_NAME = "Supplier"
ROLE = RemotePartyRole.SUPPLIER

_DAY = timedelta(days=1)
LIST_NUMBER = 1000
"""cRLNumber of the valid revocation lists."""

AUTHORITIES_BEGAN = timedelta(days=11 * 365)
"""Time from the start of the issuing authorities' certificates to the moment: an expired Organisation Certificate of
ten years fits below them."""
ROOTS_BEGAN = timedelta(days=26 * 366)
"""Time from the start of the roots' certificates to the moment: an expired Issuing OCA of 25 years fits below them."""
ISSUED = timedelta(days=30)
"""Time from the issue of end-entity certificates to the moment."""

Edit = Callable[[Any, "SamplePki"], Any]
"""Changes the parts (:mod:`~smki.testing.defects.parts`) of a certificate, request or list before it is encoded."""


class Base(enum.Enum):
    """The valid certificates, requests and lists."""

    ROOT_OCA = "root-oca"
    ISSUING_OCA = "issuing-oca"
    ROOT_DCA = "root-dca"
    ISSUING_DCA = "issuing-dca"
    ORGANISATION = "organisation"
    DEVICE = "device"
    ORGANISATION_REQUEST = "organisation-request"
    DEVICE_REQUEST = "device-request"
    CRL = "organisation-crl"
    ARL = "organisation-arl"

    @property
    def is_authority(self) -> bool:
        """Whether it is an authority's certificate."""
        return self in (Base.ROOT_OCA, Base.ISSUING_OCA, Base.ROOT_DCA, Base.ISSUING_DCA)

    @property
    def is_list(self) -> bool:
        """Whether it is a revocation list."""
        return self in (Base.CRL, Base.ARL)

    @property
    def is_request(self) -> bool:
        """Whether it is a certification request."""
        return self in (Base.ORGANISATION_REQUEST, Base.DEVICE_REQUEST)

    @property
    def is_of_device(self) -> bool:
        """Whether it belongs to the hierarchy of Device Certificates, for which there are no revocation lists."""
        return self in (Base.ROOT_DCA, Base.ISSUING_DCA, Base.DEVICE, Base.DEVICE_REQUEST)

    @property
    def issuer(self) -> Base | None:
        """The authority that signs it; None for a request, which is signed with its own key."""
        return _ISSUERS.get(self)


_ISSUERS = {
    Base.ROOT_OCA: Base.ROOT_OCA,
    Base.ISSUING_OCA: Base.ROOT_OCA,
    Base.ROOT_DCA: Base.ROOT_DCA,
    Base.ISSUING_DCA: Base.ROOT_DCA,
    Base.ORGANISATION: Base.ISSUING_OCA,
    Base.DEVICE: Base.ISSUING_DCA,
    Base.CRL: Base.ISSUING_OCA,
    Base.ARL: Base.ROOT_OCA,
}

# No authority of a home, and no published one, has a name that begins with X.
_AUTHORITY_NAMES = {
    Base.ROOT_OCA: (RemotePartyRole.ROOT, "XA"),
    Base.ISSUING_OCA: (RemotePartyRole.ISSUING_AUTHORITY, "X1"),
    Base.ROOT_DCA: (None, "XD"),
    Base.ISSUING_DCA: (None, "XD01"),
}


def authority_name(role: RemotePartyRole | None, common_name: str) -> bytes:
    """The Name (DER) of an authority."""
    rdns = [encode_attribute(Oid.COMMON_NAME, der.printable_string(common_name))]
    if role is not None:
        rdns.insert(0, encode_attribute(Oid.ORGANIZATIONAL_UNIT_NAME, der.printable_string(role.hexadecimal)))
    return der.sequence(*rdns)


@dataclass(frozen=True)
class SamplePki:
    """Keys, names and valid certificates, requests and lists. What was made once is kept.

    :param moment: when a Relying Party is to judge them (UTC): all are valid then, and the lists current.
    :param seed: makes keys, serial numbers and signatures reproducible; None for random ones.
    """

    moment: datetime
    seed: str | None = None

    @cached_property
    def _randomness(self) -> Randomness:
        # Prefixed, so that a home made from the same seed shares no key with the defects.
        return SystemRandomness() if self.seed is None else SeededRandomness(f"defects\0{self.seed}")

    @cached_property
    def _keys(self) -> dict[str, ec.EllipticCurvePrivateKey]:
        return {}

    @cached_property
    def _serial_numbers(self) -> dict[str, SerialNumber]:
        return {}

    @cached_property
    def _good(self) -> dict[Base, CertificateParts | RequestParts | ListParts]:
        return {}

    @cached_property
    def _good_bytes(self) -> dict[Base, bytes]:
        return {}

    def key(self, label: str) -> ec.EllipticCurvePrivateKey:
        """The private key of that label; a base's own key has its value as the label."""
        if label not in self._keys:
            self._keys[label] = self._randomness.private_key(label)
        return self._keys[label]

    def point(self, label: str) -> bytes:
        """The public key of that label: an uncompressed point of 65 bytes."""
        return public_point(self.key(label).public_key())

    def serial_number(self, label: str) -> SerialNumber:
        """The serial number of that label."""
        if label not in self._serial_numbers:
            (self._serial_numbers[label],) = self._randomness.serial_numbers([label.encode()], 0)
        return self._serial_numbers[label]

    def name(self, base: Base) -> bytes:
        """The Name (DER) of an authority."""
        return authority_name(*_AUTHORITY_NAMES[base])

    @cached_property
    def today(self) -> datetime:
        """00:00:00Z on the day of the moment."""
        return self.moment.replace(hour=0, minute=0, second=0, microsecond=0)

    def good(self, base: Base) -> CertificateParts | RequestParts | ListParts:
        """The valid one in parts."""
        if base not in self._good:
            self._good[base] = _MAKERS.get(base, _authority)(self, base)
        return self._good[base]

    def good_bytes(self, base: Base) -> bytes:
        """The valid one, signed (DER)."""
        if base not in self._good_bytes:
            self._good_bytes[base] = self.good(base).encoded()
        return self._good_bytes[base]

    def make(self, base: Base, *edits: Edit) -> bytes:
        """The valid one with these changes, signed (DER, unless an edit makes it something else)."""
        parts: Any = self.good(base)
        for edit in edits:
            parts = edit(parts, self)
        encoded: bytes = parts.encoded()
        return encoded

    def revocation_list(
        self,
        base: Base,
        *edits: Edit,
        since: datetime | None = None,
        until: datetime | None = None,
        number: int = LIST_NUMBER,
        revoked: Sequence[RevokedEntry] | None = None,
    ) -> bytes:
        """A revocation list (DER) with other contents than the valid one, and then these changes.

        :param since: thisUpdate, UTC; an hour before the moment by default.
        :param until: nextUpdate, UTC; by default as late as the profile allows.
        :param revoked: the entries; by default three certificates that nobody uses.
        """
        parts: Any = _revocation_list(self, base, since, until, number, revoked)
        for edit in edits:
            parts = edit(parts, self)
        encoded: bytes = parts.encoded()
        return encoded


def _contents(
    pki: SamplePki, base: Base, began: datetime, subject: bytes, **carried_over: bytes
) -> CertificateContents:
    kind = CertificateKind(base.value)
    issuer = _ISSUERS[base]
    not_before, not_after = validity_from(began, profile_of(kind).validity.form)
    return CertificateContents(
        serial_number=pki.serial_number(base.value),
        issuer=pki.name(issuer),
        not_before=not_before,
        not_after=not_after,
        subject=subject,
        public_key_info=encode_public_key(pki.point(base.value)),
        issuer_key_identifier=None if issuer is base else key_identifier(pki.point(issuer.value)),
        policy_oid=TEST_POLICY_OID,
        carried_over={_CARRIED_OVER[name]: value for name, value in carried_over.items()},
    )


_CARRIED_OVER = {"key_usage": Oid.KEY_USAGE, "subject_alt_name": Oid.SUBJECT_ALT_NAME}


def _authority(pki: SamplePki, base: Base) -> CertificateParts:
    began = pki.today - (ROOTS_BEGAN if _ISSUERS[base] is base else AUTHORITIES_BEGAN)
    contents = _contents(pki, base, began, pki.name(base))
    tbs = build_tbs_certificate(profile_of(CertificateKind(base.value)), contents)
    return CertificateParts.of(tbs, pki.key(_ISSUERS[base].value))


def _organisation(pki: SamplePki, base: Base) -> CertificateParts:
    usage = key_usage_bit_string(KeyUsage.DIGITAL_SIGNATURE)
    subject = organisation_subject(ROLE, ORGANISATION_EUI64, ORGANISATION_NAME)
    contents = _contents(pki, base, pki.today - ISSUED, subject, key_usage=usage)
    tbs = build_tbs_certificate(profile_of(CertificateKind.ORGANISATION, ROLE), contents)
    return CertificateParts.of(tbs, pki.key(Base.ISSUING_OCA.value))


def _device(pki: SamplePki, base: Base) -> CertificateParts:
    usage, alt_name = key_usage_bit_string(KeyUsage.DIGITAL_SIGNATURE), hardware_module_alt_name(DEVICE_EUI64)
    began = pki.today - ISSUED
    contents = _contents(pki, base, began, der.sequence(), key_usage=usage, subject_alt_name=alt_name)
    tbs = build_tbs_certificate(profile_of(CertificateKind.DEVICE), contents)
    return CertificateParts.of(tbs, pki.key(Base.ISSUING_DCA.value))


def _organisation_request(pki: SamplePki, base: Base) -> RequestParts:
    key = pki.key(base.value)
    request = make_organisation_request(key, ORGANISATION_EUI64, ROLE, KeyUsage.DIGITAL_SIGNATURE, ORGANISATION_NAME)
    return RequestParts.of(request, key)


def _device_request(pki: SamplePki, base: Base) -> RequestParts:
    key = pki.key(base.value)
    return RequestParts.of(make_device_request(key, DEVICE_EUI64, KeyUsage.DIGITAL_SIGNATURE), key)


def _revocation_list(
    pki: SamplePki,
    base: Base,
    since: datetime | None = None,
    until: datetime | None = None,
    number: int = LIST_NUMBER,
    revoked: Sequence[RevokedEntry] | None = None,
) -> ListParts:
    profile = ORGANISATION_CRL if base is Base.CRL else ORGANISATION_ARL
    issuer = _ISSUERS[base]
    since = since or pki.moment.replace(microsecond=0) - timedelta(hours=1)
    if revoked is None:
        # Before any thisUpdate of the defective lists: no certificate is revoked in the future.
        before = pki.today - (20 if base is Base.CRL else 500) * _DAY
        revoked = [
            RevokedEntry(pki.serial_number(f"{base.value} revoked"), before, RevocationReason.KEY_COMPROMISE),
            RevokedEntry(pki.serial_number(f"{base.value} another"), before, RevocationReason.SUPERSEDED),
            RevokedEntry(pki.serial_number(f"{base.value} without reason"), before - _DAY),
        ]
    contents = ListContents(
        issuer=pki.name(issuer),
        issuer_key_identifier=key_identifier(pki.point(issuer.value)),
        number=number,
        this_update=since,
        next_update=until or since + timedelta(hours=profile.next_update.form.hours),
        entries=encode_entries(revoked),
    )
    return ListParts.of(build_tbs_list(profile, contents), pki.key(issuer.value))


_MAKERS: dict[Base, Callable[[SamplePki, Base], CertificateParts | RequestParts | ListParts]] = {
    Base.ORGANISATION: _organisation,
    Base.DEVICE: _device,
    Base.ORGANISATION_REQUEST: _organisation_request,
    Base.DEVICE_REQUEST: _device_request,
    Base.CRL: _revocation_list,
    Base.ARL: _revocation_list,
}
