"""Every row of every profile matters: whichever is changed, the lint finds fault with what was good before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from smki import Finding, lint
from smki.pki.certificate import Certificate, read_certificate
from smki.pki.der import UTF8_STRING
from smki.profile import IssuerFacts, lint_certificate, lint_request, lint_revocation_list
from smki.profile.build import CertificateContents, build_tbs_certificate
from smki.profile.forms import (
    Algorithm,
    AuthorityKeyIdentifierForm,
    BasicConstraintsForm,
    CertificateProfile,
    CrlNumberForm,
    EntriesForm,
    ExtensionForm,
    HardwareModuleNameForm,
    KeyIdentifierForm,
    KeyUsageForm,
    Mark,
    NameForm,
    NextUpdateForm,
    PoliciesForm,
    Profile,
    PublicKey,
    RequestProfile,
    Row,
    Serial,
    Validity,
    Value,
    Version,
)
from smki.profile.tables import ALL_PROFILES, PROFILES, TEST_POLICY_OID
from smki.sec.role import KeyUsage, RemotePartyRole
from tests.profile.support import examples

OTHER_OID = "1.2.3.4"


def other_contents(form: Any) -> Iterator[Any]:
    """What an extension might have to contain instead."""
    match form:
        case KeyUsageForm():
            yield KeyUsageForm((frozenset({KeyUsage.DECIPHER_ONLY}),))
        case KeyIdentifierForm() | AuthorityKeyIdentifierForm():
            yield replace(form, length=20)
        case PoliciesForm():
            yield replace(form, count=2)
        case BasicConstraintsForm():
            yield replace(form, path_length=5)
        case HardwareModuleNameForm():
            yield replace(form, serial_bytes=7)
        case CrlNumberForm():
            yield replace(form, max_bytes=1)
        case _:
            raise AssertionError(form)


def other_names(form: NameForm) -> Iterator[NameForm]:
    if not form.attributes:
        yield NameForm((ALL_PROFILES["device"].issuer.form.attributes[0],))  # type: ignore[union-attr]
        return
    for index, attribute in enumerate(form.attributes):
        others = [replace(attribute, tag=UTF8_STRING if attribute.tag != UTF8_STRING else 0x13)]
        if attribute.value is Value.TEXT:
            others.append(replace(attribute, max_characters=1))
        if attribute.roles:
            others.append(replace(attribute, roles=tuple(set(RemotePartyRole) - set(attribute.roles))))
        if attribute.value is Value.EUI64:
            others.append(replace(attribute, value=Value.TEXT))
        for other in others:
            yield NameForm((*form.attributes[:index], other, *form.attributes[index + 1 :]))
        yield NameForm(form.attributes[:index] + form.attributes[index + 1 :])
    if len(form.attributes) > 1:
        yield NameForm(tuple(reversed(form.attributes)))


def other_forms(form: Any) -> Iterator[Any]:
    """The same requirement, asking for something else."""
    match form:
        case Version():
            yield replace(form, encoded=form.encoded + 1)
        case Serial():
            yield replace(form, max_bytes=15)
            yield replace(form, made_bytes=40)
        case Algorithm():
            yield Algorithm(OTHER_OID)
        case PublicKey():
            yield replace(form, curve=OTHER_OID)
            yield replace(form, point_bytes=97)
        case NameForm():
            yield from other_names(form)
        case Validity():
            yield replace(form, years=3 if form.years is None else None)
            if form.years is not None:
                yield replace(form, years=form.years + 1)
        case NextUpdateForm():
            yield replace(form, hours=1)
        case EntriesForm():
            yield replace(form, max_serial_bytes=15)
            yield replace(form, reasons=())
        case ExtensionForm():
            if form.critical is not None:
                yield replace(form, critical=not form.critical)
            for content in other_contents(form.content):
                yield replace(form, content=content)
        case _:
            raise AssertionError(form)


def with_row(profile: Profile, row: Row[Any], form: Any) -> Profile:
    """The profile with another form in that row."""
    other: Any = replace(row, form=form)
    for field in fields(profile):
        if getattr(profile, field.name) is row:
            return replace(profile, **{field.name: other})
    return replace(profile, extensions=tuple(other if each is row else each for each in profile.extensions))


def linted(data: bytes, profile: Profile) -> list[Finding]:
    if isinstance(profile, CertificateProfile):
        return lint_certificate(data, profile)
    if isinstance(profile, RequestProfile):
        return lint_request(data, None, profile)
    return lint_revocation_list(data, profile)


@pytest.mark.parametrize("name", ALL_PROFILES)
def test_good_ones_meet_their_profile(name: str) -> None:
    assert examples()[name]
    for data in examples()[name]:
        assert linted(data, ALL_PROFILES[name]) == []
        assert lint(data) == []


def is_noticed(data: bytes, changed: Profile) -> bool:
    """Whether a good one is no longer good; a criticality that nothing was ever to have has no code at all."""
    try:
        return bool(linted(data, changed))
    except KeyError:
        return True


@pytest.mark.parametrize("name", ALL_PROFILES)
def test_every_row_matters(name: str) -> None:
    profile = ALL_PROFILES[name]
    names = [field for field, _ in profile.rows()]
    assert len(names) >= 5
    assert len(set(names)) == len(names)
    for field, row in profile.rows():
        others = list(other_forms(row.form))
        assert others, field
        for other in others:
            changed = with_row(profile, row, other)
            assert changed != profile, field
            found = [data for data in examples()[name] if is_noticed(data, changed)]
            assert found, f"{name}: nothing noticed that {field} became {other}"


@pytest.mark.parametrize("name", ALL_PROFILES)
def test_no_row_can_be_left_out_and_none_moved(name: str) -> None:
    profile = ALL_PROFILES[name]
    for index in range(len(profile.extensions)):
        shorter = replace(profile, extensions=profile.extensions[:index] + profile.extensions[index + 1 :])
        assert any(linted(data, shorter) for data in examples()[name]), profile.extensions[index]
    if len(profile.extensions) > 1:
        moved = replace(profile, extensions=tuple(reversed(profile.extensions)))
        assert all(linted(data, moved) for data in examples()[name])


@pytest.mark.parametrize("name", ALL_PROFILES)
def test_every_row_names_its_clause_and_says_how_certain_it_is(name: str) -> None:
    for field, row in ALL_PROFILES[name].rows():
        assert isinstance(row, Row)
        assert row.clause.split()[0] in ("GBCS", "RFC", "SEC"), field
        assert isinstance(row.mark, Mark), field
        assert str(row.form), field


@pytest.mark.parametrize("name", PROFILES)
def test_the_builder_follows_the_same_rows(name: str) -> None:
    """Taken apart and built again a good one is the same; built from a changed profile it differs."""
    profile = PROFILES[name]
    for data in examples()[name]:
        good = Certificate.from_der(data)
        structure = read_certificate(data)
        kept = ("keyUsage", "subjectAltName")
        contents = CertificateContents(
            good.serial_number,
            good.issuer,
            good.not_before,
            good.not_after,
            good.subject,
            good.public_key_info,
            good.authority_key_identifier,
            TEST_POLICY_OID,
            {item.oid: item.value.content for item in structure.extensions if item.name in kept},
        )
        assert build_tbs_certificate(profile, contents) == good.tbs
        for field, row in profile.rows():
            if field in ("version", "signatureAlgorithm"):
                changed = with_row(profile, row, next(other_forms(row.form)))
                assert build_tbs_certificate(changed, contents) != good.tbs, field  # type: ignore[arg-type]
        moved = replace(profile, extensions=tuple(reversed(profile.extensions)))
        assert build_tbs_certificate(moved, contents) != good.tbs
        for index in range(len(profile.extensions)):
            if good.authority_key_identifier or profile.extensions[index].form.name != "authorityKeyIdentifier":
                shorter = replace(profile, extensions=profile.extensions[:index] + profile.extensions[index + 1 :])
                assert build_tbs_certificate(shorter, contents) != good.tbs


def test_facts_that_are_not_known_are_not_checked() -> None:
    (data, *_) = examples()["device"]
    assert lint(data, issuer=IssuerFacts()) == []
    assert lint(data, issuer=IssuerFacts(key_identifier=bytes(8)))[0].code == "authority-key-identifier.mismatch"
