"""Our DER against asn1crypto's, and against bytes that are not DER at all."""

from datetime import UTC, datetime

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from smki.pki import der
from smki.pki.der import DerError, Node


@given(st.integers(-(1 << 200), 1 << 200))
def test_integers(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()


@given(st.binary(max_size=70_000))
def test_lengths(content: bytes) -> None:
    encoded = der.octet_string(content)
    assert encoded == core.OctetString(content).dump()
    node = der.read(encoded + b"more")
    assert (node.content, node.encoded, node.has_minimal_length) == (content, encoded, True)


arcs = st.integers(0, 1 << 70)


@given(
    st.one_of(st.tuples(st.integers(0, 1), st.integers(0, 39)), st.tuples(st.just(2), arcs)), st.lists(arcs, max_size=5)
)
def test_object_identifiers(first: tuple[int, int], rest: list[int]) -> None:
    dotted = ".".join(map(str, [*first, *rest]))
    encoded = der.oid(dotted)
    assert encoded == core.ObjectIdentifier(dotted).dump()
    assert der.decode_oid(der.read(encoded).content) == dotted


@pytest.mark.parametrize("content", ["", "80", "8001", "2a80", "2a8001", "2a86"])
def test_malformed_object_identifiers(content: str) -> None:
    with pytest.raises(DerError):
        der.decode_oid(bytes.fromhex(content))


@given(st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31, 23, 59, 59)))
def test_times(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    encoded = der.time(moment)
    theirs = core.UTCTime if moment.year < 2050 else core.GeneralizedTime
    assert encoded == theirs(moment).dump()
    assert der.decode_time(der.read(encoded)) == moment


@pytest.mark.parametrize(
    "encoded",
    [
        b"\x17\x0b2611210830Z",
        b"\x17\x11261121083000+0000",
        b"\x17\x0d261321083000Z",
        b"\x17\x0d260230083000Z",
        b"\x18\x0d202611210830Z",
        b"\x18\x1120261121083000.5Z",
        b"\x18\x0f20261121083000z",
        b"\x04\x0d261121083000Z",
        b"\x17\x0d2611210830 0Z",
    ],
)
def test_times_that_are_none(encoded: bytes) -> None:
    with pytest.raises(DerError):
        der.decode_time(der.read(encoded))


def test_the_century_of_a_utc_time() -> None:
    assert der.decode_time(der.read(b"\x17\x0d491231235959Z")).year == 2049
    assert der.decode_time(der.read(b"\x17\x0d500101000000Z")).year == 1950


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("", "nothing there"),
        ("30", "no length byte"),
        ("3082", "truncated length bytes"),
        ("3080", "indefinite length"),
        ("3003", "3 bytes where only 0"),
        ("1f8101", "tag number above 30"),
        ("30ffff", "truncated length bytes"),
        ("0484ffffffff00", "4294967295 bytes where only 1"),
    ],
)
def test_bytes_that_cannot_be_read(encoded: str, reason: str) -> None:
    with pytest.raises(DerError, match=reason):
        der.read(bytes.fromhex(encoded))


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    stack = []
    try:
        stack.append(der.read(data))
        while stack:
            node = stack.pop()
            assert node.data[node.start : node.end] == node.encoded
            if node.tag & der.CONSTRUCTED:
                children = node.children()
                assert b"".join(child.encoded for child in children) == node.content
                stack += children
    except DerError as error:
        assert 0 <= error.offset <= len(data)


def test_lengths_longer_than_need_be_are_seen() -> None:
    assert not der.read(bytes.fromhex("0481020001")).has_minimal_length
    assert not der.read(bytes.fromhex("04820002aabb")).has_minimal_length


def test_sets_are_sorted() -> None:
    assert der.set_of(b"\x02\x01\x05", b"\x02\x01\x03") == bytes.fromhex("3106020103020105")


def test_text_in_every_string_type() -> None:
    def text(tag: int, content: bytes) -> str:
        return der.decode_text(Node(content, tag, 0, 0, len(content)))

    assert text(der.UTF8_STRING, "é".encode()) == text(der.BMP_STRING, b"\0\xe9") == text(der.TELETEX_STRING, b"\xe9")
    for tag, content in ((der.UTF8_STRING, b"\xff"), (der.PRINTABLE_STRING, b"\xe9"), (der.INTEGER, b"1")):
        with pytest.raises(DerError):
            text(tag, content)
    with pytest.raises(ValueError, match="PrintableString"):
        der.printable_string("a@b")
