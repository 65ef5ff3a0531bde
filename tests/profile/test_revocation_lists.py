"""Revocation lists: built, read, and read the fast way as the slow way."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki import SerialNumber, SmkiError, lint
from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.revocation_entry import RevocationReason, RevokedEntry, encode_entries, raw_entries, reason_of
from smki.pki.revocation_list import RevocationList
from smki.profile import IssuerFacts
from smki.profile.build_list import ListContents, build_tbs_list
from smki.profile.clearance import AlreadySigned, Cleared, ClearedList, NotConformant, clear_list_for_signature
from smki.profile.forms import RevocationListProfile
from smki.profile.tables import LIST_PROFILES, ORGANISATION_CRL
from smki.testing.defects import Base
from tests.profile.support import PKI, codes

SINCE = datetime(2026, 7, 1, tzinfo=UTC)
ALLOWED = [reason for reason in RevocationReason if reason not in (0, 8)]

entries_strategy = st.lists(
    st.builds(
        RevokedEntry,
        st.integers(1, (1 << 127) - 1).map(SerialNumber) | st.integers(1 << 119, (1 << 127) - 1).map(SerialNumber),
        st.datetimes(datetime(1950, 1, 1), datetime(2026, 7, 1)).map(
            lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
        ),
        st.sampled_from([None, *ALLOWED]),
    ),
    max_size=8,
    unique_by=lambda entry: entry.serial_number,
)


def contents(entries: list[RevokedEntry], number: int = 7) -> ListContents:
    return ListContents(
        PKI.name(Base.ISSUING_OCA), bytes(8), number, SINCE, SINCE + timedelta(hours=48), encode_entries(entries)
    )


def signed(tbs: bytes) -> bytes:
    from smki.pki.x509 import ECDSA_WITH_SHA256_ALGORITHM
    from smki.testing.defects.signer import sign

    signature = sign(PKI.key("issuing-oca"), tbs, ECDSA_WITH_SHA256_ALGORITHM)
    return der.sequence(tbs, ECDSA_WITH_SHA256_ALGORITHM, der.bit_string(signature))


@given(entries_strategy, st.integers(0, (1 << 159) - 1))
@settings(max_examples=150, deadline=None)
def test_what_is_built_is_read_and_is_without_fault(entries: list[RevokedEntry], number: int) -> None:
    encoded = signed(build_tbs_list(ORGANISATION_CRL, contents(entries, number)))
    read = RevocationList.from_der(encoded)
    assert list(read.entries()) == entries
    assert len(read) == len(entries)
    assert read.number == number
    assert (read.this_update, read.next_update) == (SINCE, SINCE + timedelta(hours=48))
    for entry in entries:
        assert entry.serial_number in read
        assert read.entry(entry.serial_number) == entry
    assert read.entry(SerialNumber(1 << 130)) is None
    assert lint(encoded) == []


@given(entries_strategy)
@settings(max_examples=100, deadline=None)
def test_the_usual_entries_are_read_as_any_other(entries: list[RevokedEntry]) -> None:
    """Whatever the size of its serial number and the form of its date, it goes the fast way; both see the same."""
    node = der.read(der.sequence(encode_entries(entries)))
    usual = list(raw_entries(node))
    assert len(usual) == len(entries)
    for raw, element, entry in zip(usual, node.children(), entries, strict=True):
        parts = element.children()
        assert raw.node is None
        assert (raw.serial_number, raw.time) == (parts[0].content, parts[1].content)
        assert reason_of(raw.reason) == entry.reason
        assert raw.start == element.start


def test_a_hundred_thousand_entries() -> None:
    entries = [
        RevokedEntry(SerialNumber((1 << 126) + number), SINCE - timedelta(seconds=number), RevocationReason.SUPERSEDED)
        for number in range(100_000)
    ]
    began = time.perf_counter()
    tbs = build_tbs_list(ORGANISATION_CRL, contents(entries))
    built = time.perf_counter()
    clear_list_for_signature(tbs, ORGANISATION_CRL, IssuerFacts())
    cleared = time.perf_counter()
    read = RevocationList.from_der(signed(tbs))
    assert len(read) == 100_000
    found = time.perf_counter()
    assert sum(SerialNumber((1 << 126) + number) in read for number in range(0, 200_000, 2)) == 50_000
    looked_up = time.perf_counter()
    # Generous, for slow machines: each takes a tenth of a second here, and growth with the square would take minutes.
    assert built - began < 2
    assert cleared - built < 3
    assert looked_up - found < 2


def test_a_list_that_breaks_its_profile_is_not_cleared() -> None:
    entry = RevokedEntry(SerialNumber(1 << 126), SINCE)
    good = contents([entry])
    tbs = build_tbs_list(ORGANISATION_CRL, good)
    issuer = IssuerFacts(name=PKI.name(Base.ISSUING_OCA), key_identifier=bytes(8))
    cleared = clear_list_for_signature(tbs, ORGANISATION_CRL, issuer)
    assert cleared.redeem() == tbs
    with pytest.raises(AlreadySigned):
        cleared.redeem()
    twice = build_tbs_list(ORGANISATION_CRL, contents([entry, entry]))
    unspecified = RevokedEntry(SerialNumber(5), SINCE, RevocationReason.REMOVE_FROM_CRL)
    for broken in (tbs[:-1], tbs + b"\0", twice, build_tbs_list(ORGANISATION_CRL, contents([unspecified]))):
        with pytest.raises(NotConformant):
            clear_list_for_signature(broken, ORGANISATION_CRL, issuer)
    with pytest.raises(NotConformant, match=r"issuer\.mismatch"):
        clear_list_for_signature(tbs, ORGANISATION_CRL, IssuerFacts(name=PKI.name(Base.ROOT_OCA)))
    for maker in (Cleared, ClearedList):
        with pytest.raises(TypeError):
            maker(tbs, object())


@pytest.mark.parametrize("profile", LIST_PROFILES.values(), ids=list(LIST_PROFILES))
def test_kind_and_issuer_are_told(profile: RevocationListProfile) -> None:
    encoded = PKI.good_bytes(Base(profile.name))
    (other,) = set(LIST_PROFILES) - {profile.name}
    assert codes(lint(encoded, kind=other)) == {"kind.unexpected"}
    assert lint(encoded, kind=profile.name) == []
    stranger = Certificate.from_der(PKI.good_bytes(Base.ISSUING_DCA))
    assert {"issuer.mismatch", "signature.does-not-verify"} <= codes(lint(encoded, issuer=stranger))


def test_what_cannot_be_read_is_said() -> None:
    encoded = PKI.good_bytes(Base.CRL)
    for broken in (b"", b"\x30\x00", encoded[:-1], encoded + b"\0", PKI.good_bytes(Base.DEVICE)):
        with pytest.raises(SmkiError) as caught:
            RevocationList.from_der(broken)
        assert caught.value.problems[0].code.startswith(("structure.", "der."))


def test_it_knows_its_signer() -> None:
    read = RevocationList.from_der(PKI.good_bytes(Base.CRL))
    assert read.is_signed_by(PKI.point("issuing-oca"))
    assert not read.is_signed_by(PKI.point("root-oca"))
    assert [reason.label for reason in (RevocationReason.KEY_COMPROMISE, RevocationReason.CA_COMPROMISE)] == [
        "keyCompromise",
        "cACompromise",
    ]
