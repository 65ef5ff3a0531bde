"""The ways in which people hand over DER: PEM, base64 with or without line breaks, hexadecimal, or as it is."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from smki.problem import Malformed, Problem

MAX_INPUT_OCTETS = 64 * 1024 * 1024
"""Files above this size are not read: no certificate, request or list comes near it."""

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----(.*?)-----END \1-----", re.DOTALL)
_PEM_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----")
_WHITE_SPACE = re.compile(rb"[\s\xef\xbb\xbf]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}\Z")
_HEXADECIMAL = re.compile(rb"(?:[0-9A-Fa-f]{2})+\Z")


@dataclass(frozen=True, slots=True)
class Piece:
    """One DER object found in an input."""

    label: str
    """The PEM label (``CERTIFICATE REQUEST``); empty where the input had none."""
    der: bytes
    offset: int
    """Where in the input it began, in octets."""


def unarmour(data: bytes, name: str = "input") -> list[Piece]:
    """Every DER object in *data*: each PEM block, or the one object in base64, hexadecimal or DER.

    :param name: what to call the input in an error.
    :raises Malformed: when it is empty, too large, or in none of these forms.
    """
    if not data.strip():
        raise Malformed(Problem("input.empty", name, "nothing in it", "PEM, base64, hexadecimal or DER"))
    if len(data) > MAX_INPUT_OCTETS:
        raise Malformed(Problem("input.too-large", name, f"{len(data)} octets", f"at most {MAX_INPUT_OCTETS} octets"))
    if data[0] == 0x30 and not _BASE64.match(squeezed := _WHITE_SPACE.sub(b"", data)):
        return [Piece("", data, 0)]
    if _PEM_BEGIN.search(data):
        return list(_pem_blocks(data, name))
    squeezed = _WHITE_SPACE.sub(b"", data)
    if _HEXADECIMAL.match(squeezed) and squeezed[:2] == b"30":
        return [Piece("", bytes.fromhex(squeezed.decode("ascii")), 0)]
    if _BASE64.match(squeezed) and squeezed[:1] == b"M":  # base64 of a SEQUENCE always begins so
        return [Piece("", _decode_base64(squeezed, name), 0)]
    if squeezed[:1] == b"-" or data.isascii():
        raise Malformed(
            Problem(
                "input.not-encoded",
                name,
                f"text that begins {data[:32].decode('ascii', 'replace')!r}",
                "PEM, base64, hexadecimal or DER",
                "RFC 7468",
            )
        )
    return [Piece("", data, 0)]


def _pem_blocks(data: bytes, name: str) -> Iterator[Piece]:
    found = 0
    for match in _PEM.finditer(data):
        found += 1
        label = match.group(1).decode("ascii")
        body = _WHITE_SPACE.sub(b"", match.group(2))
        yield Piece(label, _decode_base64(body, f"{name}, {label} block {found}"), match.start())
    if found != len(_PEM_BEGIN.findall(data)):
        raise Malformed(
            Problem(
                "input.pem-cut-short",
                name,
                "a BEGIN line without its END line",
                "-----END …----- of the same label",
                "RFC 7468 2",
            )
        )


def _decode_base64(squeezed: bytes, name: str) -> bytes:
    try:
        decoded = base64.b64decode(squeezed, validate=True)
    except binascii.Error as error:
        decoded = b""
        seen = f"{len(squeezed)} characters: {error}"
    else:
        seen = "nothing"
    if not decoded:
        raise Malformed(Problem("input.base64", name, seen, "base64 of DER", "RFC 4648 4"))
    return decoded
