"""What a template covers is what the full lint finds no error in, and reads the same."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki import Certificate, DeviceType, EntityIdentifier, KeyUsage, Smki
from smki.authority.certification_authority import SigningKey
from smki.authority.issuance import CertificateMaker, CertificateOrder, Subject
from smki.identity import SerialNumber
from smki.keys.private_key import SeededRandomness
from smki.pki import der
from smki.pki.certificate import read_certificate, read_tbs_certificate
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest, make_device_request, make_request, read_request
from smki.pki.template import CertificateReader, CertificateTemplate, RequestTemplate, RequestTemplates, signed_part
from smki.problem import Malformed, Problem, errors_among
from smki.profile.clearance import IssuingTemplates, NotConformant, clear_for_signature
from smki.profile.issuer import IssuerFacts
from smki.profile.lint import lint_request, lint_tbs_certificate
from smki.profile.tables import TEST_POLICY_OID, profile_of
from smki.sec.role import CertificateKind, RemotePartyRole
from tests.support import SUPPLIER

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


KEY = issuing_key()


def template_of(certificate: Certificate) -> CertificateTemplate:
    """The same from the TBSCertificate, as when it is issued, and from the certificate, as when it is verified."""
    template = CertificateTemplate.of(read_tbs_certificate(certificate.tbs))
    other = CertificateTemplate.of(read_certificate(certificate.der))
    assert template is not None
    assert other is not None
    for name in CertificateTemplate.__slots__:
        if name != "pattern":
            assert getattr(template, name) == getattr(other, name)
    return template


def test_whatever_byte_is_changed_it_is_passed_only_where_the_lint_finds_no_error(issued: list[Certificate]) -> None:
    """Every byte, every value."""
    authority, first, *_ = issued
    facts, template, tbs = IssuerFacts.of(authority), template_of(first), first.tbs
    passed = 0
    for at in range(len(tbs)):
        for value in range(256):
            other = tbs[:at] + bytes((value,)) + tbs[at + 1 :]
            if template.covers(other):
                passed += 1
                assert errors_among(lint_tbs_certificate(other, PROFILE, facts, TEST_POLICY_OID)) == [], (at, value)
    # The serial number, of whose first byte 127 values are right, and the Device ID; key and identifier depend on one
    # another. Each of the other bytes has its own value, except that notBefore is any time from 2000 to 2049.
    elsewhere = len(tbs) - 24 - len("YYMMDDHHMMSSZ")
    assert passed == 127 + 15 * 256 + 8 * 256 + elsewhere + times_one_digit_away(first.not_before)


def test_whatever_byte_of_an_organisations_certificate_is_changed() -> None:
    with Smki.in_memory(seed="templates") as smki:
        first = smki.issue_organisation(
            smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]
        ).record.certificate
        facts = IssuerFacts.of(smki.hierarchy.newest(smki.ledger, CertificateKind.ISSUING_OCA).certificate)
    template, tbs = template_of(first), first.tbs
    profile = profile_of(CertificateKind.ORGANISATION, RemotePartyRole.SUPPLIER)
    passed = 0
    for at in range(len(tbs)):
        for value in range(256):
            other = tbs[:at] + bytes((value,)) + tbs[at + 1 :]
            if template.covers(other):
                passed += 1
                assert errors_among(lint_tbs_certificate(other, profile, facts, TEST_POLICY_OID)) == [], (at, value)
    assert passed == 127 + 15 * 256 + 8 * 256 + (len(tbs) - 24)


def test_a_reader_reads_what_the_parser_reads_whatever_byte_is_changed(issued: list[Certificate]) -> None:
    """Also after it has read certificates that were changed, in any order."""
    reader, refused = CertificateReader(), 0
    for certificate in issued:
        assert values_of(reader.read(certificate.der)) == values_of(Certificate.from_der(certificate.der))
    for first in issued[1:2]:
        for at in range(len(first.der)):
            for value in (0x00, 0x80, first.der[at] ^ 1, first.der[at] + 1 & 0xFF):
                other = first.der[:at] + bytes((value,)) + first.der[at + 1 :]
                try:
                    expected = values_of(Certificate.from_der(other))
                except Malformed as error:
                    refused += 1
                    with pytest.raises(Malformed) as told:
                        reader.read(other)
                    assert told.value.problems == error.problems
                else:
                    assert values_of(reader.read(other)) == expected, (at, value)
    assert refused > 50


def values_of(certificate: Certificate) -> tuple[list[object], object]:
    """Everything that is read of a certificate."""
    return [getattr(certificate, each.name) for each in fields(certificate)], certificate.as_json()


def times_one_digit_away(moment: datetime) -> int:
    """The number of texts YYMMDDHHMMSSZ that are times and differ from that of *moment* in one character or none,
    counted for each character."""
    text, count = moment.strftime("%y%m%d%H%M%SZ"), 0
    for at in range(len(text)):
        for value in "0123456789Z":
            with suppress(ValueError):
                changed = text[:at] + value + text[at + 1 :]
                found = datetime.strptime(changed, "%y%m%d%H%M%SZ").replace(tzinfo=UTC)
                count += found.strftime("%y%m%d%H%M%SZ") == changed
    return count


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_what_is_cut_out_or_put_in_is_not_passed(issued: list[Certificate], data: st.DataObject) -> None:
    template, tbs = template_of(issued[1]), issued[1].tbs
    start = data.draw(st.integers(0, len(tbs)))
    end = data.draw(st.integers(start, len(tbs)))
    other = tbs[:start] + data.draw(st.binary(max_size=12)) + tbs[end:]
    if template.covers(other):
        assert errors_among(lint_tbs_certificate(other, PROFILE, IssuerFacts.of(issued[0]), TEST_POLICY_OID)) == []
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
        assert signed_part(certificate.der) == (certificate.tbs, certificate.signature)
        read = template.certificate(certificate.tbs, certificate.der, certificate.signature)
        for field in fields(Certificate):
            assert getattr(read, field.name) == getattr(certificate, field.name), field.name
        assert read.entity_identifier == certificate.entity_identifier
        assert (read.kind, read.usage) == (certificate.kind, certificate.usage)


def test_it_is_not_passed_for_another_issuer_profile_or_policy(issued: list[Certificate]) -> None:
    authority, first, second, _ = issued
    facts = IssuerFacts.of(authority)
    key, templates = KEY, IssuingTemplates()
    for certificate in (first, second):
        assert bool(list(templates.covering(certificate.tbs))) == (certificate is second)
        cleared = clear_for_signature(certificate.tbs, PROFILE, facts, TEST_POLICY_OID, templates)
        assert key.sign(cleared) == certificate.der
    other_issuer = IssuerFacts.of(first)
    for profile, issuer, policy in (
        (PROFILE, other_issuer, TEST_POLICY_OID),
        (profile_of(CertificateKind.ISSUING_DCA), facts, TEST_POLICY_OID),
    ):
        with pytest.raises(NotConformant):
            clear_for_signature(second.tbs, profile, issuer, policy, templates)
    for _ in range(2):  # a warning only: the second time by a template of its own
        cleared = clear_for_signature(second.tbs, PROFILE, facts, "1.2.3", templates)
        assert key.sign(cleared) == second.der


def test_a_template_that_is_filled_is_the_certificate_that_is_built(issued: list[Certificate]) -> None:
    _, first, second, _ = issued
    template = template_of(first)
    assert second.point
    assert second.entity_identifier
    serial, time = second.serial_number.value, der.time(second.not_before)
    point, entity = second.point, second.entity_identifier.encoded
    assert template.filled(serial, time, point, entity) == second.tbs
    # What has another length there is not filled in: other serial numbers, and times from 2050.
    for other in (0, 1, (1 << 119) - 1, 1 << 127, 1 << 128, -1):
        assert template.filled(other, time, point, entity) is None
    assert template.filled(1 << 120, time, point, entity) is not None
    assert template.filled((1 << 127) - 1, time, point, entity) is not None
    assert template.filled(serial, der.time(datetime(2050, 1, 1, tzinfo=UTC)), point, entity) is None
    assert template.filled(serial, time, point[:-1], entity) is None
    assert template.filled(serial, time, point, entity + b"\0") is None


@given(
    serial=st.integers(1, 2**160),
    day=st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)),
    number=st.integers(0, 9),
)
@settings(max_examples=100, deadline=None)
def test_what_is_made_does_not_depend_on_what_was_made_before(
    used: CertificateMaker, issued: list[Certificate], serial: int, day: datetime, number: int
) -> None:
    """A maker that has made others, and a new one: the same certificate, or the same reason why there is none."""
    wanted = read_request(request(number))
    asked, issuer = CertificationRequest.of(wanted), IssuerFacts.of(issued[0])
    assert asked.subject_alt_name is not None
    carried_over = {Oid.KEY_USAGE: asked.key_usage, Oid.SUBJECT_ALT_NAME: asked.subject_alt_name}
    subject = Subject(asked.subject, asked.public_key_info, carried_over)
    order = CertificateOrder(CertificateKind.DEVICE, None, subject, issuer, KEY, SerialNumber(serial))
    moment = day.replace(microsecond=0, tzinfo=UTC)

    def made(maker: CertificateMaker) -> bytes | Sequence[Problem]:
        try:
            return maker.make(order, moment)
        except NotConformant as error:
            return error.problems

    assert made(used) == made(used) == made(CertificateMaker(TEST_POLICY_OID))


@pytest.fixture(scope="module")
def used() -> CertificateMaker:
    return CertificateMaker(TEST_POLICY_OID)


def test_what_other_certificates_have_is_not_put_in_the_place_of_what_is_asked_for(issued: list[Certificate]) -> None:
    """After the certificate of an ordinary subject, those of subjects that differ from it in one thing."""
    asked, issuer = CertificationRequest.of(read_request(request(0))), IssuerFacts.of(issued[0])
    assert asked.subject_alt_name is not None
    carried_over = {Oid.KEY_USAGE: asked.key_usage, Oid.SUBJECT_ALT_NAME: asked.subject_alt_name}
    ordinary = Subject(asked.subject, asked.public_key_info, carried_over)
    # id-ecDH (RFC 5480 2.1.2) with the curve and the point of the same key
    restricted = bytes.fromhex("3057301106052b8104010c") + asked.public_key_info[13:]
    alike = asked.subject_alt_name
    others = (
        replace(ordinary, public_key_info=restricted),
        replace(ordinary, public_key_info=asked.public_key_info[:-64]),
        replace(ordinary, carried_over={**carried_over, Oid.SUBJECT_KEY_IDENTIFIER: b"\x04\x08" + bytes(8)}),
        replace(ordinary, carried_over={**carried_over, Oid.SUBJECT_ALT_NAME: alike[:-9] + b"\x07" + alike[-7:]}),
        replace(ordinary, carried_over={**carried_over, Oid.SUBJECT_ALT_NAME: alike[-7:]}),
    )
    serial, moment = SerialNumber(1 << 120), datetime(2026, 1, 1, tzinfo=UTC)
    for other in others:
        maker, new = CertificateMaker(TEST_POLICY_OID), CertificateMaker(TEST_POLICY_OID)
        orders = [
            CertificateOrder(CertificateKind.DEVICE, None, subject, issuer, KEY, serial)
            for subject in (ordinary, other)
        ]
        maker.make(orders[0], moment)
        with pytest.raises(NotConformant) as expected:
            new.make(orders[1], moment)
        with pytest.raises(NotConformant) as found:
            maker.make(orders[1], moment)
        assert found.value.problems == expected.value.problems


def test_authorities_are_no_templates(issued: list[Certificate]) -> None:
    assert CertificateTemplate.of(read_certificate(issued[0].der)) is None


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
