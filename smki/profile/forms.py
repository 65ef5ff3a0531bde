"""The kinds of requirement in a profile. Data only: the checks enforce them and the builder follows them."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from smki.pki import der
from smki.pki.oid import oid_name
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole


class Mark(enum.Enum):
    """The certainty of a row."""

    STATED = "stated"
    """Stated in the GB Companion Specification, the Smart Energy Code or an RFC that they invoke."""
    MEASURED = "measured"
    """Identical in all published test certificates."""
    ASSUMED = "assumed"
    """Our own assumption, in the absence of an available source."""


F = TypeVar("F", covariant=True)


@dataclass(frozen=True, slots=True)
class Row(Generic[F]):
    """One row of a profile: the requirement on a field, its clause, and its certainty."""

    form: F
    clause: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Version:
    """The encoded version number: 2 for an X.509 v3 certificate, 0 for a PKCS#10 request."""

    encoded: int
    title: str

    def __str__(self) -> str:
        return self.title


@dataclass(frozen=True, slots=True)
class Serial:
    """A positive serial number."""

    max_bytes: int
    made_bytes: int

    def __str__(self) -> str:
        return f"positive, at most {self.max_bytes} bytes; made of {self.made_bytes} random bytes, top bit clear"


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An AlgorithmIdentifier, parameters absent."""

    oid: str

    def __str__(self) -> str:
        return f"{oid_name(self.oid)} ({self.oid}), parameters absent"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An elliptic curve key on a named curve, as an uncompressed point."""

    curve: str
    point_bytes: int

    def __str__(self) -> str:
        return f"id-ecPublicKey on {oid_name(self.curve)} (named curve), uncompressed point of {self.point_bytes} bytes"


class Value(enum.Enum):
    """The required value of an attribute in a name."""

    ROLE = "a Remote Party Role Code, two upper-case hexadecimal characters"
    EUI64 = "an EUI-64, 64 bits"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class AttributeForm:
    """One attribute of a name, alone in its RDN."""

    oid: str
    tag: int
    value: Value
    optional: bool = False
    max_characters: int = 64
    roles: tuple[RemotePartyRole, ...] = ()
    """Roles that a ROLE value may contain."""

    def __str__(self) -> str:
        limits = ""
        if self.value is Value.TEXT:
            limits = f", 1 to {self.max_characters} characters"
        elif len(self.roles) == 1:
            limits = f", {self.roles[0].hexadecimal}"
        optional = "optional " if self.optional else ""
        return f"{optional}{oid_name(self.oid)} ({der.tag_name(self.tag)}: {self.value.value}{limits})"


@dataclass(frozen=True, slots=True)
class NameForm:
    """A distinguished name with these attributes in this order; without attributes, the empty name."""

    attributes: tuple[AttributeForm, ...]

    def __str__(self) -> str:
        return "; ".join(map(str, self.attributes)) or "empty"


@dataclass(frozen=True, slots=True)
class Validity:
    """The validity period of a certificate.

    ``years`` None means no well-defined expiry: notAfter 99991231235959Z (RFC 5280 4.1.2.5).
    """

    years: int | None
    whole_days: bool
    """Whether notBefore is at 00:00:00Z and notAfter at 23:59:59Z of the day before the anniversary."""

    def __str__(self) -> str:
        if self.years is None:
            return "from the time of issue, without a well-defined expiry (99991231235959Z)"
        return f"{self.years} years, 00:00:00Z to 23:59:59Z of the day before the anniversary"


@dataclass(frozen=True, slots=True)
class KeyUsageForm:
    """keyUsage: exactly one of these sets of bits."""

    choices: tuple[frozenset[KeyUsage], ...]

    def __str__(self) -> str:
        return " or ".join(usage_set_text(choice) for choice in self.choices)


def usage_set_text(usages: frozenset[KeyUsage]) -> str:
    """Return ``keyCertSign + cRLSign``, in the order of the bits; ``none`` for the empty set."""
    return " + ".join(usage.label for usage in KeyUsage if usage in usages) or "none"


@dataclass(frozen=True, slots=True)
class KeyIdentifierForm:
    """subjectKeyIdentifier by method (2) of RFC 5280 4.2.1.2."""

    length: int

    def __str__(self) -> str:
        return f"{self.length} bytes: 0100, then the low 60 bits of SHA-1 over the subjectPublicKey bits (method 2)"


@dataclass(frozen=True, slots=True)
class AuthorityKeyIdentifierForm:
    """authorityKeyIdentifier with keyIdentifier only."""

    length: int

    def __str__(self) -> str:
        return f"[0] keyIdentifier alone: the issuer's subjectKeyIdentifier, {self.length} bytes"


@dataclass(frozen=True, slots=True)
class PoliciesForm:
    """certificatePolicies with the policy of the environment, which is configuration rather than part of a profile."""

    count: int

    def __str__(self) -> str:
        return f"{self.count} policyIdentifier without qualifiers: that of the environment"


@dataclass(frozen=True, slots=True)
class BasicConstraintsForm:
    """basicConstraints of a CA."""

    path_length: int | None

    def __str__(self) -> str:
        return "CA, no pathLenConstraint" if self.path_length is None else f"CA, pathLenConstraint {self.path_length}"


@dataclass(frozen=True, slots=True)
class HardwareModuleNameForm:
    """subjectAltName with one HardwareModuleName whose serial number is the EUI-64."""

    serial_bytes: int

    def __str__(self) -> str:
        return f"one otherName id-on-hardwareModuleName; hwSerialNum the EUI-64, {self.serial_bytes} bytes"


@dataclass(frozen=True, slots=True)
class CrlNumberForm:
    """cRLNumber: the sequence number of a list of its issuer."""

    max_bytes: int

    def __str__(self) -> str:
        return f"a number that rises with every list, at most {self.max_bytes} bytes"


@dataclass(frozen=True, slots=True)
class NextUpdateForm:
    """The latest time at which the next list is due."""

    hours: int
    """Hours after thisUpdate."""

    def __str__(self) -> str:
        period = f"{self.hours} hours" if self.hours < 7 * 24 else f"{self.hours // 24} days"
        return f"present, at most {period} after thisUpdate"


@dataclass(frozen=True, slots=True)
class EntriesForm:
    """The content of each entry of a revocation list."""

    max_serial_bytes: int
    reasons: tuple[int, ...]
    """The values of reasonCode allowed in an entry (RFC 5280 5.3.1)."""

    def __str__(self) -> str:
        codes = ", ".join(map(str, self.reasons))
        return (
            f"left out when empty; serialNumber of at most {self.max_serial_bytes} bytes, each once; revocationDate; "
            f"reasonCode (one of {codes}), not critical, when a reason was given; no other extension"
        )


ContentForm = (
    KeyUsageForm
    | KeyIdentifierForm
    | AuthorityKeyIdentifierForm
    | PoliciesForm
    | BasicConstraintsForm
    | HardwareModuleNameForm
    | CrlNumberForm
)


@dataclass(frozen=True, slots=True)
class ExtensionForm:
    """One extension: whether it is critical, whether it is optional, and its content."""

    oid: str
    critical: bool | None
    """None if the clause does not specify it (requests)."""
    content: ContentForm
    optional: bool = False

    @property
    def name(self) -> str:
        """``keyUsage``."""
        return oid_name(self.oid)

    def __str__(self) -> str:
        critical = {True: "critical; ", False: "not critical; ", None: ""}[self.critical]
        return f"{critical}{'may be left out; ' if self.optional else ''}{self.content}"


@dataclass(frozen=True, slots=True)
class CertificateProfile:
    """The required content of a certificate of one kind, field by field."""

    name: str
    title: str
    kind: CertificateKind
    version: Row[Version]
    serial_number: Row[Serial]
    signature_algorithm: Row[Algorithm]
    issuer: Row[NameForm]
    validity: Row[Validity]
    subject: Row[NameForm]
    public_key: Row[PublicKey]
    extensions: tuple[Row[ExtensionForm], ...]
    """In the order in which they are encoded."""
    roles: tuple[RemotePartyRole, ...] = ()

    def rows(self) -> Iterator[tuple[str, Row[object]]]:
        """Yield (field, row) for every row, in the order of the structure."""
        yield "version", self.version
        yield "serialNumber", self.serial_number
        yield "signatureAlgorithm", self.signature_algorithm
        yield "issuer", self.issuer
        yield "validity", self.validity
        yield "subject", self.subject
        yield "subjectPublicKeyInfo", self.public_key
        for row in self.extensions:
            yield f"extensions.{row.form.name}", row


@dataclass(frozen=True, slots=True)
class RequestProfile:
    """The required content of a certification request, field by field."""

    name: str
    title: str
    kind: CertificateKind
    version: Row[Version]
    subject: Row[NameForm]
    public_key: Row[PublicKey]
    extensions: tuple[Row[ExtensionForm], ...]
    signature_algorithm: Row[Algorithm]

    def rows(self) -> Iterator[tuple[str, Row[object]]]:
        """Yield (field, row) for every row, in the order of the structure."""
        yield "version", self.version
        yield "subject", self.subject
        yield "subjectPKInfo", self.public_key
        for row in self.extensions:
            yield f"extensionRequest.{row.form.name}", row
        yield "signatureAlgorithm", self.signature_algorithm


@dataclass(frozen=True, slots=True)
class RevocationListProfile:
    """The required content of a revocation list, field by field."""

    name: str
    title: str
    issued_by: CertificateKind
    version: Row[Version]
    signature_algorithm: Row[Algorithm]
    issuer: Row[NameForm]
    next_update: Row[NextUpdateForm]
    entries: Row[EntriesForm]
    extensions: tuple[Row[ExtensionForm], ...]
    """In the order in which they are encoded."""

    def rows(self) -> Iterator[tuple[str, Row[object]]]:
        """Yield (field, row) for every row, in the order of the structure."""
        yield "version", self.version
        yield "signatureAlgorithm", self.signature_algorithm
        yield "issuer", self.issuer
        yield "nextUpdate", self.next_update
        yield "revokedCertificates", self.entries
        for row in self.extensions:
            yield f"crlExtensions.{row.form.name}", row


Profile = CertificateProfile | RequestProfile | RevocationListProfile
"""The required content of a certificate, a certification request or a revocation list."""
