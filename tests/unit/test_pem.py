"""Every way in which people hand over DER."""

import base64
import contextlib
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smki.pki import der
from smki.pki.pem import decode_input
from smki.problem import Malformed

DATA = der.sequence(der.octet_string(bytes(range(200))), der.integer(5))
BASE64 = base64.b64encode(DATA).decode()


def pem(label: str, width: int, newline: str) -> str:
    return newline.join([f"-----BEGIN {label}-----", *textwrap.wrap(BASE64, width), f"-----END {label}-----", ""])


FORMS = {
    "der": DATA,
    "base64 in one line": BASE64.encode(),
    "base64 with a newline": BASE64.encode() + b"\n",
    "base64 at 64": "\n".join(textwrap.wrap(BASE64, 64)).encode(),
    "base64 at 76, CRLF": "\r\n".join(textwrap.wrap(BASE64, 76)).encode(),
    "hexadecimal": DATA.hex().encode(),
    "hexadecimal in lines": "\n".join(textwrap.wrap(DATA.hex().upper(), 32)).encode(),
    "pem": pem("CERTIFICATE REQUEST", 64, "\n").encode(),
    "pem, NEW, CRLF": pem("NEW CERTIFICATE REQUEST", 76, "\r\n").encode(),
    "pem in one line": f"-----BEGIN CERTIFICATE REQUEST-----{BASE64}-----END CERTIFICATE REQUEST-----".encode(),
    "pem with a byte order mark": b"\xef\xbb\xbf" + pem("CERTIFICATE REQUEST", 64, "\n").encode(),
    "pem with text around": b"Subject: x\n" + pem("CERTIFICATE", 64, "\n").encode() + b"bye\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form(form: str) -> None:
    (piece,) = decode_input(FORMS[form])
    assert piece.der == DATA


def test_several_in_one_file() -> None:
    pieces = decode_input((pem("CERTIFICATE", 64, "\n") + pem("X509 CRL", 64, "\n")).encode())
    assert [(piece.label, piece.der) for piece in pieces] == [("CERTIFICATE", DATA), ("X509 CRL", DATA)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "input.empty"),
        (b" \n", "input.empty"),
        (b"hello, world", "input.not-encoded"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n", "input.pem-cut-short"),
        (b"-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n", "input.base64"),
        (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "input.base64"),
        (b"MIIBEzCBugIBA===", "input.not-encoded"),
        (b"MIIBEzCBugIBA", "input.base64"),
    ],
)
def test_what_is_in_none_of_these_forms(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode_input(data, "meter.csr")
    assert caught.value.code == code
    assert caught.value.problems[0].subject.startswith("meter.csr")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_taken_or_refused(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert all(piece.der for piece in decode_input(data))


@given(st.binary(min_size=1, max_size=400))
def test_der_is_never_mistaken_for_text(content: bytes) -> None:
    data = der.sequence(der.octet_string(content))
    assert [piece.der for piece in decode_input(data)] == [data]
