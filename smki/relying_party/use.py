"""The intended use of a certificate."""

from __future__ import annotations

from dataclasses import dataclass

from smki.identity import EntityIdentifier
from smki.pki.certificate import Certificate
from smki.problem import Malformed, Problem
from smki.relying_party.requirements import ENTITY, KEY_USAGE, ROLE
from smki.relying_party.verdict import Check, Checks, judge, left_out
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Use:
    """A role, a key usage, or both."""

    role: RemotePartyRole | None = None
    """Remote Party Role of the Organisation; None for any role, and for a Device."""
    usage: KeyUsage | None = None
    """digitalSignature or keyAgreement; None for either."""
    device: bool = False
    """Whether it must be a Device's certificate."""

    @classmethod
    def parse(cls, text: str) -> Use:
        """Read ``supplier/ds``, ``supplier``, ``/ka``, ``device`` or ``device/ka``, in any case.

        :raises Malformed: for anything else.
        """
        role, _, usage = text.strip().partition("/")
        if not role and not usage:
            raise Malformed(
                Problem(
                    code="use.malformed", subject="use", seen=f"{text[:64]!r}", expected="ROLE, ROLE/USAGE or /USAGE"
                )
            )
        is_device = role.lower() == DEVICE
        return cls(
            RemotePartyRole.parse(role) if role and not is_device else None,
            KeyUsage.parse(usage) if usage else None,
            is_device,
        )

    def __str__(self) -> str:
        role = DEVICE if self.device else self.role.label if self.role else ""
        return f"{role}/{self.usage.code}" if self.usage else role


ANY_USE = Use()

_NOT_ASKED = (
    (ROLE, "no role was specified"),
    (ENTITY, "no Entity Identifier was specified"),
    (KEY_USAGE, "no key usage was specified"),
)


def check_use(
    certificate: Certificate, kind: CertificateKind, label: str, use: Use, entity: EntityIdentifier | None
) -> Checks:
    """Step 6: check that role, Entity Identifier and key usage suit the intended use."""
    if use is ANY_USE and entity is None:
        return tuple(left_out(requirement, label, seen) for requirement, seen in _NOT_ASKED)
    return (
        _check_role(certificate, kind, label, use),
        _check_entity(certificate, label, entity),
        _check_usage(certificate, label, use.usage),
    )


def _check_role(certificate: Certificate, kind: CertificateKind, label: str, use: Use) -> Check:
    if use.device:
        return judge(ROLE, label, kind is CertificateKind.DEVICE, "use.role", kind.title, CertificateKind.DEVICE.title)
    if use.role is None:
        return left_out(ROLE, label, "no role was specified")
    seen = certificate.role.label if certificate.role else f"no role ({kind.title})"
    holds = kind is CertificateKind.ORGANISATION and certificate.role is use.role
    return judge(ROLE, label, holds, "use.role", seen, use.role.label)


def _check_entity(certificate: Certificate, label: str, entity: EntityIdentifier | None) -> Check:
    if entity is None:
        return left_out(ENTITY, label, "no Entity Identifier was specified")
    found = certificate.entity_identifier
    seen = str(found) if found is not None else "no Entity Identifier"
    return judge(ENTITY, label, found == entity, "use.entity", seen, str(entity))


def _check_usage(certificate: Certificate, label: str, usage: KeyUsage | None) -> Check:
    if usage is None:
        return left_out(KEY_USAGE, label, "no key usage was specified")
    seen = ", ".join(sorted(usage.label for usage in certificate.key_usages)) or "no key usage"
    return judge(KEY_USAGE, label, certificate.usage is usage, "use.key-usage", seen, usage.label)
