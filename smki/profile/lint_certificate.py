"""The lint of certificates, signed or to be signed."""

from __future__ import annotations

from collections.abc import Iterator

from smki.pki.certificate import CertificateStructure, read_certificate, read_tbs_certificate
from smki.pki.der import Node
from smki.problem import Finding
from smki.profile.catalogue import Report
from smki.profile.check_bytes import check_bytes, check_extension_bytes, check_size, report_faults
from smki.profile.check_certificate import TBS, check_issuer, check_serial_number, check_validity, check_version
from smki.profile.check_extensions import Surroundings, can_be_read, check_extensions
from smki.profile.check_key import (
    check_algorithm,
    check_public_key,
    check_same_algorithm,
    check_signature_form,
    public_key_bits,
)
from smki.profile.check_names import check_name
from smki.profile.detect import detect_profile
from smki.profile.forms import CertificateProfile
from smki.profile.issuer import (
    NOTHING_KNOWN,
    IssuerFacts,
    check_authority_above,
    check_issuer_name,
    check_signature,
)
from smki.profile.locate import locator
from smki.profile.tables import TEST_POLICY_OID


def lint_certificate(
    data: bytes,
    profile: CertificateProfile | None = None,
    issuer: IssuerFacts = NOTHING_KNOWN,
    policy_oid: str = TEST_POLICY_OID,
) -> list[Finding]:
    """Return all findings for a certificate, in the order of its structure.

    :param data: DER.
    :param profile: the intended profile; None to detect it (:func:`detect_profile`).
    :param issuer: known facts about the issuer.
    :param policy_oid: the policy of this environment.
    """
    report = Report()
    if check_size(report, data, "certificate"):
        check_certificate(report, read_certificate(data), profile, issuer, policy_oid)
    return report.findings


def check_certificate(
    report: Report,
    structure: CertificateStructure,
    profile: CertificateProfile | None,
    issuer: IssuerFacts,
    policy_oid: str,
) -> None:
    """Report everything that is wrong with a parsed certificate."""
    outer = structure.outer
    profile = profile or detect_profile(structure)
    report_faults(report, structure.faults)
    if outer is None:
        return
    if outer.end != len(structure.data):
        report("der.trailing-octets", "certificate", f"{len(structure.data) - outer.end} bytes after the end")
    _check_bytes(report, structure, outer)
    _check_tbs(report, structure, profile, issuer, policy_oid)
    check_algorithm(report, structure.outer_algorithm, profile.signature_algorithm.form, "signatureAlgorithm")
    check_same_algorithm(report, structure.inner_algorithm, structure.outer_algorithm)
    if check_signature_form(report, structure.signature, "signatureValue"):
        check_signature(
            report, issuer, structure.tbs, structure.signature, structure.outer_algorithm, structure.public_key
        )


def lint_tbs_certificate(
    data: bytes, profile: CertificateProfile, issuer: IssuerFacts, policy_oid: str
) -> list[Finding]:
    """Return all findings for a certificate before it is signed, given the DER of its TBSCertificate."""
    return lint_tbs_structure(read_tbs_certificate(data), profile, issuer, policy_oid)


def lint_tbs_structure(
    structure: CertificateStructure, profile: CertificateProfile, issuer: IssuerFacts, policy_oid: str
) -> list[Finding]:
    """Return all findings for a parsed TBSCertificate."""
    data, report = structure.data, Report()
    report_faults(report, structure.faults)
    if structure.tbs is not None:
        if structure.tbs.end != len(data):
            report("der.trailing-octets", TBS, f"{len(data) - structure.tbs.end} bytes after the end")
        _check_bytes(report, structure, structure.tbs)
        _check_tbs(report, structure, profile, issuer, policy_oid)
    return report.findings


def _check_bytes(report: Report, structure: CertificateStructure, root: Node) -> None:
    locate = locator(lambda: _named_nodes(structure), "certificate")
    check_bytes(report, root, locate)
    check_extension_bytes(report, structure.extensions, locate)


def _check_tbs(
    report: Report,
    structure: CertificateStructure,
    profile: CertificateProfile,
    issuer: IssuerFacts,
    policy_oid: str,
) -> None:
    if structure.tbs is None:
        return
    check_version(report, structure.version, profile.version.form)
    check_serial_number(report, structure.serial_number, profile.serial_number.form)
    check_algorithm(report, structure.inner_algorithm, profile.signature_algorithm.form, f"{TBS}.signature")
    check_name(report, structure.issuer, profile.issuer.form, f"{TBS}.issuer")
    check_issuer(report, structure, profile)
    check_issuer_name(report, structure.issuer, issuer, f"{TBS}.issuer")
    moments = check_validity(report, structure, profile.validity.form)
    check_authority_above(report, profile, issuer, moments, f"{TBS}.validity")
    check_name(report, structure.subject, profile.subject.form, f"{TBS}.subject")
    check_public_key(report, structure.public_key, profile.public_key.form, f"{TBS}.subjectPublicKeyInfo")
    for node in structure.unique_identifiers:
        name = "issuerUniqueID" if node.tag == 0x81 else "subjectUniqueID"
        report("unique-identifier.present", f"{TBS}.{name}", node.encoded[:32].hex())
    if can_be_read(structure.faults):
        around = Surroundings(public_key_bits(structure.public_key), issuer.key_identifier, policy_oid)
        check_extensions(report, structure.extensions, profile.extensions, around, f"{TBS}.extensions")


def _named_nodes(structure: CertificateStructure) -> Iterator[tuple[str, Node | None]]:
    yield f"{TBS}.version", structure.version
    yield f"{TBS}.serialNumber", structure.serial_number
    yield f"{TBS}.signature", structure.inner_algorithm
    yield f"{TBS}.issuer", structure.issuer
    yield f"{TBS}.validity", structure.validity
    yield f"{TBS}.subject", structure.subject
    yield f"{TBS}.subjectPublicKeyInfo", structure.public_key
    for extension in structure.extensions:
        yield f"{TBS}.extensions.{extension.name}", extension.node
    yield "signatureAlgorithm", structure.outer_algorithm
    yield "signatureValue", structure.signature
