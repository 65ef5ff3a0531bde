"""Trust anchors: with a certificate, or a name and a key alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from smki.clock import FixedClock
from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.x509 import P256_KEY_ALGORITHM
from smki.problem import Malformed
from smki.relying_party import RelyingParty, RevocationLists, TrustAnchor, Verdict
from smki.relying_party.anchor import anchors_among, authority_of_anchor, authority_of_certificate
from smki.sec.role import CertificateKind, RemotePartyRole
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.edits import another, issued_by, put
from smki.testing.defects.sample_pki import Edit, authority_name
from smki.testing.vectors import MOMENT

PKI = SamplePki(MOMENT, "anchors")
ROOT, ISSUING, ROOT_DCA, ISSUING_DCA = (
    Certificate.from_der(PKI.good_bytes(base))
    for base in (Base.ROOT_OCA, Base.ISSUING_OCA, Base.ROOT_DCA, Base.ISSUING_DCA)
)
SUPPLIER, DEVICE = PKI.good_bytes(Base.ORGANISATION), PKI.good_bytes(Base.DEVICE)
CRL, ARL = PKI.good_bytes(Base.CRL), PKI.good_bytes(Base.ARL)
ROOT_KEY, ROOT_POINT = PKI.key(Base.ROOT_OCA.value), PKI.point(Base.ROOT_OCA.value)
OFF_THE_CURVE = b"\4" + bytes(64)
COMPRESSED = der.sequence(P256_KEY_ALGORITHM, der.bit_string(b"\2" + ROOT_POINT[1:33]))
WITHOUT_KEY = PKI.make(Base.ROOT_OCA, put(public_key=COMPRESSED))


def issued_by_authority(base: Base) -> Edit:
    """Name and sign as this authority."""
    return issued_by(PKI.name(base), base.value)


def by_name(certificate: Certificate) -> TrustAnchor:
    """What remains of an authority without its certificate and key identifier."""
    assert certificate.point is not None
    return TrustAnchor(certificate.subject, certificate.point)


def verify(anchor: TrustAnchor, encoded: bytes = SUPPLIER, *chain: bytes) -> Verdict:
    lists = RevocationLists.of([CRL], [ARL])
    return RelyingParty([anchor], lists, chain=chain, clock=FixedClock(MOMENT)).verify(encoded)


def code_of(verdict: Verdict) -> str | None:
    return verdict.reason.code if verdict.reason is not None else None


def test_an_anchor_of_a_certificate_has_all_of_it() -> None:
    anchor = TrustAnchor.of(ROOT)
    assert anchor == TrustAnchor(ROOT.subject, ROOT_POINT, ROOT.subject_key_identifier, ROOT.der)
    assert anchor.key_identifier is not None
    authority = authority_of_anchor(anchor)
    assert authority.is_anchor
    assert authority.certificate is not None
    assert authority.certificate.der == ROOT.der
    assert authority.kind is CertificateKind.ROOT_OCA
    loose = authority_of_certificate(ROOT.der)
    assert loose is not None
    assert not loose.is_anchor
    assert loose.key_identifier == ROOT.subject_key_identifier
    assert "certificate" not in repr(anchor), "it would be too long to show"
    assert authority_of_certificate(b"no certificate") is None


@pytest.mark.parametrize(
    ("encoded", "seen"),
    [(SUPPLIER, "not an authority's certificate"), (WITHOUT_KEY, "no key on P-256")],
    ids=["end entity", "key in another form"],
)
def test_what_is_no_trust_anchor_says_why(encoded: bytes, seen: str) -> None:
    certificate = Certificate.from_der(encoded)
    with pytest.raises(Malformed) as raised:
        TrustAnchor.of(certificate)
    (problem,) = raised.value.problems
    assert (problem.code, problem.seen, problem.clause) == ("trust-anchor.unusable", seen, "SEC L12")
    assert problem.expected == "the certificate of an authority"
    assert "=" in problem.subject, "it is named by its subject"


def test_an_anchor_can_be_a_name_and_a_key() -> None:
    """The highest authority that the anchor names is not checked further, and no list of the one above is needed."""
    assert verify(by_name(ROOT), SUPPLIER, ISSUING.der).trusted
    assert verify(by_name(ISSUING)).trusted
    assert verify(by_name(ROOT_DCA), DEVICE, ISSUING_DCA.der).trusted
    assert verify(by_name(ISSUING_DCA), DEVICE).trusted
    without_name = replace(by_name(ISSUING), name=ROOT.subject)
    assert code_of(verify(without_name)) == "path.issuer-unknown"
    without_key = replace(by_name(ISSUING), point=PKI.point("stranger"))
    assert code_of(verify(without_key)) == "path.signature"


def test_the_key_identifier_of_such_an_anchor_counts_if_it_is_known() -> None:
    known = replace(by_name(ISSUING), key_identifier=ISSUING.subject_key_identifier)
    assert verify(known).trusted
    assert code_of(verify(replace(known, key_identifier=b"another"))) == "path.key-identifier"


@pytest.mark.parametrize(
    ("certificate", "kind"),
    [
        (ROOT, CertificateKind.ROOT_OCA),
        (ISSUING, CertificateKind.ISSUING_OCA),
        (ROOT_DCA, CertificateKind.ISSUING_DCA),
        (ISSUING_DCA, CertificateKind.ISSUING_DCA),
    ],
    ids=["root oca", "issuing oca", "root dca", "issuing dca"],
)
def test_what_such_an_anchor_is_follows_from_its_name(certificate: Certificate, kind: CertificateKind) -> None:
    authority = authority_of_anchor(by_name(certificate))
    assert authority.kind is kind
    assert authority.label.startswith("trust anchor ")
    assert authority.is_anchor
    assert authority.certificate is None


def test_an_organisations_root_by_name_issues_no_end_entities() -> None:
    """Its place in the hierarchy is known by the unit in its name; a DCA's is not, and it is taken for either."""
    below_root = PKI.make(Base.ORGANISATION, issued_by_authority(Base.ROOT_OCA))
    assert "path.hierarchy" in {check.code for check in verify(by_name(ROOT), below_root).failures()}
    below_root = PKI.make(Base.DEVICE, issued_by_authority(Base.ROOT_DCA))
    assert verify(by_name(ROOT_DCA), below_root).trusted


def test_anchors_of_one_name_are_told_apart_by_their_keys() -> None:
    other = replace(by_name(ISSUING), point=PKI.point("stranger"))
    assert authority_of_anchor(other) != authority_of_anchor(by_name(ISSUING))
    for anchors in ([other, by_name(ISSUING)], [by_name(ISSUING), other]):
        lists = RevocationLists.of([CRL])
        assert RelyingParty(anchors, lists, clock=FixedClock(MOMENT)).verify(SUPPLIER).trusted


def test_an_authority_verifies_only_what_its_key_signed() -> None:
    signature = ROOT_KEY.sign(b"a message", ec.ECDSA(hashes.SHA256()))
    other_hash = ROOT_KEY.sign(b"a message", ec.ECDSA(hashes.SHA384()))
    authority = authority_of_anchor(by_name(ROOT))
    for _ in range(2):
        assert authority.verifies(signature, b"a message")
        assert not authority.verifies(signature, b"a massage")
        assert not authority.verifies(b"", b"a message")
        assert not authority.verifies(other_hash, b"a message")
    assert not replace(authority, point=OFF_THE_CURVE).verifies(signature, b"a message")
    assert not replace(authority, point=None).verifies(signature, b"a message")


def test_a_root_and_whatever_has_no_issuer_among_them_is_an_anchor() -> None:
    anchors, others = anchors_among([ISSUING, ROOT, ISSUING, ISSUING_DCA, ROOT])
    assert [anchor.certificate for anchor in anchors] == [ROOT.der, ISSUING_DCA.der]
    assert [certificate.der for certificate in others] == [ISSUING.der]
    # An issuer that is there, but is no root, makes an anchor of neither.
    name = authority_name(RemotePartyRole.ISSUING_AUTHORITY, "X2")
    below = PKI.make(Base.ISSUING_OCA, another("oca below"), put(subject=name), issued_by_authority(Base.ISSUING_OCA))
    anchors, others = anchors_among([ISSUING, Certificate.from_der(below)])
    assert len(anchors) == 2
    assert not others
    with pytest.raises(Malformed):
        anchors_among([ROOT, Certificate.from_der(SUPPLIER)])
