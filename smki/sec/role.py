"""The Code's terms for roles, key usages, statuses and kinds of certificate, in every form in which they are
written."""

from __future__ import annotations

import enum
import re

from smki.problem import Malformed, Problem
from smki.sec.vocabulary import parse_word


class RemotePartyRole(enum.Enum):
    """Remote Party Role Codes (GBCS 12): decimal in the Repository's XML, hexadecimal text in certificates.

    Roles 8, 135 and 137 are taken from published certificates, the others from the Code.
    """

    ROOT = (0, "root")
    RECOVERY = (1, "recovery")
    SUPPLIER = (2, "supplier")
    NETWORK_OPERATOR = (3, "networkOperator")
    ACCESS_CONTROL_BROKER = (4, "accessControlBroker")
    TRANSITIONAL_COS = (5, "transitionalCoS")
    WAN_PROVIDER = (6, "wanProvider")
    ISSUING_AUTHORITY = (7, "issuingAuthority")
    LOAD_CONTROLLER = (8, "loadController")
    OTHER = (127, "other")
    XML_SIGN = (135, "xmlSign")
    DSP_XML_SIGN = (137, "dSPXmlSign")

    def __init__(self, decimal: int, label: str) -> None:
        self.decimal = decimal
        self.label = label

    @property
    def hexadecimal(self) -> str:
        """Two upper-case hexadecimal characters, as in a certificate's organizationalUnitName."""
        return f"{self.decimal:02X}"

    @property
    def usages(self) -> tuple[KeyUsage, ...]:
        """The key usages that Organisation Certificates of this role may have; empty for authorities."""
        return _ROLE_USAGES[self]

    @classmethod
    def of_hexadecimal(cls, text: str) -> RemotePartyRole | None:
        """Return the role with this hexadecimal form, or None."""
        return _ROLE_OF_HEXADECIMAL.get(text)

    @classmethod
    def of_decimal(cls, number: int) -> RemotePartyRole | None:
        """Return the role with this number, or None."""
        return next((role for role in cls if role.decimal == number), None)

    @classmethod
    def parse(cls, text: str) -> RemotePartyRole:
        """Parse a role: a name (in upper or lower case), two hexadecimal characters, or a decimal number of one or
        three digits.

        Two characters are always hexadecimal, as in certificates: ``87`` is xmlSign (135).

        :raises Malformed: for anything else.
        """
        text = text.strip()
        wanted = text.replace("-", "").replace("_", "").lower()
        for role in cls:
            if wanted == role.label.lower() or text.upper() == role.hexadecimal:
                return role
            if len(text) != 2 and text == str(role.decimal):
                return role
        names = ", ".join(f"{role.label} ({role.hexadecimal})" for role in cls)
        raise Malformed(
            Problem(
                code="role.unknown",
                subject="Remote Party Role Code",
                seen=f"{text[:64]!r}",
                expected="a role of GBCS 12",
                remedy=f"Use one of: {names}.",
            )
        )

    def __str__(self) -> str:
        return self.label


class UserRole(enum.Enum):
    """A User Role, in which a Party acts. Assumption: Load Controller, which is not in our source of the Code."""

    IMPORT_SUPPLIER = "Import Supplier"
    EXPORT_SUPPLIER = "Export Supplier"
    GAS_SUPPLIER = "Gas Supplier"
    ELECTRICITY_DISTRIBUTOR = "Electricity Distributor"
    GAS_TRANSPORTER = "Gas Transporter"
    REGISTERED_SUPPLIER_AGENT = "Registered Supplier Agent"
    OTHER_USER = "Other User"
    LOAD_CONTROLLER = "Load Controller"

    @classmethod
    def parse(cls, text: str) -> UserRole:
        """Parse ``import-supplier``, ``Import Supplier`` and so on, in upper or lower case.

        :raises Malformed: for anything else.
        """
        return parse_word(cls, text, "user-role.unknown", "User Role")

    def __str__(self) -> str:
        return self.value


class KeyUsage(enum.Enum):
    """The bits of the keyUsage extension (RFC 5280 4.2.1.3), by position."""

    DIGITAL_SIGNATURE = 0
    NON_REPUDIATION = 1
    KEY_ENCIPHERMENT = 2
    DATA_ENCIPHERMENT = 3
    KEY_AGREEMENT = 4
    KEY_CERT_SIGN = 5
    CRL_SIGN = 6
    ENCIPHER_ONLY = 7
    DECIPHER_ONLY = 8

    @property
    def label(self) -> str:
        """The ASN.1 name: ``digitalSignature``."""
        return _KEY_USAGE_LABELS[self.value]

    @property
    def code(self) -> str:
        """``DS`` or ``KA``, as in the Repository's XML.

        :raises KeyError: for a usage that end entities do not have.
        """
        return _USAGE_CODES[self]

    @classmethod
    def parse(cls, text: str) -> KeyUsage:
        """Parse ``ds``, ``ka``, ``digitalSignature`` or ``keyAgreement``, in upper or lower case.

        :raises Malformed: for anything else.
        """
        wanted = text.strip().lower()
        for usage, code in _USAGE_CODES.items():
            if wanted in (code.lower(), usage.label.lower()):
                return usage
        raise Malformed(
            Problem(
                code="key-usage.unknown",
                subject="key usage",
                seen=f"{text[:64]!r}",
                expected="ds (digitalSignature) or ka (keyAgreement)",
            )
        )

    def __str__(self) -> str:
        return self.label


_KEY_USAGE_LABELS = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
_USAGE_CODES = {KeyUsage.DIGITAL_SIGNATURE: "DS", KeyUsage.KEY_AGREEMENT: "KA"}
_DS_ONLY = (KeyUsage.DIGITAL_SIGNATURE,)
_DS_AND_KA = (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)
_ROLE_USAGES: dict[RemotePartyRole, tuple[KeyUsage, ...]] = {
    RemotePartyRole.ROOT: (),
    RemotePartyRole.RECOVERY: _DS_ONLY,
    RemotePartyRole.SUPPLIER: _DS_AND_KA,
    RemotePartyRole.NETWORK_OPERATOR: _DS_AND_KA,
    RemotePartyRole.ACCESS_CONTROL_BROKER: _DS_AND_KA,
    RemotePartyRole.TRANSITIONAL_COS: _DS_ONLY,
    RemotePartyRole.WAN_PROVIDER: _DS_AND_KA,
    RemotePartyRole.ISSUING_AUTHORITY: (),
    RemotePartyRole.LOAD_CONTROLLER: _DS_AND_KA,
    RemotePartyRole.OTHER: _DS_AND_KA,
    RemotePartyRole.XML_SIGN: _DS_ONLY,
    RemotePartyRole.DSP_XML_SIGN: _DS_ONLY,
}
_ROLE_OF_HEXADECIMAL = {role.hexadecimal: role for role in RemotePartyRole}

ORGANISATION_ROLES = tuple(role for role in RemotePartyRole if role.usages)
"""The roles in which Organisation Certificates are issued: all but root and issuingAuthority."""


class CertificateStatus(enum.Enum):
    """The status of a certificate in the Repository, by its letter in the XML."""

    PENDING = "P"
    """Issued, not yet accepted."""
    IN_USE = "I"
    """Accepted, or deemed accepted, and current."""
    NOT_IN_USE = "N"
    """Rejected, or replaced by a newer one for the same subject, role and usage."""
    EXPIRED = "E"
    REVOKED = "R"

    @property
    def label(self) -> str:
        """The status in words: ``in use``."""
        return self.name.lower().replace("_", " ")

    @classmethod
    def parse(cls, text: str) -> CertificateStatus:
        """Parse the letter or the words, in upper or lower case.

        :raises Malformed: for anything else.
        """
        wanted = text.strip().lower().replace("-", " ")
        for status in cls:
            if wanted in (status.value.lower(), status.label):
                return status
        letters = ", ".join(f"{status.value} ({status.label})" for status in cls)
        raise Malformed(
            Problem(code="status.unknown", subject="certificate status", seen=f"{text[:64]!r}", expected=letters)
        )


class CertificateKind(enum.Enum):
    """The kind of a certificate, which determines its profile."""

    ROOT_OCA = "root-oca"
    ISSUING_OCA = "issuing-oca"
    ROOT_DCA = "root-dca"
    ISSUING_DCA = "issuing-dca"
    ORGANISATION = "organisation"
    DEVICE = "device"

    @property
    def is_authority(self) -> bool:
        """Whether certificates of this kind issue others."""
        return self not in (CertificateKind.ORGANISATION, CertificateKind.DEVICE)

    @property
    def title_with_article(self) -> str:
        """The title with its indefinite article: ``an Organisation Certificate``."""
        return f"{'an' if self.title[0] in 'AEIO' else 'a'} {self.title}"

    @property
    def title(self) -> str:
        """``Root OCA``, ``Device Certificate`` and so on."""
        return _KIND_TITLES[self]

    def __str__(self) -> str:
        return self.value


_KIND_TITLES = {
    CertificateKind.ROOT_OCA: "Root OCA",
    CertificateKind.ISSUING_OCA: "Issuing OCA",
    CertificateKind.ROOT_DCA: "Root DCA",
    CertificateKind.ISSUING_DCA: "Issuing DCA",
    CertificateKind.ORGANISATION: "Organisation Certificate",
    CertificateKind.DEVICE: "Device Certificate",
}


def parse_usages(text: str) -> tuple[KeyUsage, ...]:
    """Parse one or both of ``ds`` and ``ka``, separated by a comma, a semicolon or a space.

    :raises Malformed: for anything else, and for a usage that is given twice.
    """
    usages = tuple(map(KeyUsage.parse, re.split(r"\s*[,;]\s*|\s+", text.strip())))
    if len(set(usages)) < len(usages):
        raise Malformed(
            Problem(code="key-usage.repeated", subject="key usage", seen=f"{text[:64]!r}", expected="each usage once")
        )
    return usages
