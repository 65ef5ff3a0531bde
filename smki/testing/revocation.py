"""Revocation for a test: granted, and on the list at once."""

from __future__ import annotations

from smki.certificate import Certificate
from smki.home import Smki
from smki.identity import SerialNumber
from smki.problem import NotFound, Problem
from smki.registration.revocation import Revoked
from smki.registration.revocation import revoke as revoke_certificate
from smki.role import CertificateKind
from smki.testing.credential import Credential
from smki.testing.organisations import Organisation

_LISTED_BY = {
    CertificateKind.ORGANISATION: CertificateKind.ISSUING_OCA,
    CertificateKind.ISSUING_OCA: CertificateKind.ROOT_OCA,
}


def revoke(
    smki: Smki,
    certificate: Credential | Certificate | SerialNumber | Organisation,
    reason: str = "key-compromised",
    *,
    publish: bool = True,
) -> tuple[Revoked, ...]:
    """Revoke a certificate, or every one of an Organisation, and issue the list that says so.

    :param certificate: of an Organisation or an Issuing OCA: Device Certificates are not revoked (SEC L11.7).
    :param reason: one of ``smki revoke --reason``.
    :param publish: false to leave the list for when it is due, within an hour.
    :returns: what was revoked.
    :raises NotRevocable: when it is of a kind that is not revoked, or unknown.
    :raises AlreadyRevoked: when it was revoked before.
    """
    serial_numbers = _serial_numbers(certificate)
    now = smki.clock.now()
    revoked = tuple(revoke_certificate(smki.ledger, number, reason, now) for number in serial_numbers)
    if publish:
        kinds = {_LISTED_BY[each.record.kind] for each in revoked}
        for lists in smki.all_lists(*kinds):
            lists.publish()
    return revoked


def _serial_numbers(certificate: Credential | Certificate | SerialNumber | Organisation) -> list[SerialNumber]:
    if isinstance(certificate, SerialNumber):
        return [certificate]
    if isinstance(certificate, Organisation):
        return [credential.serial_number for credential in certificate.credentials]
    if isinstance(certificate, Credential | Certificate):
        return [certificate.serial_number]
    raise NotFound(
        Problem("revocation.what", "certificate", type(certificate).__name__, "a certificate or an Organisation", "SEC L8",
                "Device Certificates are not revoked; smki reject has one investigated.")
    )  # fmt: skip
