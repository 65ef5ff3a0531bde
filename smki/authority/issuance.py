"""Makes certificates: build, lint, sign. Nothing here is stored; docs/issuance-cycle.md explains the following
steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from smki.authority.certification_authority import SigningKey
from smki.identity import SerialNumber
from smki.keys.private_key import Randomness
from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.template import CertificateTemplate
from smki.profile import IssuerFacts
from smki.profile.build import CertificateContents, build_tbs_certificate, validity_from
from smki.profile.clearance import IssuingTemplates, clear_for_signature
from smki.profile.tables import profile_of
from smki.sec.role import CertificateKind, RemotePartyRole


@dataclass(frozen=True, slots=True)
class Subject:
    """The holder-specific contents of a certificate."""

    name: bytes
    """The subject name (DER)."""
    public_key_info: bytes
    """SubjectPublicKeyInfo (DER)."""
    carried_over: dict[str, bytes] = field(default_factory=dict)
    """Contents of extensions copied from the request, by dotted object identifier."""


class CertificateOrder(NamedTuple):
    """A certificate to be made."""

    kind: CertificateKind
    role: RemotePartyRole | None
    subject: Subject
    issuer: IssuerFacts
    key: SigningKey
    serial_number: SerialNumber


class Issuance:
    """Makes certificates that conform to their profile.

    :param policy_oid: the certificatePolicies of all certificates.
    """

    def __init__(self, randomness: Randomness, policy_oid: str) -> None:
        self._randomness = randomness
        self.maker = CertificateMaker(policy_oid)

    def serial_numbers(self, subjects: Sequence[Subject], attempt: int, above: int) -> list[SerialNumber]:
        """Draw a serial number for the certificate of each subject.

        :param above: the number of the last restore (:meth:`~smki.ledger.Reader.numbers_above`): with a seed, other
            serial numbers are drawn after each restore.
        :param attempt: how many numbers were drawn before for these certificates and were already in use.
        """
        restored = above.to_bytes(8, "big") if above else b""
        return self._randomness.serial_numbers([each.public_key_info + restored for each in subjects], attempt)


class CertificateMaker:
    """Builds certificates, lints them, and has them signed.

    :param policy_oid: the certificatePolicies of all certificates.
    """

    def __init__(self, policy_oid: str) -> None:
        self.policy_oid = policy_oid
        self._templates = IssuingTemplates()
        self._alike: dict[tuple[object, ...], CertificateTemplate] = {}

    def make(self, order: CertificateOrder, now: datetime) -> bytes:
        """Build a certificate, lint it, and sign it. Return it (DER).

        The signature is deterministic, and a certificate counts as issued only when it is stored. One that is lost
        before that was never issued.

        :param now: the time from which the validity is calculated.
        :raises NotConformant: if it would break its profile; nothing is signed then.
        """
        profile, issuer = profile_of(order.kind, order.role), order.issuer
        not_before, not_after = validity_from(now, profile.validity.form)
        contents = CertificateContents(
            serial_number=order.serial_number,
            issuer=issuer.name or b"",
            not_before=not_before,
            not_after=not_after,
            subject=order.subject.name,
            public_key_info=order.subject.public_key_info,
            issuer_key_identifier=issuer.key_identifier,
            policy_oid=self.policy_oid,
            carried_over=order.subject.carried_over,
        )
        key = _what_devices_share(order)
        like = self._alike.get(key) if key is not None else None
        tbs = (like and _filled(like, contents)) or build_tbs_certificate(profile, contents)
        cleared = clear_for_signature(tbs, profile, issuer, self.policy_oid, self._templates)
        if key is not None and like is None:
            self._remember(key, tbs)
        return order.key.sign(cleared)

    def _remember(self, key: tuple[object, ...], tbs: bytes) -> None:
        for template, _ in self._templates.covering(tbs):
            if len(self._alike) >= MAX_ALIKE:
                self._alike.clear()
            self._alike[key] = template


MAX_ALIKE = 64
"""Number of templates from which certificates are made."""


def _what_devices_share(order: CertificateOrder) -> tuple[object, ...] | None:
    """Return what determines a Device Certificate but for its serial number, notBefore, key and Device ID, which ends its
    subjectAltName; None for other certificates."""
    name = order.subject.carried_over.get(Oid.SUBJECT_ALT_NAME)
    if order.kind is not CertificateKind.DEVICE or name is None:
        return None
    subject, issuer = order.subject, order.issuer
    others = [item for item in sorted(subject.carried_over.items()) if item[0] != Oid.SUBJECT_ALT_NAME]
    return issuer.name, issuer.key_identifier, subject.name, subject.public_key_info[:-65], name[:-8], *others


def _filled(like: CertificateTemplate, contents: CertificateContents) -> bytes | None:
    point = contents.public_key_info[-65:]
    entity = contents.carried_over[Oid.SUBJECT_ALT_NAME][-8:]
    return like.filled(contents.serial_number.value, der.time(contents.not_before), point, entity)
