"""What a certificate is to be relied on for."""

from __future__ import annotations

from dataclasses import dataclass

from smki.pki.certificate import Certificate
from smki.problem import Malformed, Problem
from smki.relying_party.requirements import KEY_USAGE, ROLE
from smki.relying_party.verdict import Checks, judge, left_out
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Use:
    """A role, a key usage, or both."""

    role: RemotePartyRole | None = None
    """Remote Party Role of the Organisation; None for any, and for a Device."""
    usage: KeyUsage | None = None
    """digitalSignature or keyAgreement; None for either."""
    device: bool = False
    """Whether it is to be a Device's."""

    @classmethod
    def parse(cls, text: str) -> Use:
        """Read ``supplier/ds``, ``supplier``, ``/ka``, ``device`` or ``device/ka``, in any case.

        :raises Malformed: for anything else.
        """
        role, _, usage = text.strip().partition("/")
        if not role and not usage:
            raise Malformed(
                Problem(
                    "use.malformed", "use", f"{text[:64]!r}", "ROLE, ROLE/USAGE or /USAGE", "", "Write supplier/ds."
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


def check_use(certificate: Certificate, kind: CertificateKind, label: str, use: Use) -> Checks:
    """Step 6: role and key usage fit what the certificate is to be relied on for."""
    if use is ANY_USE:
        return (
            left_out(ROLE, label, "no role was asked for"),
            left_out(KEY_USAGE, label, "no key usage was asked for"),
        )
    if use.device:
        role = judge(ROLE, label, kind is CertificateKind.DEVICE, "use.role", kind.title, CertificateKind.DEVICE.title)
    elif use.role is not None:
        seen = certificate.role.label if certificate.role else f"no role ({kind.title})"
        holds = kind is CertificateKind.ORGANISATION and certificate.role is use.role
        role = judge(ROLE, label, holds, "use.role", seen, use.role.label)
    else:
        role = left_out(ROLE, label, "no role was asked for")
    if use.usage is None:
        return (role, left_out(KEY_USAGE, label, "no key usage was asked for"))
    seen = ", ".join(sorted(usage.label for usage in certificate.key_usages)) or "no key usage"
    holds = certificate.usage is use.usage
    return (role, judge(KEY_USAGE, label, holds, "use.key-usage", seen, use.usage.label))
