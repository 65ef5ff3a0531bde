"""The lint of revocation lists, signed or to be signed; a list of a million entries takes some seconds."""

from __future__ import annotations

from collections.abc import Iterator

from smki.pki.der import Node
from smki.pki.revocation_list import ListStructure, read_revocation_list, read_tbs_list
from smki.problem import Finding
from smki.profile.catalogue import Report
from smki.profile.check_bytes import check_bytes, check_extension_bytes, check_length, report_faults
from smki.profile.check_certificate import check_plain_version
from smki.profile.check_entries import check_entries
from smki.profile.check_extensions import Surroundings, can_be_read, check_extensions
from smki.profile.check_key import check_algorithm, check_same_algorithm, check_signature_form
from smki.profile.check_list import TBS_LIST, check_updates
from smki.profile.check_names import check_name
from smki.profile.detect import detect_list_profile
from smki.profile.forms import RevocationListProfile
from smki.profile.issuer import NOTHING_KNOWN, IssuerFacts, check_crl_sign, check_issuer_name, check_signature
from smki.profile.locate import locator


def lint_revocation_list(
    data: bytes, profile: RevocationListProfile | None = None, issuer: IssuerFacts = NOTHING_KNOWN
) -> list[Finding]:
    """Return all findings for a revocation list, in the order of its structure.

    :param data: DER.
    :param profile: the intended profile; None to detect it from the issuer's name.
    :param issuer: known facts about the issuer.
    """
    report = Report()
    check_revocation_list(report, read_revocation_list(data), profile, issuer)
    return report.findings


def check_revocation_list(
    report: Report, structure: ListStructure, profile: RevocationListProfile | None, issuer: IssuerFacts
) -> None:
    """Report everything that is wrong with a parsed list."""
    outer, profile = structure.outer, profile or detect_list_profile(structure)
    report_faults(report, structure.faults)
    if outer is None or not _check_size_without_entries(report, structure):
        return
    if outer.end != len(structure.data):
        report("der.trailing-octets", "certificateList", f"{len(structure.data) - outer.end} bytes after the end")
    _check_bytes(report, structure, outer)
    _check_tbs(report, structure, profile, issuer)
    check_algorithm(report, structure.outer_algorithm, profile.signature_algorithm.form, "signatureAlgorithm")
    check_same_algorithm(report, structure.inner_algorithm, structure.outer_algorithm)
    if check_signature_form(report, structure.signature, "signatureValue"):
        check_signature(report, issuer, structure.tbs, structure.signature, structure.outer_algorithm)


def lint_tbs_list(data: bytes, profile: RevocationListProfile, issuer: IssuerFacts) -> list[Finding]:
    """Return all findings for a list before it is signed, given the DER of its TBSCertList."""
    structure = read_tbs_list(data)
    report = Report()
    report_faults(report, structure.faults)
    if structure.tbs is not None and _check_size_without_entries(report, structure):
        if structure.tbs.end != len(data):
            report("der.trailing-octets", TBS_LIST, f"{len(data) - structure.tbs.end} bytes after the end")
        _check_bytes(report, structure, structure.tbs)
        _check_tbs(report, structure, profile, issuer)
    return report.findings


def _check_size_without_entries(report: Report, structure: ListStructure) -> bool:
    # Only revokedCertificates may be large: its entries are read in one pass, which stops when the report is full.
    return check_length(report, structure.size_without_entries, "certificateList")


def _check_bytes(report: Report, structure: ListStructure, root: Node) -> None:
    locate = locator(lambda: _named_nodes(structure), "certificateList")
    check_bytes(report, root, locate, skip=structure.entries)
    check_extension_bytes(report, structure.extensions, locate)


def _check_tbs(report: Report, structure: ListStructure, profile: RevocationListProfile, issuer: IssuerFacts) -> None:
    if structure.tbs is None:
        return
    location = f"{TBS_LIST}.version"
    check_plain_version(report, structure.version, profile.version.form, "version.list-wrong", location)
    check_algorithm(report, structure.inner_algorithm, profile.signature_algorithm.form, f"{TBS_LIST}.signature")
    check_name(report, structure.issuer, profile.issuer.form, f"{TBS_LIST}.issuer")
    check_issuer_name(report, structure.issuer, issuer, f"{TBS_LIST}.issuer")
    check_crl_sign(report, issuer)
    this_update = check_updates(report, structure.this_update, structure.next_update, profile.next_update.form)
    check_entries(report, structure.entries, profile.entries.form, this_update)
    if can_be_read(structure.faults):
        around = Surroundings(None, issuer.key_identifier, "")
        check_extensions(report, structure.extensions, profile.extensions, around, f"{TBS_LIST}.crlExtensions")


def _named_nodes(structure: ListStructure) -> Iterator[tuple[str, Node | None]]:
    yield f"{TBS_LIST}.version", structure.version
    yield f"{TBS_LIST}.signature", structure.inner_algorithm
    yield f"{TBS_LIST}.issuer", structure.issuer
    yield f"{TBS_LIST}.thisUpdate", structure.this_update
    yield f"{TBS_LIST}.nextUpdate", structure.next_update
    yield f"{TBS_LIST}.revokedCertificates", structure.entries
    for extension in structure.extensions:
        yield f"{TBS_LIST}.crlExtensions.{extension.name}", extension.node
    yield "signatureAlgorithm", structure.outer_algorithm
    yield "signatureValue", structure.signature
