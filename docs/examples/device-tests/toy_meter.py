"""A toy Electricity Smart Meter: only its handling of certificates, and not an example of how to build one."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

SUCCESS, BAD_CERTIFICATE, NO_TRUST_ANCHOR, TRUST_ANCHOR_NOT_FOUND = 0, 5, 10, 25
"""The response codes of Update Security Credentials."""

ECDSA = ec.ECDSA(hashes.SHA256())
UNIT = x509.NameOID.ORGANIZATIONAL_UNIT_NAME


class ToyMeter:
    """Holds a certificate in each of its trust anchor cells.

    :param bundle: the provisioning bundle, as JSON.
    """

    def __init__(self, bundle: dict) -> None:
        self.cells = {
            (cell["roleCode"], cell["keyUsage"], cell["cellUsage"]): x509.load_der_x509_certificate(
                bytes.fromhex(cell["certificate"])
            )
            for cell in bundle["trustAnchorCells"]
        }
        self.root = self.cells[0, "keyCertSign", "management"]

    def is_from(self, role: int, message: bytes, signature: bytes) -> bool:
        """Return whether a message was signed (r || s, 64 bytes) by the Organisation in the cell for a role."""
        certificate = self.cells.get((role, "digitalSignature", "management"))
        if certificate is None or len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            certificate.public_key().verify(encode_dss_signature(r, s), message, ECDSA)
        except InvalidSignature:
            return False
        return True

    def update_security_credentials(self, certificate: bytes, issuing: bytes, usage: str, cell_usage: str) -> int:
        """Replace the certificate in a cell by another (DER), if that is valid.

        :param issuing: the certificate (DER) of the authority that issued it.
        :returns: the response code.
        """
        try:
            new, issuer = x509.load_der_x509_certificate(certificate), x509.load_der_x509_certificate(issuing)
            role = int(new.subject.get_attributes_for_oid(UNIT)[0].value, 16)
            bits = new.extensions.get_extension_for_class(x509.KeyUsage)
            is_on_p256 = isinstance(new.public_key().curve, ec.SECP256R1)
        except (ValueError, IndexError, AttributeError, x509.ExtensionNotFound, UnsupportedAlgorithm):
            return BAD_CERTIFICATE
        if not bits.critical or not is_on_p256:
            return BAD_CERTIFICATE
        if bits.value.digital_signature != (usage == "digitalSignature"):
            return BAD_CERTIFICATE
        if not (_issued(issuer, new) and _issued(self.root, issuer)):
            return NO_TRUST_ANCHOR
        if (role, usage, cell_usage) not in self.cells:
            return TRUST_ANCHOR_NOT_FOUND
        self.cells[role, usage, cell_usage] = new
        return SUCCESS


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
