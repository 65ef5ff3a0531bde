"""Any one byte of a good one changed: it is read without an exception, and found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smki import Certificate, lint
from smki.pki import der
from smki.pki.der import Node
from smki.problem import errors_among
from smki.testing.defects import Base
from smki.testing.defects.edits import body, instead
from tests.profile.support import PKI, golden, golden_issuer

SIGNED = {
    **{name: (content_bytes, golden_issuer(content_bytes)) for name, content_bytes in golden().items()},
    **{
        base.value: (
            PKI.good_bytes(base),
            Certificate.from_der(PKI.good_bytes(base.issuer)) if base.issuer else None,
        )
        for base in (Base.CRL, Base.ARL, Base.DEVICE_REQUEST, Base.ORGANISATION_REQUEST)
    },
}
EXHAUSTIVE = ("device-ds", "organisation-crl", "device-request")


def changed(content_bytes: bytes, at: int, value: int) -> bytes:
    return content_bytes[:at] + bytes((value,)) + content_bytes[at + 1 :]


@given(name=st.sampled_from(sorted(SIGNED)), where=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
@example(name="device-ds", where=0.0, bits=1)
@settings(max_examples=600, deadline=None)
def test_with_the_issuer_every_change_is_found(name: str, where: float, bits: int) -> None:
    content_bytes, issuer = SIGNED[name]
    at = int(where * len(content_bytes))
    findings = lint(changed(content_bytes, at, content_bytes[at] ^ bits), issuer=issuer)
    assert errors_among(findings), (name, at, bits)


@pytest.mark.parametrize("name", EXHAUSTIVE)
def test_every_single_place(name: str) -> None:
    """The lowest and the highest bit of every byte, one after the other."""
    content_bytes, issuer = SIGNED[name]
    for at in range(len(content_bytes)):
        for bit in (0x01, 0x80):
            findings = lint(changed(content_bytes, at, content_bytes[at] ^ bit), issuer=issuer)
            assert errors_among(findings), (name, at, bit)


@given(name=st.sampled_from(sorted(SIGNED)), data=st.data())
@settings(max_examples=300, deadline=None)
def test_bytes_cut_out_and_put_in_are_found(name: str, data: st.DataObject) -> None:
    content_bytes, issuer = SIGNED[name]
    start = data.draw(st.integers(0, len(content_bytes) - 1))
    end = data.draw(st.integers(start, min(len(content_bytes), start + 12)))
    filling = data.draw(st.binary(max_size=12))
    other = content_bytes[:start] + filling + content_bytes[end:]
    if other != content_bytes:
        assert errors_among(lint(other, issuer=issuer)), (start, end, filling)


@given(name=st.sampled_from(sorted(SIGNED)), where=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_without_the_issuer_it_is_read_all_the_same(name: str, where: float, bits: int) -> None:
    """And what is found beside a value of no fixed form (a serial number, say) is in the catalogue's words."""
    content_bytes, _ = SIGNED[name]
    at = int(where * len(content_bytes))
    for finding in lint(changed(content_bytes, at, content_bytes[at] ^ bits)):
        assert finding.location
        assert finding.seen
        assert finding.expected
        assert finding.clause


def headers(node: Node) -> Iterator[int]:
    """The offsets of every identifier and length byte, also inside extension values and signed strings."""
    yield from range(node.start, node.body)
    if node.tag & der.CONSTRUCTED:
        for child in node.children():
            yield from headers(child)
    elif node.tag == der.OCTET_STRING:
        try:
            inner = node.inner()
            if inner.tag not in der.TAG_NAMES:
                return
            inside = list(headers(inner))
        except der.DerError:
            return
        yield from inside


@pytest.mark.parametrize("base", Base)
def test_no_type_and_no_length_can_be_another(base: Base) -> None:
    """Changed before it is signed, so that the signature is right: the lint alone has to find it."""
    parts = PKI.good(base)
    signed = parts.body()
    issuer = Certificate.from_der(PKI.good_bytes(base.issuer)) if base.issuer else None
    count = 0
    for at in headers(der.read(signed)):
        for bit in range(8):
            other = changed(signed, at, signed[at] ^ 1 << bit)
            content_bytes = body(instead(other))(parts, PKI).encoded()
            assert errors_among(lint(content_bytes, issuer=issuer)), (at, bit, signed[at : at + 8].hex())
            count += 1
    assert count > 300
