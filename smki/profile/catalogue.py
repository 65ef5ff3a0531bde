"""The catalogue of findings: every code that a lint can report, with its severity, clause and meaning.

A check reports by code alone; what is not in this table cannot be reported.
"""

from __future__ import annotations

from dataclasses import dataclass

from smki.pki.bounds import MAX_FINDINGS, MAX_INTEGER_BYTES
from smki.problem import Finding, Severity


@dataclass(frozen=True, slots=True)
class FindingCode:
    """One row of the catalogue."""

    code: str
    severity: Severity
    clause: str
    rule: str
    """What the clause requires, in our own words; the default of a finding's ``expected``."""


_F, _E, _W, _N = Severity.FATAL, Severity.ERROR, Severity.WARNING, Severity.NOTICE

_ROWS: tuple[tuple[str, Severity, str, str], ...] = (
    # Bytes
    ("der.trailing-octets", _E, "X.690 8.1", "nothing after the end"),
    ("der.unreadable", _F, "X.690 8.1", "properly nested DER elements"),
    ("der.length-not-minimal", _E, "X.690 10.1", "a length in the fewest bytes"),
    ("der.integer-not-minimal", _E, "X.690 8.3.2", "an INTEGER in the fewest bytes"),
    ("der.boolean-not-canonical", _E, "X.690 11.1", "TRUE as FF, FALSE as 00"),
    ("der.default-encoded", _E, "X.690 11.5", "a default value omitted"),
    ("der.bit-string", _E, "X.690 11.2", "unused bits below 8 and all zero"),
    ("der.named-bits", _E, "X.690 11.2.2", "a named bit list without trailing zero bits"),
    ("der.object-identifier", _E, "X.690 8.19", "minimal, complete arcs"),
    ("der.set-order", _E, "X.690 11.6", "the members of a SET OF in ascending order"),
    ("der.constructed-string", _E, "X.690 10.2", "string types in primitive form"),
    ("der.too-large", _F, "a limit of this lint", "at most 64 KiB, to bound the time of reading"),
    ("der.too-many", _F, "a limit of this lint", "no more elements than the lint reads, to bound its time"),
    ("der.integer-too-long", _E, "a limit of this lint", f"an INTEGER of at most {MAX_INTEGER_BYTES} bytes"),
    # Structure
    ("structure.unreadable", _F, "RFC 5280 4.1", "a readable SEQUENCE"),
    ("structure.certificate", _F, "RFC 5280 4.1.1", "tbsCertificate, signatureAlgorithm, signatureValue"),
    ("structure.request", _F, "RFC 2986 4.1", "version, subject, subjectPKInfo, attributes"),
    ("structure.attributes", _F, "RFC 2986 4.1", "a SET of attributes"),
    ("extension-request.not-single", _E, "RFC 2985 5.4.2", "one extensionRequest attribute with one value"),
    ("structure.field-missing", _F, "RFC 5280 4.1.2", "the field of that type in this position"),
    ("structure.field-unexpected", _F, "RFC 5280 4.1.2", "no other field"),
    ("structure.validity", _F, "RFC 5280 4.1.2.5", "two times"),
    ("structure.extensions", _F, "RFC 5280 4.1.2.9", "a SEQUENCE of extensions"),
    ("structure.extension", _F, "RFC 5280 4.2", "extnID, critical, extnValue"),
    ("structure.list", _F, "RFC 5280 5.1.1", "tbsCertList, signatureAlgorithm, signatureValue"),
    ("structure.list-field", _F, "RFC 5280 5.1.2", "the field of that type in this position"),
    ("structure.list-entry", _F, "RFC 5280 5.1.2.6", "userCertificate, revocationDate, crlEntryExtensions"),
    # Version, serial number, unique identifiers
    ("version.wrong", _E, "RFC 5280 4.1.2.1", "version 3"),
    ("version.request-wrong", _E, "RFC 2986 4.1", "version 0"),
    ("version.list-wrong", _E, "RFC 5280 5.1.2.1", "version 2"),
    ("serial-number.not-positive", _E, "RFC 5280 4.1.2.2", "a positive number"),
    ("serial-number.too-long", _E, "GBCS 12", "at most 16 bytes"),
    ("serial-number.short", _W, "GBCS 12", "16 bytes, as in every published certificate"),
    ("unique-identifier.present", _E, "RFC 5280 4.1.2.8", "no issuerUniqueID or subjectUniqueID"),
    # Algorithms and signature
    ("signature-algorithm.wrong", _E, "RFC 5759 3", "ecdsa-with-SHA256"),
    ("signature-algorithm.parameters", _E, "RFC 5758 3.2", "no parameters, not even NULL"),
    ("signature-algorithm.mismatch", _E, "RFC 5280 4.1.1.2", "the same algorithm outside as inside"),
    ("signature.malformed", _E, "RFC 3279 2.2.3", "a SEQUENCE of two INTEGERs in whole bytes"),
    ("signature.out-of-range", _E, "FIPS 186-5 6.4.2", "r and s from 1 to n-1"),
    ("signature.does-not-verify", _E, "RFC 5280 6.1.3", "a signature by the issuer's key"),
    ("signature.self-signed", _E, "RFC 5280 3.2", "a signature by the issuer, whose name differs from the subject's"),
    ("signature.request-does-not-verify", _E, "RFC 2986 4.2", "a signature by the key in the request"),
    # Names
    ("name.unreadable", _F, "RFC 5280 4.1.2.4", "a SEQUENCE of SETs of attributes"),
    ("name.not-empty", _E, "GBCS 12", "the empty name"),
    ("name.multi-valued", _E, "GBCS 12", "one attribute in each RDN"),
    ("name.attribute-missing", _E, "GBCS 12", "the attribute"),
    ("name.attribute-unexpected", _E, "GBCS 12", "no other attribute"),
    ("name.attribute-repeated", _E, "GBCS 12", "each attribute once"),
    ("name.attribute-order", _E, "GBCS 12", "the attributes in the order of the profile"),
    ("name.string-type", _E, "GBCS 12", "the string type of the profile"),
    ("name.issuer-string-type", _W, "GBCS 12", "the string type of the profile"),
    ("name.string-malformed", _E, "X.680 41", "bytes of the string type's character set"),
    ("common-name.length", _E, "RFC 5280 A.1", "a length within bounds"),
    ("role.malformed", _E, "GBCS 12", "two upper-case hexadecimal characters"),
    ("role.unknown", _E, "GBCS 12", "a known Remote Party Role Code"),
    ("role.wrong", _E, "GBCS 12", "a role of this kind of certificate"),
    ("entity-identifier.length", _E, "GBCS 12", "64 bits in 8 bytes"),
    ("issuer.mismatch", _E, "RFC 5280 6.1.3", "the subject of the issuing certificate, byte for byte"),
    ("issuer.is-subject", _E, "RFC 5280 3.2", "the name of another authority"),
    ("issuer.not-subject", _E, "RFC 5280 3.2", "a root whose issuer is its own subject"),
    ("issuer.not-authority", _E, "RFC 5280 6.1.4", "an issuer whose certificate has cA TRUE and keyCertSign"),
    ("issuer.path-length", _E, "RFC 5280 4.2.1.9", "no authority below an issuer with pathLenConstraint 0"),
    ("issuer.no-crl-sign", _E, "RFC 10007", "an issuer whose keyUsage has cRLSign"),
    # Validity
    ("validity.encoding", _E, "RFC 5280 4.1.2.5", "UTCTime through 2049, GeneralizedTime from 2050"),
    ("validity.malformed", _E, "RFC 5280 4.1.2.5", "a time that exists, to the second, with Z"),
    ("validity.reversed", _E, "RFC 5280 4.1.2.5", "notBefore not later than notAfter"),
    ("validity.length", _W, "GBCS 12", "the length of the profile"),
    ("validity.expires", _E, "GBCS 12", "99991231235959Z: no well-defined expiry"),
    ("validity.whole-days", _N, "GBCS 12", "00:00:00Z to 23:59:59Z"),
    ("validity.beyond-issuer", _W, "RFC 5280 6.1.3", "a validity within that of the issuing certificate"),
    # Revocation lists: when, and what is revoked
    ("update.encoding", _E, "RFC 5280 5.1.2.4", "UTCTime through 2049, GeneralizedTime from 2050"),
    ("update.malformed", _E, "RFC 5280 5.1.2.4", "a time that exists, to the second, with Z"),
    ("update.reversed", _E, "RFC 5280 5.1.2.5", "nextUpdate later than thisUpdate"),
    ("next-update.missing", _E, "RFC 5280 5.1.2.5", "nextUpdate"),
    ("next-update.late", _W, "RFC 5280 5.1.2.5", "a nextUpdate within the period of the profile"),
    ("entries.empty", _E, "RFC 5280 5.1.2.6", "revokedCertificates omitted when nothing is revoked"),
    ("entry.serial-number", _E, "RFC 5280 4.1.2.2", "a positive serial number of at most 16 bytes"),
    ("entry.repeated", _E, "RFC 5280 5.3", "each certificate once"),
    ("entry.date-encoding", _E, "RFC 5280 5.1.2.6", "UTCTime through 2049, GeneralizedTime from 2050"),
    ("entry.date-malformed", _E, "RFC 5280 5.1.2.6", "a time that exists, to the second, with Z"),
    ("entry.date-in-future", _W, "RFC 5280 5.3", "a revocation not later than thisUpdate"),
    ("entry.extensions-empty", _E, "RFC 5280 5.1.2", "crlEntryExtensions omitted when there are none"),
    ("entry.extension-unexpected", _E, "GBCS 12", "no entry extension except reasonCode"),
    ("entry.extension-repeated", _E, "RFC 5280 4.2", "each entry extension once"),
    ("reason-code.critical", _E, "RFC 5280 5.3.1", "not critical"),
    ("reason-code.malformed", _E, "RFC 5280 5.3.1", "an ENUMERATED that RFC 5280 defines"),
    ("reason-code.unspecified", _W, "RFC 5280 5.3.1", "no reasonCode rather than unspecified (0)"),
    ("reason-code.remove-from-crl", _E, "RFC 5280 5.3.1", "removeFromCRL (8) in delta CRLs only"),
    # Public key
    ("public-key.malformed", _E, "RFC 5480 2", "an algorithm and a BIT STRING of whole bytes"),
    ("public-key.algorithm", _E, "RFC 5480 2.1.1", "id-ecPublicKey"),
    ("public-key.curve", _E, "RFC 5480 2.1.1.1", "the named curve P-256"),
    ("public-key.point-form", _E, "GBCS 12", "an uncompressed point (04)"),
    ("public-key.point-length", _E, "RFC 5480 2.2", "65 bytes"),
    ("public-key.not-on-curve", _E, "RFC 5480 2.2", "a point of the curve"),
    # Extensions in general
    ("extension.duplicate", _E, "RFC 5280 4.2", "each extension once"),
    ("extension.unexpected", _E, "GBCS 12", "no extension that the profile does not list"),
    ("extension.unexpected-critical", _E, "RFC 5280 4.2", "no unknown critical extension"),
    ("extension.not-carried-over", _W, "SEC Appendix M", "only extensions that are copied into the certificate"),
    ("extension.order", _N, "GBCS 12", "the order of the published certificates"),
    # Each extension
    ("key-usage.missing", _E, "RFC 5280 4.2.1.3", "keyUsage"),
    ("key-usage.not-critical", _E, "RFC 5280 4.2.1.3", "critical"),
    ("key-usage.malformed", _E, "RFC 5280 4.2.1.3", "a BIT STRING of at least one bit"),
    ("key-usage.wrong", _E, "GBCS 12", "the key usage of the profile"),
    ("subject-key-identifier.missing", _E, "RFC 5280 4.2.1.2", "subjectKeyIdentifier"),
    ("subject-key-identifier.critical", _E, "RFC 5280 4.2.1.2", "not critical"),
    ("subject-key-identifier.malformed", _E, "RFC 5280 4.2.1.2", "an OCTET STRING"),
    ("subject-key-identifier.length", _E, "GBCS 12", "8 bytes"),
    ("subject-key-identifier.method", _E, "RFC 5280 4.2.1.2", "method (2)"),
    ("authority-key-identifier.missing", _E, "RFC 5280 4.2.1.1", "authorityKeyIdentifier"),
    ("authority-key-identifier.critical", _E, "RFC 5280 4.2.1.1", "not critical"),
    ("authority-key-identifier.malformed", _E, "RFC 5280 4.2.1.1", "a SEQUENCE"),
    ("authority-key-identifier.form", _E, "GBCS 12", "[0] keyIdentifier only"),
    ("authority-key-identifier.length", _E, "GBCS 12", "8 bytes"),
    ("authority-key-identifier.mismatch", _E, "RFC 5280 4.2.1.1", "the issuer's subjectKeyIdentifier"),
    ("certificate-policies.missing", _E, "GBCS 12", "certificatePolicies"),
    ("certificate-policies.not-critical", _E, "GBCS 12", "critical"),
    ("certificate-policies.malformed", _E, "RFC 5280 4.2.1.4", "a SEQUENCE of PolicyInformation"),
    ("certificate-policies.count", _E, "GBCS 12", "one policy"),
    ("certificate-policies.qualifiers", _E, "GBCS 12", "no policy qualifiers"),
    ("certificate-policies.other-environment", _W, "GBCS 12", "the policy of this environment"),
    ("basic-constraints.missing", _E, "RFC 5280 4.2.1.9", "basicConstraints"),
    ("basic-constraints.not-critical", _E, "RFC 5280 4.2.1.9", "critical"),
    ("basic-constraints.malformed", _E, "RFC 5280 4.2.1.9", "a SEQUENCE of cA and pathLenConstraint"),
    ("basic-constraints.not-ca", _E, "RFC 5280 4.2.1.9", "cA TRUE"),
    ("basic-constraints.path-length", _E, "GBCS 12", "the pathLenConstraint of the profile"),
    ("subject-alt-name.missing", _E, "GBCS 12", "subjectAltName"),
    ("subject-alt-name.not-critical", _E, "RFC 5280 4.2.1.6", "critical, because the subject is empty"),
    ("subject-alt-name.malformed", _E, "RFC 5280 4.2.1.6", "a SEQUENCE of GeneralName"),
    ("subject-alt-name.count", _E, "GBCS 12", "one name"),
    ("subject-alt-name.name-type", _E, "RFC 4108 5", "an otherName of type id-on-hardwareModuleName"),
    ("hardware-module-name.malformed", _E, "RFC 4108 5", "hwType and hwSerialNum"),
    ("hardware-module-name.serial-length", _E, "GBCS 12", "an EUI-64 of 8 bytes"),
    ("crl-number.missing", _E, "RFC 5280 5.2.3", "cRLNumber"),
    ("crl-number.critical", _E, "RFC 5280 5.2.3", "not critical"),
    ("crl-number.malformed", _E, "RFC 5280 5.2.3", "a non-negative INTEGER"),
    ("crl-number.too-long", _E, "RFC 5280 5.2.3", "at most 20 bytes"),
    # What it is
    ("kind.unexpected", _E, "SEC L3", "the requested kind"),
    # The report itself
    (
        "findings.left-out",
        _N,
        "a limit of this lint",
        f"at most {MAX_FINDINGS:,} findings at error or above, and as many below",
    ),
)

CATALOGUE: dict[str, FindingCode] = {row[0]: FindingCode(*row) for row in _ROWS}
"""Every code, in the order of the structure."""


class Report:
    """Collects findings up to a maximum, so that the answer to malformed input stays small."""

    MAX_FINDINGS = MAX_FINDINGS
    """Maximum number of findings at error or above, and of those below error, so that neither kind hides the other."""

    MAX_SEEN = 400
    """Maximum number of characters of what was seen: names and keys fit in, longer values are truncated."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._room = {False: self.MAX_FINDINGS, True: self.MAX_FINDINGS}
        self._left_out = {False: 0, True: 0}
        self._stopped_at = ""

    @property
    def findings(self) -> list[Finding]:
        """The findings, in the order of the checks; the last one is a notice if some were left out."""
        parts = [
            f"{count:,} more {'at error or above' if is_error else 'below error'}"
            for is_error, count in self._left_out.items()
            if count
        ]
        if self._stopped_at:
            parts.append(f"everything after {self._stopped_at}")
        if not parts:
            return self._findings
        last = Report()
        last("findings.left-out", "all", ", ".join(parts))
        return [*self._findings, *last.findings]

    def __call__(self, code: str, location: str, seen: str, expected: str = "") -> None:
        """Report a finding; *expected* is only needed if it is more precise than the catalogue's rule.

        :raises KeyError: if the catalogue has no such code, which is a programming error.
        """
        row = CATALOGUE[code]
        is_error = row.severity >= Severity.ERROR
        if not self._room[is_error]:
            self._left_out[is_error] += 1
        else:
            self._room[is_error] -= 1
            seen = seen if len(seen) <= self.MAX_SEEN else f"{seen[: self.MAX_SEEN]}…"
            self._findings.append(Finding(code, row.severity, row.clause, location, seen, expected or row.rule))

    def stop(self, location: str) -> None:
        """Record that a check stopped early because the report is full, without reading what comes after *location*."""
        self._stopped_at = location

    @property
    def is_full(self) -> bool:
        """Whether no further errors are accepted."""
        return not self._room[True]

    def has_room_for(self, code: str) -> bool:
        """Return whether a finding with that code would be kept; if not, count it as left out.

        For checks made a million times, where formatting the texts of a finding takes longer than the check.
        """
        is_error = CATALOGUE[code].severity >= Severity.ERROR
        if not self._room[is_error]:
            self._left_out[is_error] += 1
            return False
        return True
