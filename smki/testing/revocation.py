"""Revocation for a test: granted, and on the list at once."""

from __future__ import annotations

from smki.home.smki import Smki
from smki.identity import SerialNumber
from smki.pki.certificate import Certificate
from smki.problem import NotFound, Problem
from smki.registration import Actor
from smki.registration.revocation import Revoke, Revoked
from smki.sec.role import CertificateKind
from smki.testing.credential import Credential
from smki.testing.devices import Device
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
    """Revoke a certificate, or every one of an Organisation, and issue the list that says so. All of them or none.

    :param certificate: of an Organisation or an Issuing OCA: Device Certificates are not revoked (SEC L11.7).
    :param reason: one of ``smki revoke --reason``.
    :param publish: false to leave the list for when it is due, within an hour.
    :returns: what was revoked.
    :raises NotRevocable: when it is of a kind that is not revoked, or unknown.
    :raises AlreadyRevoked: when it, or any of them, was revoked before.
    :raises Malformed: when *reason* is none.
    :raises NotFound: when *certificate* is something else.
    """
    # One that was revoked before is refused before another one is revoked.
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
    is_device = isinstance(certificate, Device)
    remedy = "Device Certificates are not revoked; smki reject has one investigated." if is_device else _REMEDY
    expected = "a certificate or an Organisation"
    raise NotFound(Problem("revocation.what", "certificate", type(certificate).__name__, expected, "SEC L8", remedy))


_REMEDY = "Give a credential, a Certificate, a SerialNumber, an Organisation or the DCC."
