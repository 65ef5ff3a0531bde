"""Input that is rubbish, or meant to hurt: an answer in bounded time and memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki import lint
from smki.pki import der
from smki.pki.bounds import MAX_BYTES
from smki.pki.pem import read_pieces
from smki.pki.revocation_entry import encode_entries
from smki.problem import Severity, errors_among
from smki.profile.detect import split
from smki.profile.lint import lint_any
from smki.testing.defects import Base
from smki.testing.defects.edits import put
from tests.profile.support import PKI, codes, golden

SECONDS, MEGABYTES = 5.0, 200


def nested(depth: int, tag: int = der.SEQUENCE, core: bytes = b"") -> bytes:
    data = core
    for _ in range(depth):
        data = der.element(tag, data)
    return data


def in_extension(value: bytes) -> bytes:
    """A good certificate with that as the contents of a further extension (its signature right)."""
    from smki.testing.defects.edits import added

    data: bytes = added("1.2.3.4", value)(PKI.good(Base.DEVICE), PKI).encoded()
    return data


def list_of(entries: bytes) -> bytes:
    data: bytes = put(entry_list=der.sequence(entries))(PKI.good(Base.CRL), PKI).encoded()
    return data


GOOD = golden()["device-ds"]
INPUTS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\x30",
    "a megabyte of zero bytes": lambda: bytes(1 << 20),
    "a megabyte of FF": lambda: b"\xff" * (1 << 20),
    "a megabyte of SEQUENCE tags": lambda: b"\x30" * (1 << 20),
    "a SEQUENCE of a megabyte of zero bytes": lambda: der.sequence(bytes(1 << 20)),
    "a SEQUENCE of SEQUENCEs of nothing": lambda: der.sequence(der.sequence(b"\x30\x00" * (1 << 19))),
    "10,000 levels of SEQUENCE": lambda: nested(10_000),
    "10,000 levels of [0]": lambda: nested(10_000, 0xA0),
    "10,000 levels of SET in an extension": lambda: in_extension(nested(10_000, der.SET)),
    "10,000 levels of OCTET STRING in an extension": lambda: in_extension(nested(10_000, 0x24)),
    "a length of 2^64 bytes": lambda: b"\x30\x89" + b"\xff" * 9 + GOOD,
    "a length of 126 bytes of length": lambda: b"\x30\xfe" + b"\xff" * 126 + GOOD,
    "an indefinite length": lambda: b"\x30\x80" + GOOD[4:] + b"\0\0",
    "a length one too long": lambda: GOOD[:3] + bytes((GOOD[3] + 1,)) + GOOD[4:],
    "a length one too short": lambda: GOOD[:3] + bytes((GOOD[3] - 1,)) + GOOD[4:],
    "an inner length one too long": lambda: GOOD[:7] + bytes((GOOD[7] + 1,)) + GOOD[8:],
    "9,000 extensions": lambda: in_extension(b"")[:0] + _many_extensions(),
    "9,000 attributes": lambda: put(subject=der.sequence(*[_attribute(n) for n in range(5_000)]))(
        PKI.good(Base.ORGANISATION), PKI
    ).encoded(),
    "a list of a million empty entries": lambda: list_of(b"\x30\x00" * 1_000_000),
    "a list of a million bad integers": lambda: list_of(
        der.sequence(b"\x02\x02\0\0", der.element(der.UTC_TIME, b"260101000000Z")) * 1_000_000
    ),
    "a list whose entries nest": lambda: list_of(nested(10_000)),
    "a list of 20 MB of zero bytes": lambda: list_of(bytes(20 << 20)),
    "a serial number of 60,000 bytes": lambda: put(serial_number=der.element(der.INTEGER, b"\x7f" * 60_000))(
        PKI.good(Base.DEVICE), PKI
    ).encoded(),
    "an object identifier of 60,000 bytes": lambda: in_extension(der.element(der.OBJECT_IDENTIFIER, b"\x81" * 60_000)),
}


def _many_extensions() -> bytes:
    extension = der.sequence(der.element(der.OBJECT_IDENTIFIER, b"\x80\x80"), b"\x04\x00")
    data: bytes = put(extension_list=der.sequence(extension * 6_000))(PKI.good(Base.DEVICE), PKI).encoded()
    return data


def _attribute(number: int) -> bytes:
    return der.set_of(der.sequence(der.oid(f"2.5.{number % 40}.{number}"), der.utf8_string("")))


@pytest.mark.parametrize("name", INPUTS)
def test_it_is_answered_in_bounded_time_and_memory(name: str) -> None:
    data = INPUTS[name]()
    tracemalloc.start()
    try:
        began = time.perf_counter()
        findings = lint(data)
        took = time.perf_counter() - began
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert errors_among(findings)
    assert took < SECONDS
    assert peak < MEGABYTES << 20
    for finding in findings:
        assert len(finding.seen) < 1_000


def test_deep_nesting_is_found_as_such() -> None:
    for data in (in_extension(nested(10_000, der.SET)), in_extension(nested(10_000, 0x24))):
        assert "der.unreadable" in codes(lint(data))


def test_above_the_bound_nothing_is_taken_apart() -> None:
    padding = MAX_BYTES - len(in_extension(b"\x04\x82\xff\xff"))
    just = in_extension(der.octet_string(bytes(padding - 8)))
    assert len(just) <= MAX_BYTES
    assert codes(lint(just)) == {"extension.unexpected"}
    above = in_extension(der.octet_string(bytes(MAX_BYTES)))
    assert codes(lint(above)) == {"der.too-large"}


def test_a_list_may_be_longer_but_not_around_its_entries() -> None:
    from smki.identity import SerialNumber
    from smki.pki.revocation_entry import RevokedEntry

    before = PKI.today.replace(year=PKI.today.year - 1)
    entries = encode_entries(RevokedEntry(SerialNumber((1 << 126) + number), before) for number in range(10_000))
    assert len(entries) > MAX_BYTES
    assert lint(list_of(entries)) == []
    large = put(after_extensions=der.octet_string(bytes(MAX_BYTES)))(PKI.good(Base.CRL), PKI).encoded()
    assert "der.too-large" in codes(lint(large))


def test_what_is_too_large_is_hardly_looked_at() -> None:
    """As large as an input may be: not taken apart, whatever it begins like."""
    many = der.sequence(b"\x30\x00" * (1 << 24))
    crl = PKI.good_bytes(Base.CRL)
    like_a_list = der.sequence(der.read(crl).content, bytes(1 << 25))
    tracemalloc.start()
    try:
        began = time.perf_counter()
        for data in (many, like_a_list, der.sequence(many)):
            assert errors_among(lint(data))
            assert split(data) == [data]
        took = time.perf_counter() - began
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert took < SECONDS
    assert peak < MEGABYTES << 20


@given(st.binary(max_size=600))
@settings(max_examples=400, deadline=None)
def test_arbitrary_bytes_are_read(data: bytes) -> None:
    findings = lint(data)
    assert errors_among(findings)


@given(st.recursive(st.binary(max_size=8), lambda inner: st.tuples(st.integers(0, 255), st.lists(inner, max_size=4))))
@settings(max_examples=400, deadline=None)
def test_arbitrary_elements_are_read(tree: object) -> None:
    def encoded(node: object) -> bytes:
        if isinstance(node, bytes):
            return node
        assert isinstance(node, tuple)
        tag, children = node
        return der.element(tag, *map(encoded, children))

    data = encoded(tree)
    assert errors_among(lint(data))
    assert errors_among(lint(der.sequence(data, data, data)))
    assert errors_among(lint(der.sequence(der.sequence(data), data, data)))


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_armour_never_fails_in_another_way(data: bytes) -> None:
    for piece in read_pieces(data):
        assert piece


def test_a_thousand_begin_lines_take_no_time() -> None:
    began = time.perf_counter()
    pieces = list(read_pieces(b"-----BEGIN CERTIFICATE-----\n" * 100_000))
    assert len(pieces) == 100_000
    assert time.perf_counter() - began < SECONDS


def test_what_it_is_not_is_said() -> None:
    result = lint_any(bytes(100))
    assert result.kind == "unknown"
    assert result.findings[0].severity is Severity.FATAL
