"""Which authority issues what, how new ones are named, and where their keys are."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import pytest

from smki import CertificateKind, Smki
from smki.authority.hierarchy import NewAuthority, _next_name
from smki.keys.private_key import SeededRandomness, SystemRandomness
from smki.ledger import CertificateRecord
from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.request import public_point
from smki.pki.x509 import encode_attribute, encode_public_key
from smki.problem import IntegrityError, KeyUnusable, Malformed, Problem
from smki.profile import IssuerFacts
from smki.registration.authorities import EstablishAuthority
from smki.registration.restoration import GoOnAfterRestore
from smki.registration.revocation import Revoke
from tests.registration.in_memory import START, TEST

ROOT_OCA, OCA = CertificateKind.ROOT_OCA, CertificateKind.ISSUING_OCA
ROOT_DCA, DCA = CertificateKind.ROOT_DCA, CertificateKind.ISSUING_DCA
ORGANISATION, DEVICE = CertificateKind.ORGANISATION, CertificateKind.DEVICE


@pytest.fixture
def smki() -> Smki:
    return Smki.in_memory(seed="hierarchy", at=START)


def establish(smki: Smki, kind: CertificateKind) -> CertificateRecord:
    return smki.registration.execute(EstablishAuthority(kind), TEST)


def revoke(smki: Smki, record: CertificateRecord) -> None:
    smki.registration.execute(Revoke(serial_number=record.serial_number, reason="superseded"), TEST)


def new_authority(smki: Smki, kind: CertificateKind) -> NewAuthority:
    return smki.hierarchy.new_authority(smki.ledger, kind)


def issuing(smki: Smki, kind: CertificateKind) -> list[str | None]:
    return [each.certificate.common_name for each in smki.hierarchy.issuing(smki.ledger, kind)]


def newest(smki: Smki, kind: CertificateKind) -> str | None:
    return smki.hierarchy.newest(smki.ledger, kind).certificate.common_name


def test_the_first_authorities(smki: Smki) -> None:
    found = [(each.kind, each.certificate.common_name, each.role) for each in smki.ledger.authorities()]
    assert [(kind.value, name, role and role.hexadecimal) for kind, name, role in found] == [
        ("root-oca", "TA", "00"),
        ("issuing-oca", "T1", "07"),
        ("root-dca", "TD", None),
        ("issuing-dca", "TD01", None),
    ]


def test_the_newest_oca_issues_and_every_dca_but_none_that_is_revoked(smki: Smki) -> None:
    assert (issuing(smki, ORGANISATION), issuing(smki, DEVICE)) == (["T1"], ["TD01"])
    second, _ = establish(smki, OCA), establish(smki, DCA)
    assert (issuing(smki, ORGANISATION), issuing(smki, DEVICE)) == (["T2"], ["TD01", "TD02"])
    assert (newest(smki, OCA), newest(smki, DCA), newest(smki, ROOT_OCA)) == ("T2", "TD02", "TA")
    revoke(smki, second)
    assert (issuing(smki, ORGANISATION), newest(smki, OCA)) == (["T1"], "T1")
    revoke(smki, smki.ledger.authorities()[1])
    for ask in (
        lambda: smki.hierarchy.newest(smki.ledger, OCA),
        lambda: smki.hierarchy.issuing(smki.ledger, ORGANISATION),
    ):
        with pytest.raises(IntegrityError) as caught:
            ask()
        assert caught.value.problems == (
            Problem(
                code="authority.missing",
                subject="Issuing OCA",
                seen="all are revoked or missing",
                expected="a certificate that is not revoked",
                given={"kind": "issuing-oca"},
            ),
        )
    # The name of one that is revoked is not given again.
    assert establish(smki, OCA).certificate.common_name == "T3"


@pytest.mark.parametrize("kind", [ROOT_OCA, ROOT_DCA])
def test_a_second_root(smki: Smki, kind: CertificateKind) -> None:
    with pytest.raises(Malformed) as caught:
        new_authority(smki, kind)
    title, name = ("Root OCA", "TA") if kind is ROOT_OCA else ("Root DCA", "TD")
    assert caught.value.problems == (
        Problem(
            code="authority.second-root",
            subject=title,
            seen=f"{title} {name} already exists",
            expected="an Issuing OCA or DCA",
        ),
    )


@pytest.mark.parametrize(("kind", "name", "role"), [(OCA, "T2", "07"), (DCA, "TD02", "")])
def test_a_new_authority_has_a_name_and_a_key_but_no_certificate(
    smki: Smki, kind: CertificateKind, name: str, role: str
) -> None:
    made = new_authority(smki, kind)
    key = smki._keys.read(f"{kind.value}-{name}")
    point = public_point(key.public_key())
    common_name = encode_attribute(Oid.COMMON_NAME, der.printable_string(name))
    unit = encode_attribute(Oid.ORGANIZATIONAL_UNIT_NAME, der.printable_string(role)) if role else b""
    assert made.subject.name == der.sequence(unit, common_name)
    assert made.subject.public_key_info == encode_public_key(point)
    assert made.facts == IssuerFacts(name=made.subject.name, point=point)
    assert made.signing_key._point == point
    assert made.signing_key._name == made.subject.name
    # Until it has a certificate, it is the same one that is made.
    assert new_authority(smki, kind).subject == made.subject
    assert establish(smki, kind).certificate.subject == made.subject.name


def test_keys_are_kept_under_the_names_of_their_authorities(smki: Smki) -> None:
    establish(smki, OCA)
    for kind, name, kept in (
        (ROOT_OCA, "TA", "root-oca"),
        (OCA, "T1", "issuing-oca"),
        (OCA, "T2", "issuing-oca-T2"),
        (ROOT_DCA, "TD", "root-dca"),
        (DCA, "TD01", "issuing-dca"),
    ):
        record = next(
            each for each in smki.ledger.authorities() if each.kind is kind and each.certificate.common_name == name
        )
        assert public_point(smki._keys.read(kept).public_key()) == record.certificate.point
        assert smki.hierarchy.of(record).signing_key._point == record.certificate.point


def test_an_authoritys_key_depends_on_the_seed_its_kind_and_its_name(smki: Smki) -> None:
    again = Smki.in_memory(seed="hierarchy", at=START)
    assert [each.der for each in again.ledger.authorities()] == [each.der for each in smki.ledger.authorities()]
    made = [establish(smki, kind) for kind in (OCA, OCA, DCA)]
    points = [each.certificate.point for each in smki.ledger.authorities()]
    assert len(set(points)) == len(points) == 7
    assert [each.der for each in made] == [establish(again, kind).der for kind in (OCA, OCA, DCA)]


def test_the_key_of_another_certificate(smki: Smki) -> None:
    record = establish(smki, OCA)
    again = Smki.in_memory(seed="hierarchy", at=START)
    again._keys.write("issuing-oca-T2", SystemRandomness().private_key(""))
    with pytest.raises(IntegrityError) as caught:
        again.hierarchy._load_key(record.certificate)
    assert caught.value.problems == (
        Problem(
            code="authority.key-mismatch",
            subject="private key of Issuing OCA T2",
            seen="the key of another certificate",
            expected="the key of Issuing OCA T2",
            given={"file": "key issuing-oca-T2 in memory"},
        ),
    )


def test_an_authority_is_read_again_when_its_certificate_is_another(smki: Smki) -> None:
    first, root = smki.ledger.authorities()[1], smki.ledger.authorities()[0]
    made = smki.hierarchy.of(first)
    assert smki.hierarchy.of(first) is made
    assert made.facts == IssuerFacts.of(first.certificate)
    assert smki.hierarchy.of(replace(first, der=root.der)).certificate.der == root.der


def test_a_name_without_a_number_gets_one() -> None:
    assert _next_name(["T1", "T2", "ABCD"]) == "ABC2"


def test_the_first_key_of_a_kind_is_that_of_its_label(smki: Smki) -> None:
    for record in smki.ledger.authorities():
        key = SeededRandomness("hierarchy").private_key(f"authority {record.kind.value}")
        assert public_point(key.public_key()) == record.certificate.point


def test_every_key_that_cannot_be_used_is_named_but_those_of_the_revoked(smki: Smki) -> None:
    second, third = establish(smki, OCA), establish(smki, DCA)
    assert smki.hierarchy.unusable_keys(smki.ledger) == []
    again = Smki.in_memory(seed="hierarchy", at=START)  # with the keys of the first four alone
    again._keys.write("issuing-dca-TD02", SystemRandomness().private_key(""))
    problems = again.hierarchy.unusable_keys(smki.ledger)
    assert [(problem.code, problem.subject) for problem in problems] == [
        ("key.missing", "private key of Issuing OCA T2"),
        ("authority.key-mismatch", "private key of Issuing DCA TD02"),
    ]
    for record, code in ((second, "key.missing"), (third, "authority.key-mismatch")):
        with pytest.raises(KeyUnusable) as caught:
            again.hierarchy.require_key(record)
        assert caught.value.code == code
    revoke(smki, second)
    assert again.hierarchy.unusable_keys(smki.ledger) == problems[1:]


def test_a_key_made_after_a_restore_is_another(smki: Smki) -> None:
    """One of that name may have been made in the time that was lost."""
    restore = GoOnAfterRestore(machine_microseconds=5_000, backup_made=START, backup_sha256="00" * 32)
    smki.registration.execute(restore, TEST)
    key = SeededRandomness("hierarchy").private_key("authority issuing-oca T2 after 5000")
    assert public_point(key.public_key()) == establish(smki, OCA).certificate.point


@pytest.mark.parametrize(
    ("remedy_of_store", "remedy"), [("", "authority.key-file"), ("key.passphrase", "authority.passphrase")]
)
def test_what_to_do_about_an_unusable_key_names_its_file(
    smki: Smki, monkeypatch: pytest.MonkeyPatch, remedy_of_store: str, remedy: str
) -> None:
    def unreadable(_: str) -> NoReturn:
        problem = Problem(code="key.x", subject="a key", seen="x", expected="y", remedy=remedy_of_store)
        raise IntegrityError(problem)

    monkeypatch.setattr(smki._keys, "read", unreadable)
    record = smki.ledger.authorities()[1]
    with pytest.raises(KeyUnusable) as caught:
        smki.hierarchy.require_key(record)
    (problem,) = caught.value.problems
    assert (problem.subject, problem.remedy) == ("private key of Issuing OCA T1", remedy)
    assert problem.given == {"file": "key issuing-oca in memory"}
