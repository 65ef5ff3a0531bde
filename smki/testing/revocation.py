"""Revoke certificates in a test and issue the list at once."""

from __future__ import annotations

from smki.home.smki import Smki
from smki.identity import SerialNumber
from smki.pki.certificate import Certificate
from smki.problem import NotFound, Problem
from smki.registration import Actor
from smki.registration.revocation import Revoke, Revoked
from smki.sec.role import CertificateKind
from smki.testing.credential import Credential
from smki.testing.devices import DeviceUnderTest
from smki.testing.organisations import Dcc, Organisation

_LISTED_BY = {
    CertificateKind.ORGANISATION: CertificateKind.ISSUING_OCA,
    CertificateKind.ISSUING_OCA: CertificateKind.ROOT_OCA,
}


def revoke(
    smki: Smki,
    certificate: Credential | Certificate | SerialNumber | Organisation | Dcc,
    reason: str = "key-compromised",
    *,
    publish: bool = True,
) -> tuple[Revoked, ...]:
    """Revoke a certificate, or all certificates of an Organisation, and issue the list with the revocations.

    :param certificate: a certificate of an Organisation or an Issuing OCA, or an Organisation. Device Certificates are
        not revoked (SEC Appendix M).
    :param reason: a reason that ``smki revoke --reason`` accepts.
    :param publish: False to let the list be issued when it is due, within an hour.
    :returns: what was revoked.
    :raises NotRevocable: when the certificate is unknown, or of a kind that is not revoked.
    :raises AlreadyRevoked: when the certificate, or one of the Organisation, is revoked already; nothing is revoked then.
    :raises Malformed: when *reason* is not a reason.
    :raises NotFound: when *certificate* is anything else.
    """
    # Those that are revoked already come first, so that the error is raised before anything is revoked.
    serial_numbers = sorted(_serial_numbers(certificate), key=lambda number: smki.ledger.revocations.of(number) is None)
    actor = Actor(interface="testing")
    revoked = tuple(
        smki.registration.execute(Revoke(serial_number=number, reason=reason), actor) for number in serial_numbers
    )
    if publish:
        kinds = {_LISTED_BY[each.record.kind] for each in revoked}
        for lists in smki.all_lists(*kinds):
            lists.publish()
    return revoked


def _serial_numbers(certificate: object) -> list[SerialNumber]:
    if isinstance(certificate, SerialNumber):
        return [certificate]
    if isinstance(certificate, Organisation | Dcc):
        return [credential.serial_number for credential in certificate.credentials]
    if isinstance(certificate, Credential | Certificate):
        return [certificate.serial_number]
    is_device = isinstance(certificate, DeviceUnderTest)
    remedy = "Device Certificates are not revoked; use smki reject to have one investigated." if is_device else _REMEDY
    expected = "a certificate or an Organisation"
    raise NotFound(
        Problem(
            code="revocation.what",
            subject="certificate",
            seen=type(certificate).__name__,
            expected=expected,
            remedy=remedy,
        )
    )


_REMEDY = "Give a credential, a Certificate, a SerialNumber, an Organisation or the DCC."
