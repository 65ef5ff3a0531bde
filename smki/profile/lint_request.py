"""The lint of certification requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from smki.pki.der import Node
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest, RequestStructure, read_request, self_signature_verifies
from smki.pki.template import RequestTemplate, RequestTemplates
from smki.pki.x509 import name_text, p256_point
from smki.problem import Finding, errors_among
from smki.profile.catalogue import Report
from smki.profile.check_bytes import check_bytes, check_extension_bytes, check_set, check_size, report_faults
from smki.profile.check_certificate import check_plain_version
from smki.profile.check_extensions import Surroundings, check_extensions
from smki.profile.check_key import can_be_judged, check_algorithm, check_public_key, check_signature_form
from smki.profile.check_names import check_name
from smki.profile.detect import detect_request_kind, role_of
from smki.profile.forms import RequestProfile
from smki.profile.locate import locator
from smki.profile.tables import APPLICATION_REQUEST, request_profile_of
from smki.sec.role import CertificateKind

INFO = "certificationRequestInfo"


def lint_request(
    data: bytes, kind: CertificateKind | None = None, profile: RequestProfile | None = None
) -> list[Finding]:
    """Return all findings for a certification request, in the order of its structure.

    :param data: DER.
    :param kind: the intended kind, DEVICE or ORGANISATION; None to detect it.
    :param profile: the profile to apply instead of the one for its kind and role.
    """
    report = Report()
    if check_size(report, data, "certificationRequest"):
        check_request(report, read_request(data), kind, profile)
    return report.findings


def examine_request(
    data: bytes, kind: CertificateKind, templates: RequestTemplates | None = None
) -> tuple[CertificationRequest | None, list[Finding]]:
    """Return the values that a certificate takes from a certification request (DER), and the findings of the lint.

    The usages that its role has are not checked: the decision on the application does that.

    :param kind: the intended kind, DEVICE or ORGANISATION.
    :param templates: shorten the lint of Device requests; the result is the same without them.
    :returns: None instead of the request if there are findings at error or above.
    """
    if kind is not CertificateKind.DEVICE:
        templates = None
    if templates is not None:
        like = templates.request(data)
        if like is not None:
            return like, []
    structure = read_request(data)
    report = Report()
    check_request(report, structure, kind, None if kind is CertificateKind.DEVICE else APPLICATION_REQUEST)
    if errors_among(report.findings):
        return None, report.findings
    if templates is not None and not report.findings:
        with suppress(ValueError):
            templates.add(RequestTemplate(structure))
    return CertificationRequest.of(structure), report.findings


def check_request(
    report: Report,
    structure: RequestStructure,
    kind: CertificateKind | None = None,
    profile: RequestProfile | None = None,
) -> None:
    """Report everything that is wrong with a parsed request."""
    data, outer = structure.data, structure.outer
    report_faults(report, structure.faults)
    if outer is None or structure.subject is None:
        return
    if outer.end != len(data):
        report("der.trailing-octets", "certificationRequest", f"{len(data) - outer.end} bytes after the end")
    detected = detect_request_kind(structure)
    if kind is not None and detected is not kind:
        seen = f"a request for {_an(detected)}: {_subject_text(structure)}"
        report("kind.unexpected", "certificationRequest", seen, f"a request for {_an(kind)}")
    profile = profile or request_profile_of(kind or detected, role_of(structure.subject))
    locate = locator(lambda: _named_nodes(structure), "certificationRequest")
    check_bytes(report, outer, locate)
    if structure.attributes is not None:
        # [0] IMPLICIT SET OF: its tag does not identify it as a SET.
        check_set(report, structure.attributes, locate)
    check_extension_bytes(report, structure.extensions, locate)
    if structure.version is not None:
        check_plain_version(report, structure.version, profile.version.form, "version.request-wrong", f"{INFO}.version")
    check_name(report, structure.subject, profile.subject.form, f"{INFO}.subject")
    check_public_key(report, structure.public_key, profile.public_key.form, f"{INFO}.subjectPKInfo")
    around = Surroundings(None, None, "")
    check_extensions(
        report, structure.extensions, profile.extensions, around, "extensionRequest", "extension.not-carried-over"
    )
    check_algorithm(report, structure.algorithm, profile.signature_algorithm.form, "signatureAlgorithm")
    if check_signature_form(report, structure.signature, "signature"):
        _check_own_signature(report, structure)


def _check_own_signature(report: Report, structure: RequestStructure) -> None:
    # A key that is not on P-256 or another algorithm is reported as such; the signature is then not verified.
    key = structure.public_key
    if key is None or p256_point(key.encoded) is None or not can_be_judged(structure.algorithm):
        return
    if not self_signature_verifies(structure):
        report("signature.request-does-not-verify", "signature", "it does not verify")


def _an(kind: CertificateKind) -> str:
    return f"an {kind.title}" if kind is CertificateKind.ORGANISATION else f"a {kind.title}"


def _subject_text(structure: RequestStructure) -> str:
    text = f"subject {name_text(structure.subject.encoded)}" if structure.subject else "no subject"
    return f"{text}, {'a' if structure.extension(Oid.SUBJECT_ALT_NAME) else 'no'} subjectAltName"


def _named_nodes(structure: RequestStructure) -> Iterator[tuple[str, Node | None]]:
    yield f"{INFO}.version", structure.version
    yield f"{INFO}.subject", structure.subject
    yield f"{INFO}.subjectPKInfo", structure.public_key
    for extension in structure.extensions:
        yield f"extensionRequest.{extension.name}", extension.node
    yield "signatureAlgorithm", structure.algorithm
    yield "signature", structure.signature
