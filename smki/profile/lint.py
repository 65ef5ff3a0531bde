"""The lint: reads certificates and requests however broken, and says which rule each of them breaks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smki import der
from smki.certificate import Certificate, CertificateStructure, read_certificate, read_tbs_certificate
from smki.clock import iso
from smki.csr import RequestStructure, read_request, self_signature_verifies
from smki.der import DerError, Node
from smki.problem import Finding
from smki.profile.catalogue import Report
from smki.profile.check_certificate import (
    TBS,
    check_issuer,
    check_serial_number,
    check_validity,
    check_version,
)
from smki.profile.check_extensions import Surroundings, check_extensions
from smki.profile.check_key import check_algorithm, check_public_key, check_signature_form, minimal_signature
from smki.profile.check_names import check_name
from smki.profile.check_octets import Locate, check_octets
from smki.profile.forms import CertificateProfile, RequestProfile
from smki.profile.tables import TEST_POLICY_OID, profile_of, request_profile_of
from smki.role import CertificateKind, KeyUsage, RemotePartyRole
from smki.x509 import (
    ExtensionNode,
    Fault,
    Oid,
    attribute_of,
    key_usages,
    name_text,
    p256_point,
    parse_name,
    signature_verifies,
)


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """What is known of the issuer; each fact that is None is not checked."""

    name: bytes | None = None
    """Its subject Name, DER."""
    point: bytes | None = None
    """Its public key, 65 octets."""
    key_identifier: bytes | None = None
    """Its subjectKeyIdentifier, 8 octets."""
    certificate: Certificate | None = None

    @classmethod
    def of(cls, certificate: Certificate) -> IssuerFacts:
        """The facts in the issuing certificate."""
        return cls(certificate.subject, certificate.point, certificate.subject_key_identifier, certificate)


NOTHING_KNOWN = IssuerFacts()


def lint_certificate(
    data: bytes,
    profile: CertificateProfile | None = None,
    issuer: IssuerFacts = NOTHING_KNOWN,
    policy_oid: str = TEST_POLICY_OID,
) -> list[Finding]:
    """Everything that is wrong with a certificate, in the order of its structure.

    :param data: DER.
    :param profile: what it is to be; None to judge by the certificate itself (:func:`detect_profile`).
    :param issuer: what is known of the issuer.
    :param policy_oid: the policy of this environment.
    """
    structure = read_certificate(data)
    report = Report()
    outer = structure.outer
    if outer is not None:
        if outer.end != len(data):
            report("der.trailing-octets", "certificate", f"{len(data) - outer.end} octets after the end")
        check_algorithm(report, structure.outer_algorithm, "signatureAlgorithm")
        if structure.outer_algorithm and structure.inner_algorithm:
            inner, outside = structure.inner_algorithm.encoded, structure.outer_algorithm.encoded
            if inner != outside:
                report("signature-algorithm.mismatch", "signatureAlgorithm", outside.hex(), inner.hex())
        check_signature_form(report, structure.signature, "signatureValue")
        _check_signature(report, structure, issuer)
    _check_tbs(report, structure, profile or detect_profile(structure), issuer, policy_oid)
    return report.findings


def lint_tbs_certificate(
    data: bytes, profile: CertificateProfile, issuer: IssuerFacts, policy_oid: str
) -> list[Finding]:
    """The same for a certificate before it is signed: the DER of its TBSCertificate."""
    structure = read_tbs_certificate(data)
    report = Report()
    if structure.tbs is not None and structure.tbs.end != len(data):
        report("der.trailing-octets", TBS, f"{len(data) - structure.tbs.end} octets after the end")
    _check_tbs(report, structure, profile, issuer, policy_oid)
    return report.findings


def _check_tbs(
    report: Report,
    structure: CertificateStructure,
    profile: CertificateProfile,
    issuer: IssuerFacts,
    policy_oid: str,
) -> None:
    _report_faults(report, structure.faults)
    if structure.tbs is None:
        return

    def locate(offset: int) -> str:
        return _locate(_named_nodes(structure), offset, TBS)

    check_octets(report, structure.tbs, locate)
    _check_extension_octets(report, structure.extensions, locate)
    check_version(report, structure.version)
    serial = profile.serial_number.form
    check_serial_number(report, structure.serial_number, serial.max_octets, serial.made_octets)
    check_algorithm(report, structure.inner_algorithm, f"{TBS}.signature")
    check_name(report, structure.issuer, profile.issuer.form, f"{TBS}.issuer")
    check_issuer(report, structure, profile)
    if issuer.name is not None and structure.issuer is not None and structure.issuer.encoded != issuer.name:
        seen = f"{name_text(structure.issuer.encoded)} ({structure.issuer.encoded.hex()})"
        report("issuer.mismatch", f"{TBS}.issuer", seen, f"{name_text(issuer.name)} ({issuer.name.hex()})")
    moments = check_validity(report, structure, profile.validity.form)
    above = issuer.certificate
    if moments and above and (moments[0] < above.not_before or moments[1] > above.not_after):
        seen = f"{iso(moments[0])} to {iso(moments[1])}"
        report("validity.beyond-issuer", f"{TBS}.validity", seen, f"{iso(above.not_before)} to {iso(above.not_after)}")
    check_name(report, structure.subject, profile.subject.form, f"{TBS}.subject")
    check_public_key(report, structure.public_key, f"{TBS}.subjectPublicKeyInfo")
    for node in structure.unique_identifiers:
        name = "issuerUniqueID" if node.tag == 0x81 else "subjectUniqueID"
        report("unique-identifier.present", f"{TBS}.{name}", node.encoded[:32].hex())
    point = p256_point(structure.public_key.encoded) if structure.public_key else None
    around = Surroundings(point, issuer.key_identifier, policy_oid)
    check_extensions(report, structure.extensions, profile.extensions, around, f"{TBS}.extensions")


def lint_request(
    data: bytes, kind: CertificateKind | None = None, profile: RequestProfile | None = None
) -> list[Finding]:
    """Everything that is wrong with a certification request, in the order of its structure.

    :param data: DER.
    :param kind: DEVICE or ORGANISATION, what the request is meant for; None to judge by the request itself.
    :param profile: a profile to hold it against instead of the one that its kind and role choose.
    """
    return lint_request_structure(read_request(data), kind, profile)


def lint_request_structure(
    structure: RequestStructure, kind: CertificateKind | None = None, profile: RequestProfile | None = None
) -> list[Finding]:
    """The same for a request that was taken apart already."""
    report = Report()
    data, outer, info = structure.data, structure.outer, structure.info
    _report_faults(report, structure.faults)
    if outer is None or info is None:
        return report.findings
    location = "certificationRequestInfo"
    if outer.end != len(data):
        report("der.trailing-octets", "certificationRequest", f"{len(data) - outer.end} octets after the end")
    detected = detect_request_kind(structure)
    if kind is not None and detected is not kind:
        seen = f"a request for {_an(detected)}: {_subject_text(structure)}"
        report("kind.unexpected", "certificationRequest", seen, f"a request for {_an(kind)}")
    profile = profile or request_profile_of(kind or detected, _role_of(structure.subject))

    def locate(offset: int) -> str:
        return _locate(_named_parts(structure), offset, location)

    check_octets(report, info, locate)
    _check_extension_octets(report, structure.extensions, locate)
    if structure.version is not None and structure.version.content != b"\0":
        report("version.request-wrong", f"{location}.version", structure.version.content.hex() or "nothing")
    check_name(report, structure.subject, profile.subject.form, f"{location}.subject")
    check_public_key(report, structure.public_key, f"{location}.subjectPKInfo")
    point = p256_point(structure.public_key.encoded) if structure.public_key else None
    around = Surroundings(point, None, "")
    check_extensions(
        report, structure.extensions, profile.extensions, around, "extensionRequest", "extension.not-carried-over"
    )
    check_algorithm(report, structure.algorithm, "signatureAlgorithm")
    check_signature_form(report, structure.signature, "signature")
    # A key that is not on P-256 is reported as such; the signature it made cannot be judged then.
    if point is not None and not self_signature_verifies(structure):
        report("signature.request-does-not-verify", "signature", "it does not verify")
    return report.findings


def lint(data: bytes, issuer: IssuerFacts = NOTHING_KNOWN, policy_oid: str = TEST_POLICY_OID) -> list[Finding]:
    """Everything that is wrong with a certificate or a certification request, whichever *data* (DER) is."""
    if looks_like_request(data):
        return lint_request(data)
    return lint_certificate(data, None, issuer, policy_oid)


def looks_like_request(data: bytes) -> bool:
    """Whether DER is shaped like a certification request: its first SEQUENCE begins version, subject, key."""
    try:
        info = der.read(data).children()[0].children()
    except (DerError, IndexError):
        return False
    return [part.tag for part in info[:3]] == [der.INTEGER, der.SEQUENCE, der.SEQUENCE] and len(info) <= 4


def looks_like_certificate(data: bytes) -> bool:
    """Whether DER is shaped like a certificate: its first SEQUENCE begins with a version [0] and a serial number."""
    try:
        first = der.read(data).children()[0].children()
    except (DerError, IndexError):
        return False
    return [part.tag for part in first[:2]] == [0xA0, der.INTEGER]


def detect_profile(structure: CertificateStructure) -> CertificateProfile:
    """The profile that a certificate is meant to meet, judged by what is in it."""
    kind = detect_kind(structure)
    return profile_of(kind, _role_of(structure.subject))


def detect_kind(structure: CertificateStructure) -> CertificateKind:
    """What a certificate is meant to be: judged by basicConstraints, keyUsage, subject and subjectAltName."""
    usage = structure.extension(Oid.KEY_USAGE)
    usages = key_usages(usage.value.content[2:]) if usage else frozenset()
    subject = structure.subject.encoded if structure.subject else b""
    if structure.extension(Oid.BASIC_CONSTRAINTS) or KeyUsage.KEY_CERT_SIGN in usages:
        is_root = structure.issuer is not None and structure.issuer.encoded == subject
        if _has_attribute(structure.subject, Oid.ORGANIZATIONAL_UNIT_NAME):
            return CertificateKind.ROOT_OCA if is_root else CertificateKind.ISSUING_OCA
        return CertificateKind.ROOT_DCA if is_root else CertificateKind.ISSUING_DCA
    if structure.extension(Oid.SUBJECT_ALT_NAME) or subject == b"\x30\x00":
        return CertificateKind.DEVICE
    return CertificateKind.ORGANISATION


def detect_request_kind(structure: RequestStructure) -> CertificateKind:
    """Whether a request is a Device's or an Organisation's: a name in the subject makes it an Organisation's."""
    subject = structure.subject.encoded if structure.subject else b""
    if structure.extension(Oid.SUBJECT_ALT_NAME) or subject == b"\x30\x00":
        return CertificateKind.DEVICE
    return CertificateKind.ORGANISATION


def _has_attribute(subject: Node | None, oid: str) -> bool:
    try:
        return subject is not None and attribute_of(parse_name(subject.encoded), oid) is not None
    except DerError:
        return False


def _role_of(subject: Node | None) -> RemotePartyRole | None:
    try:
        attribute = attribute_of(parse_name(subject.encoded), Oid.ORGANIZATIONAL_UNIT_NAME) if subject else None
    except DerError:
        return None
    return RemotePartyRole.of_hexadecimal(attribute.text) if attribute else None


def _an(kind: CertificateKind) -> str:
    return f"an {kind.title}" if kind is CertificateKind.ORGANISATION else f"a {kind.title}"


def _subject_text(structure: RequestStructure) -> str:
    text = f"subject {name_text(structure.subject.encoded)}" if structure.subject else "no subject"
    return f"{text}, {'a' if structure.extension(Oid.SUBJECT_ALT_NAME) else 'no'} subjectAltName"


def _report_faults(report: Report, faults: Iterable[Fault]) -> None:
    for fault in faults:
        report(fault.code, fault.location, fault.seen, fault.expected)


def _check_signature(report: Report, structure: CertificateStructure, issuer: IssuerFacts) -> None:
    if issuer.point is None or structure.tbs is None or structure.signature is None:
        return
    signature, signed = minimal_signature(structure.signature.content[1:]), structure.tbs.encoded
    if not signature_verifies(issuer.point, signature, signed):
        own = p256_point(structure.public_key.encoded) if structure.public_key else None
        if own is not None and signature_verifies(own, signature, signed):
            report("signature.self-signed", "signatureValue", "signed by its own key")
        else:
            report("signature.does-not-verify", "signatureValue", "it does not verify")


def _check_extension_octets(report: Report, extensions: list[ExtensionNode], locate: Locate) -> None:
    for extension in extensions:
        try:
            inner = extension.value.inner()
        except DerError:
            continue  # the check of that extension says so
        check_octets(report, inner, locate)


def _named_nodes(structure: CertificateStructure) -> list[tuple[str, Node | None]]:
    names = [
        ("version", structure.version),
        ("serialNumber", structure.serial_number),
        ("signature", structure.inner_algorithm),
        ("issuer", structure.issuer),
        ("validity", structure.validity),
        ("subject", structure.subject),
        ("subjectPublicKeyInfo", structure.public_key),
    ]
    named = [(f"{TBS}.{name}", node) for name, node in names]
    return named + [(f"{TBS}.extensions.{extension.name}", extension.node) for extension in structure.extensions]


def _named_parts(structure: RequestStructure) -> list[tuple[str, Node | None]]:
    info = "certificationRequestInfo"
    named = [
        (f"{info}.{name}", node) for name, node in (("version", structure.version), ("subject", structure.subject))
    ]
    named.append((f"{info}.subjectPKInfo", structure.public_key))
    return named + [(f"extensionRequest.{extension.name}", extension.node) for extension in structure.extensions]


def _locate(named: list[tuple[str, Node | None]], offset: int, otherwise: str) -> str:
    for name, node in named:
        if node is not None and node.start <= offset < node.end:
            return f"{name} (octet {offset})"
    return f"{otherwise} (octet {offset})"
