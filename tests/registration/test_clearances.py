"""What was cleared for one authority is signed by that one's key and by no other."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from smki import DeviceType, Smki
from smki.authority.certification_authority import AuthorityMismatch, CertificationAuthority, SigningKey
from smki.keys.private_key import SeededRandomness
from smki.ledger import CertificateQuery, CertificateRecord
from smki.pki.certificate import Certificate
from smki.pki.revocation_list import RevocationList
from smki.pki.x509 import signature_verifies
from smki.problem import NotFound, Problem
from smki.profile import IssuerFacts
from smki.profile.clearance import AlreadySigned, NotConformant, clear_for_signature, clear_list_for_signature
from smki.profile.tables import ORGANISATION_CRL, profile_of
from smki.sec.role import CertificateKind
from tests.support import DEVICE, DS

OCA, DCA, ROOT_DCA = CertificateKind.ISSUING_OCA, CertificateKind.ISSUING_DCA, CertificateKind.ROOT_DCA


@pytest.fixture
def memory() -> Smki:
    """An SMKI with a Device Certificate."""
    smki = Smki.in_memory(seed="clearances")
    smki.issue_device(smki.make_device_request(DEVICE, DS)[1], device_type=DeviceType.ESME)
    return smki


def authority(smki: Smki, kind: CertificateKind) -> CertificationAuthority:
    return smki.hierarchy.newest(smki.ledger, kind)


def record_of(smki: Smki, kind: CertificateKind) -> CertificateRecord:
    return next(smki.ledger.certificates(CertificateQuery(kinds=(kind,))))


@pytest.mark.parametrize("times", [1, 2, 3])
def test_another_authoritys_key_signs_no_certificate(memory: Smki, times: int) -> None:
    """Also where the certificate is covered by one that was cleared before."""
    tbs = record_of(memory, CertificateKind.DEVICE).certificate.tbs
    dca, policy = authority(memory, DCA), memory.configuration.policy_oid
    for _ in range(times):
        cleared = clear_for_signature(tbs, profile_of(CertificateKind.DEVICE), dca.facts, policy)
    for other in (OCA, CertificateKind.ROOT_OCA, ROOT_DCA):
        with pytest.raises(AuthorityMismatch):
            authority(memory, other).signing_key.sign(cleared)
    with pytest.raises(AuthorityMismatch, match="cleared for another authority"):
        authority(memory, OCA).signing_key.sign(cleared)
    # It was not used up by that.
    signed = Certificate.from_der(dca.signing_key.sign(cleared))
    assert dca.certificate.point is not None
    assert signature_verifies(dca.certificate.point, signed.signature, signed.tbs)
    with pytest.raises(AlreadySigned):
        dca.signing_key.sign(cleared)


def test_another_authoritys_key_signs_no_list(memory: Smki) -> None:
    latest = memory.lists(OCA).latest()
    assert latest is not None
    tbs = RevocationList.from_der(latest.der).tbs
    oca = authority(memory, OCA)
    cleared = clear_list_for_signature(tbs, ORGANISATION_CRL, oca.facts)
    for other in (CertificateKind.ROOT_OCA, DCA):
        with pytest.raises(AuthorityMismatch):
            authority(memory, other).signing_key.sign(cleared)
    assert oca.signing_key.sign(cleared) == latest.der


def test_a_root_signs_itself_and_no_other_key_does(memory: Smki) -> None:
    root = record_of(memory, ROOT_DCA).certificate
    policy, profile = memory.configuration.policy_oid, profile_of(ROOT_DCA)
    facts = IssuerFacts(name=root.subject, point=root.point)
    stranger = SigningKey(root.subject, lambda: SeededRandomness("another").private_key("key"))
    for key in (stranger, authority(memory, DCA).signing_key, authority(memory, CertificateKind.ROOT_OCA).signing_key):
        with pytest.raises(AuthorityMismatch):
            key.sign(clear_for_signature(root.tbs, profile, facts, policy))
    cleared = clear_for_signature(root.tbs, profile, facts, policy)
    assert authority(memory, ROOT_DCA).signing_key.sign(cleared) == root.der


def test_the_same_key_under_another_name_is_another_authority(memory: Smki) -> None:
    tbs = record_of(memory, CertificateKind.DEVICE).certificate.tbs
    dca, policy = authority(memory, DCA), memory.configuration.policy_oid
    key = memory.hierarchy._load_key(dca.certificate)
    renamed = SigningKey(authority(memory, OCA).certificate.subject, lambda: key)
    with pytest.raises(AuthorityMismatch):
        renamed.sign(clear_for_signature(tbs, profile_of(CertificateKind.DEVICE), dca.facts, policy))


@pytest.mark.parametrize("known", ["name", "point", "nothing"])
def test_what_was_cleared_for_nobody_is_signed_by_nobody(memory: Smki, known: str) -> None:
    tbs = record_of(memory, CertificateKind.DEVICE).certificate.tbs
    dca, policy = authority(memory, DCA), memory.configuration.policy_oid
    certificate = dca.certificate
    facts = IssuerFacts(
        name=certificate.subject if known == "name" else None, point=certificate.point if known == "point" else None
    )
    cleared = clear_for_signature(tbs, profile_of(CertificateKind.DEVICE), facts, policy)
    with pytest.raises(AuthorityMismatch):
        dca.signing_key.sign(cleared)


def test_what_names_another_issuer_is_not_cleared(memory: Smki) -> None:
    tbs = record_of(memory, CertificateKind.DEVICE).certificate.tbs
    oca, policy = authority(memory, OCA), memory.configuration.policy_oid
    with pytest.raises(NotConformant):
        clear_for_signature(tbs, profile_of(CertificateKind.DEVICE), oca.facts, policy)


def test_a_key_that_cannot_be_read_is_noticed_when_it_is_read(memory: Smki) -> None:
    def absent() -> EllipticCurvePrivateKey:
        raise NotFound(Problem(code="key.missing", subject="key", seen="missing"))

    with pytest.raises(NotFound):
        SigningKey(authority(memory, OCA).certificate.subject, absent).read()
