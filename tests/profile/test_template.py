"""What is passed by a template is what the whole lint finds nothing in, and reads the same."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki import Certificate, DeviceType, EntityIdentifier, KeyUsage, Smki
from smki.authority.certification_authority import SigningKey
from smki.keys.private_key import SeededRandomness
from smki.pki import der
from smki.pki.certificate import read_certificate, read_tbs_certificate
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest, make_device_request, make_request, read_request
from smki.profile.clearance import clear_for_signature
from smki.profile.issuer import IssuerFacts
from smki.profile.lint import lint_request, lint_tbs_certificate
from smki.profile.tables import TEST_POLICY_OID, profile_of
from smki.profile.template import CertificateTemplate, RequestTemplate, RequestTemplates
from smki.sec.role import CertificateKind

DRAW = SeededRandomness("templates")
PROFILE = profile_of(CertificateKind.DEVICE)
DS = KeyUsage.DIGITAL_SIGNATURE


def device(number: int) -> EntityIdentifier:
    return EntityIdentifier((0x00DB_1234_0000_0000 + number).to_bytes(8, "big"))


def request(number: int, usage: KeyUsage = DS) -> bytes:
    return make_device_request(DRAW.private_key(f"{number} {usage.code}"), device(number), usage)


@pytest.fixture(scope="module")
def issued() -> list[Certificate]:
    """An Issuing DCA's certificate, then those of three Devices under it."""
    with Smki.in_memory(seed="templates") as smki:
        authority = next(record for record in smki.authorities() if record.kind is CertificateKind.ISSUING_DCA)
        records = [
            smki.issue_device(smki.make_device_request(device(number), DS)[1], device_type=DeviceType.ESME).record
            for number in range(3)
        ]
        return [authority.certificate, *(Certificate.from_der(record.der) for record in records)]


def issuing_key() -> SigningKey:
    """The key of the authority above."""
    with Smki.in_memory(seed="templates") as smki:
        return smki.hierarchy.newest(smki.ledger, CertificateKind.ISSUING_DCA).signing_key


def template_of(certificate: Certificate) -> CertificateTemplate:
    return CertificateTemplate(read_tbs_certificate(certificate.tbs))


def test_whatever_byte_is_changed_it_is_passed_only_where_the_lint_finds_nothing(issued: list[Certificate]) -> None:
    """Every byte, every value."""
    authority, first, *_ = issued
    facts, template, tbs = IssuerFacts.of(authority), template_of(first), first.tbs
    passed = 0
    for at in range(len(tbs)):
        for value in range(256):
            other = tbs[:at] + bytes((value,)) + tbs[at + 1 :]
            if template.covers(other):
                passed += 1
                assert lint_tbs_certificate(other, PROFILE, facts, TEST_POLICY_OID) == [], (at, value)
    # The serial number, of whose first byte 127 values are right, and the Device ID; the others depend on one another.
    assert passed == 127 + 15 * 256 + 8 * 256 + (len(tbs) - 24)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_what_is_cut_out_or_put_in_is_not_passed(issued: list[Certificate], data: st.DataObject) -> None:
    template, tbs = template_of(issued[1]), issued[1].tbs
    start = data.draw(st.integers(0, len(tbs)))
    end = data.draw(st.integers(start, len(tbs)))
    other = tbs[:start] + data.draw(st.binary(max_size=12)) + tbs[end:]
    if template.covers(other):
        assert lint_tbs_certificate(other, PROFILE, IssuerFacts.of(issued[0]), TEST_POLICY_OID) == []
    assert not template.covers(tbs + b"\0")
    assert not template.covers(tbs[:-1])
    assert not template.covers(b"")


def test_a_key_off_the_curve_or_with_the_identifier_of_another_is_not_passed(issued: list[Certificate]) -> None:
    _, first, second, _ = issued
    template = template_of(first)
    assert first.point
    assert second.point
    assert first.subject_key_identifier
    assert second.subject_key_identifier
    other_key = first.tbs.replace(first.point, second.point)
    assert not template.covers(other_key)
    assert template.covers(other_key.replace(first.subject_key_identifier, second.subject_key_identifier))
    off = first.point[:-1] + bytes((first.point[-1] ^ 1,))
    assert not template.covers(first.tbs.replace(first.point, off))


def test_it_is_read_as_if_it_were_taken_apart(issued: list[Certificate]) -> None:
    template = template_of(issued[1])
    for certificate in issued[1:]:
        assert template.covers(certificate.tbs)
        read = template.certificate(certificate.tbs, certificate.der)
        for field in fields(Certificate):
            assert getattr(read, field.name) == getattr(certificate, field.name), field.name
        assert read.entity_identifier == certificate.entity_identifier
        assert (read.kind, read.usage) == (certificate.kind, certificate.usage)


def test_it_is_not_passed_for_another_issuer_profile_or_policy(issued: list[Certificate]) -> None:
    from smki.profile.clearance import NotConformant

    authority, first, second, _ = issued
    facts = IssuerFacts.of(authority)
    key = issuing_key()
    for certificate in (first, second):
        cleared = clear_for_signature(certificate.tbs, PROFILE, facts, TEST_POLICY_OID)
        signed = key.sign(cleared)
        assert cleared.read(signed) == Certificate.from_der(signed)
    other_issuer = IssuerFacts.of(first)
    for profile, issuer, policy in (
        (PROFILE, other_issuer, TEST_POLICY_OID),
        (profile_of(CertificateKind.ISSUING_DCA), facts, TEST_POLICY_OID),
    ):
        with pytest.raises(NotConformant):
            clear_for_signature(second.tbs, profile, issuer, policy)
    assert clear_for_signature(second.tbs, PROFILE, facts, "1.2.3")._template is None  # looked at anew: a warning only


def test_authorities_and_organisations_are_no_templates(issued: list[Certificate]) -> None:
    with pytest.raises((ValueError, AttributeError)):
        CertificateTemplate(read_certificate(issued[0].der))


def test_requests_are_passed_with_what_they_hold() -> None:
    template = RequestTemplate(read_request(request(0)))
    for number in range(20):
        content_bytes = request(number)
        assert lint_request(content_bytes) == []
        assert template.request(content_bytes) == CertificationRequest.of(read_request(content_bytes))
    assert template.request(request(1, KeyUsage.KEY_AGREEMENT)) is None
    known = RequestTemplates()
    for usage in KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT:
        known.add(RequestTemplate(read_request(request(0, usage))))
    assert known.request(request(2, KeyUsage.KEY_AGREEMENT)) == CertificationRequest.of(
        read_request(request(2, KeyUsage.KEY_AGREEMENT))
    )


def test_a_request_of_which_any_byte_is_changed_is_not_passed() -> None:
    content_bytes = request(3)
    template = RequestTemplate(read_request(content_bytes))
    for at in range(len(content_bytes)):
        for bits in (0x01, 0x02, 0x80, 0xFF):
            other = content_bytes[:at] + bytes((content_bytes[at] ^ bits,)) + content_bytes[at + 1 :]
            assert template.request(other) is None, (at, bits)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_request_cut_or_filled_is_not_passed(data: st.DataObject) -> None:
    content_bytes = request(4)
    start = data.draw(st.integers(0, len(content_bytes)))
    end = data.draw(st.integers(start, len(content_bytes)))
    other = content_bytes[:start] + data.draw(st.binary(max_size=12)) + content_bytes[end:]
    if other != content_bytes:
        assert RequestTemplate(read_request(content_bytes)).request(other) is None


def test_a_request_signed_anew_after_a_change_is_passed_only_where_the_lint_finds_nothing() -> None:
    """What is put into its extensions, with a signature that is right: every byte, changed in three ways."""
    key = DRAW.private_key("signed anew")
    content_bytes = make_device_request(key, device(5), DS)
    template, structure = RequestTemplate(read_request(content_bytes)), read_request(content_bytes)
    wanted = [extension.node.encoded for extension in structure.extensions]
    passed = 0
    for index, extension in enumerate(wanted):
        for at in range(len(extension)):
            for bits in (0x01, 0x40, 0x80):
                changed = extension[:at] + bytes((extension[at] ^ bits,)) + extension[at + 1 :]
                other = make_request(key, der.sequence(), [*wanted[:index], changed, *wanted[index + 1 :]])
                if template.request(other) is not None:
                    passed += 1
                    assert lint_request(other) == []
    assert passed == 8 * 3  # the Device ID
    assert structure.extension(Oid.SUBJECT_ALT_NAME) is not None


def test_signatures_in_other_forms_are_not_passed() -> None:
    content_bytes = request(6)
    template, structure = RequestTemplate(read_request(content_bytes)), read_request(content_bytes)
    assert structure.info
    assert structure.algorithm
    assert structure.signature
    signature = structure.signature.content
    r, s = der.read(signature, 1).children()
    longer = der.sequence(der.element(der.INTEGER, b"\0" + r.content), s.encoded)
    for bits in (der.bit_string(longer), der.bit_string(signature[1:], 0) + b"\0", der.octet_string(signature)):
        other = der.sequence(structure.info.encoded, structure.algorithm.encoded, bits)
        assert template.request(other) is None
    as_ber = b"\x30\x83\x00" + content_bytes[2:]
    assert template.request(as_ber) is None
    assert (
        template.request(
            der.sequence(structure.info.encoded, structure.algorithm.encoded, der.bit_string(signature[1:]))
        )
        is not None
    )
