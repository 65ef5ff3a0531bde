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
from smki.sec.role import CertificateKind
from smki.testing.vectors.setting import Setting
from smki.testing.vectors.world import MOMENT, World, changed

SETTING = Setting(World("anchors"))
WORLD = SETTING.world
ROOT, ISSUING = Certificate.from_der(SETTING.root_oca), Certificate.from_der(SETTING.issuing_oca)
ROOT_DCA, ISSUING_DCA = Certificate.from_der(SETTING.root_dca), Certificate.from_der(SETTING.issuing_dca)
SUPPLIER = WORLD.certificate(WORLD.organisation())
DEVICE = WORLD.certificate(WORLD.device())
OFF_THE_CURVE = b"\4" + bytes(64)
COMPRESSED = der.sequence(P256_KEY_ALGORITHM, der.bit_string(b"\2" + WORLD.point("root oca")[1:33]))
WITHOUT_KEY = WORLD.certificate(changed(WORLD.root_oca, edit=lambda parts: [*parts[:6], COMPRESSED, *parts[7:]]))


def by_name(certificate: Certificate) -> TrustAnchor:
    """What remains of an authority without its certificate and key identifier."""
    assert certificate.point is not None
    return TrustAnchor(certificate.subject, certificate.point)


def verify(anchor: TrustAnchor, octets: bytes = SUPPLIER, *chain: bytes) -> Verdict:
    lists = RevocationLists.of([SETTING.crl], [SETTING.arl])
    return RelyingParty([anchor], lists, chain=chain, clock=FixedClock(MOMENT)).verify(octets)


def code_of(verdict: Verdict) -> str | None:
    return verdict.reason.code if verdict.reason is not None else None


def test_an_anchor_of_a_certificate_has_all_of_it() -> None:
    anchor = TrustAnchor.of(ROOT)
    assert anchor == TrustAnchor(ROOT.subject, WORLD.point("root oca"), ROOT.subject_key_identifier, SETTING.root_oca)
    assert anchor.key_identifier is not None
    authority = authority_of_anchor(anchor)
    assert authority.is_anchor
    assert authority.certificate is not None
    assert authority.certificate.der == SETTING.root_oca
    assert authority.kind is CertificateKind.ROOT_OCA
    loose = authority_of_certificate(SETTING.root_oca)
    assert loose is not None
    assert not loose.is_anchor
    assert loose.key_identifier == ROOT.subject_key_identifier
    assert "certificate" not in repr(anchor), "it would be too long to show"
    assert authority_of_certificate(b"no certificate") is None


@pytest.mark.parametrize(
    ("octets", "seen"),
    [(SUPPLIER, "no authority's certificate"), (WITHOUT_KEY, "no key on P-256")],
    ids=["end entity", "key in another form"],
)
def test_what_is_no_trust_anchor_says_why(octets: bytes, seen: str) -> None:
    certificate = Certificate.from_der(octets)
    with pytest.raises(Malformed) as raised:
        TrustAnchor.of(certificate)
    (problem,) = raised.value.problems
    assert (problem.code, problem.seen, problem.clause) == ("trust-anchor.unusable", seen, "SEC L12")
    assert problem.expected == "the certificate of an authority"
    assert "=" in problem.subject, "it is named by its subject"


def test_an_anchor_can_be_a_name_and_a_key() -> None:
    """The highest authority that the anchor names is not checked further, and no list of the one above is needed."""
    assert verify(by_name(ROOT), SUPPLIER, SETTING.issuing_oca).trusted
    assert verify(by_name(ISSUING)).trusted
    assert verify(by_name(ROOT_DCA), DEVICE, SETTING.issuing_dca).trusted
    assert verify(by_name(ISSUING_DCA), DEVICE).trusted
    without_name = replace(by_name(ISSUING), name=ROOT.subject)
    assert code_of(verify(without_name)) == "path.issuer-unknown"
    without_key = replace(by_name(ISSUING), point=WORLD.point("stranger"))
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
    below_root = changed(WORLD.organisation(), issuer=WORLD.root_oca.name, signer=WORLD.root_oca.key)
    assert "path.hierarchy" in {check.code for check in verify(by_name(ROOT), WORLD.certificate(below_root)).failures()}
    below_root = changed(WORLD.device(), issuer=WORLD.root_dca.name, signer=WORLD.root_dca.key)
    assert verify(by_name(ROOT_DCA), WORLD.certificate(below_root)).trusted


def test_anchors_of_one_name_are_told_apart_by_their_keys() -> None:
    other = replace(by_name(ISSUING), point=WORLD.point("stranger"))
    assert authority_of_anchor(other) != authority_of_anchor(by_name(ISSUING))
    for anchors in ([other, by_name(ISSUING)], [by_name(ISSUING), other]):
        lists = RevocationLists.of([SETTING.crl])
        assert RelyingParty(anchors, lists, clock=FixedClock(MOMENT)).verify(SUPPLIER).trusted


def test_an_authority_verifies_only_what_its_key_signed() -> None:
    signature = WORLD.key("root oca").sign(b"a message", ec.ECDSA(hashes.SHA256()))
    other_hash = WORLD.key("root oca").sign(b"a message", ec.ECDSA(hashes.SHA384()))
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
    assert [anchor.certificate for anchor in anchors] == [SETTING.root_oca, SETTING.issuing_dca]
    assert [certificate.der for certificate in others] == [SETTING.issuing_oca]
    # An issuer that is there, but is no root, makes an anchor of neither.
    below = WORLD.authority(CertificateKind.ISSUING_OCA, "V2", "oca below", WORLD.issuing_oca)
    anchors, others = anchors_among([ISSUING, Certificate.from_der(WORLD.certificate(below))])
    assert len(anchors) == 2
    assert not others
    with pytest.raises(Malformed):
        anchors_among([ROOT, Certificate.from_der(SUPPLIER)])
