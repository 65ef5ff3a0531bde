"""DER, read leniently and written strictly (ITU-T X.690).

A reader of our own is needed because the lint must see what other readers hide or reject: lengths that are not minimal,
bytes after the end, unexpected algorithm parameters. Reading is lazy and takes a few microseconds per certificate.
Writing has no options, so the output is always DER.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from smki.pki.bounds import MAX_INTEGER_BYTES, MAX_OID_BYTES

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
ENUMERATED = 0x0A
UTF8_STRING = 0x0C
SEQUENCE = 0x30
SET = 0x31
PRINTABLE_STRING = 0x13
TELETEX_STRING = 0x14
IA5_STRING = 0x16
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
BMP_STRING = 0x1E

CONSTRUCTED = 0x20
CONTEXT = 0x80

TAG_NAMES = {
    BOOLEAN: "BOOLEAN",
    INTEGER: "INTEGER",
    BIT_STRING: "BIT STRING",
    OCTET_STRING: "OCTET STRING",
    NULL: "NULL",
    OBJECT_IDENTIFIER: "OBJECT IDENTIFIER",
    ENUMERATED: "ENUMERATED",
    UTF8_STRING: "UTF8String",
    SEQUENCE: "SEQUENCE",
    SET: "SET",
    PRINTABLE_STRING: "PrintableString",
    TELETEX_STRING: "TeletexString",
    IA5_STRING: "IA5String",
    UTC_TIME: "UTCTime",
    GENERALIZED_TIME: "GeneralizedTime",
    BMP_STRING: "BMPString",
}

STRING_TAGS = frozenset({UTF8_STRING, PRINTABLE_STRING, TELETEX_STRING, IA5_STRING, BMP_STRING})


def tag_name(tag: int) -> str:
    """Return the ASN.1 name of an identifier byte, ``[0]`` for a context tag, or its hexadecimal form."""
    if tag in TAG_NAMES:
        return TAG_NAMES[tag]
    if tag & 0xC0 == CONTEXT:
        return f"[{tag & 0x1F}]"
    return f"tag 0x{tag:02X}"


class DerError(Exception):
    """Raised for bytes that cannot be read as a DER (or even definite-length BER) element.

    :ivar code: the code of the corresponding finding.
    :ivar reason: what was found, for people.
    :ivar offset: the offset in the input at which reading stopped.
    """

    code = "structure.unreadable"

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.reason = reason
        self.offset = offset


class IntegerTooLong(DerError):
    """Raised for an INTEGER above :data:`~smki.pki.bounds.MAX_INTEGER_BYTES`."""

    code = "der.integer-too-long"


class TooMany(DerError):
    """Raised for more elements than :mod:`smki.pki.bounds` allows."""

    code = "der.too-many"


class TooLarge(DerError):
    """Raised for an input, or a part of one, with more bytes than :mod:`smki.pki.bounds` allows."""

    code = "der.too-large"


class Node:
    """One element (tag, length, contents) within a larger input.

    :ivar data: the whole input.
    :ivar tag: the identifier byte, including class and constructed bit.
    :ivar start: offset of the identifier byte.
    :ivar body: offset of the first content byte.
    :ivar end: offset after the last content byte.
    """

    __slots__ = ("_children", "body", "data", "end", "start", "tag")

    def __init__(self, data: bytes, tag: int, start: int, body: int, end: int) -> None:
        self.data = data
        self.tag = tag
        self.start = start
        self.body = body
        self.end = end
        self._children: list[Node] | None = None

    @property
    def content(self) -> bytes:
        """The content bytes."""
        return self.data[self.body : self.end]

    @property
    def encoded(self) -> bytes:
        """Identifier, length and content bytes."""
        return self.data[self.start : self.end]

    @property
    def has_minimal_length(self) -> bool:
        """Whether the length is encoded in the fewest bytes (X.690 10.1)."""
        return self.body - self.start == 1 + len(_length_bytes(self.end - self.body))

    def children(self) -> list[Node]:
        """Return the elements inside this constructed one.

        :raises DerError: if the contents are not a sequence of elements.
        """
        if self._children is None:
            data, at, limit = self.data, self.body, self.end
            nodes = []
            while at < limit:
                # The short form handled by read(), repeated here because nearly all elements use it.
                tag = data[at]
                if (
                    at + 1 < limit
                    and (length := data[at + 1]) < 0x80
                    and tag & 0x1F != 0x1F
                    and at + 2 + length <= limit
                ):
                    node = Node(data, tag, at, at + 2, at + 2 + length)
                else:
                    node = read(data, at, limit)
                nodes.append(node)
                at = node.end
            self._children = nodes
        return self._children

    def inner(self) -> Node:
        """Return the single element that forms the contents of this OCTET STRING or explicit tag.

        :raises DerError: if they are not exactly one element.
        """
        node = read(self.data, self.body, self.end)
        if node.end != self.end:
            raise DerError(f"{self.end - node.end} bytes after the {tag_name(node.tag)}", node.end)
        return node

    def __repr__(self) -> str:
        return f"<{tag_name(self.tag)} {self.start}:{self.end}>"


def read(data: bytes, start: int = 0, limit: int | None = None) -> Node:
    """Read the element that begins at *start*, in constant time and without reading inside it.

    :raises DerError: if it is truncated, has an indefinite length, or a tag number above 30.
    """
    if limit is None:
        limit = len(data)
    if start >= limit:
        raise DerError("nothing there", start)
    tag = data[start]
    if tag & 0x1F == 0x1F:
        raise DerError("tag number above 30", start)
    body = start + 2
    if body > limit:
        raise DerError("no length byte", start + 1)
    length = data[start + 1]
    if length > 0x7F:
        if length == 0x80:
            raise DerError("indefinite length, which DER forbids", start + 1)
        body += length & 0x7F
        if body > limit:
            raise DerError("truncated length bytes", start + 1)
        length = int.from_bytes(data[start + 2 : body], "big")
    end = body + length
    if end > limit:
        size = str(length) if length < 1 << 64 else f"2^{length.bit_length() - 1} or more"
        raise DerError(f"{tag_name(tag)} of {size} bytes where only {limit - body} are left", start)
    return Node(data, tag, start, body, end)


def first_children(node: Node, count: int) -> list[Node]:
    """Return the first *count* elements inside a constructed one, ignoring anything after them.

    :raises DerError: if these are not elements.
    """
    children: list[Node] = []
    at = node.body
    while at < node.end and len(children) < count:
        children.append(read(node.data, at, node.end))
        at = children[-1].end
    return children


def decode_integer(node: Node) -> int:
    """Return the value of an INTEGER.

    :raises IntegerTooLong: if it has more than :data:`~smki.pki.bounds.MAX_INTEGER_BYTES` bytes.
    """
    length = node.end - node.body
    if length > MAX_INTEGER_BYTES:
        raise IntegerTooLong(f"an INTEGER of {length} bytes", node.start)
    return int.from_bytes(node.data[node.body : node.end], "big", signed=True)


def decode_oid(content: bytes) -> str:
    """Return the dotted form of the content bytes of an OBJECT IDENTIFIER.

    :raises DerError: if they are empty, truncated or not minimal (X.690 8.19).
    """
    return _decode_oid(content)


@lru_cache(maxsize=512)
def _decode_oid(content: bytes) -> str:
    if not content or content[-1] & 0x80 or len(content) > MAX_OID_BYTES:
        raise DerError(f"object identifier that is empty, truncated or longer than {MAX_OID_BYTES} bytes", 0)
    arcs = []
    value = 0
    first = True
    for data in content:
        if first and data == 0x80:
            raise DerError("object identifier with a redundant leading byte", 0)
        value = value << 7 | data & 0x7F
        first = not data & 0x80
        if first:
            arcs.append(value)
            value = 0
    top = min(arcs[0] // 40, 2)
    return ".".join(map(str, [top, arcs[0] - 40 * top, *arcs[1:]]))


def decode_time(node: Node) -> datetime:
    """Return the moment (UTC) in a UTCTime or GeneralizedTime in the form of RFC 5280 4.1.2.5: to the second, with Z.

    :raises DerError: for another type or form, or a moment that does not exist.
    """
    text = node.content
    if node.tag == UTC_TIME and len(text) == 13:
        century = b"19" if text[:2] >= b"50" else b"20"
        digits = century + text[:12]
    elif node.tag == GENERALIZED_TIME and len(text) == 15:
        digits = text[:14]
    else:
        raise DerError(f"{tag_name(node.tag)} of {len(text)} bytes", node.start)
    if not digits.isdigit() or text[-1:] != b"Z":
        raise DerError("a time that does not consist of digits followed by Z", node.start)
    d = digits
    year, month, day, hour, minute = int(d[:4]), int(d[4:6]), int(d[6:8]), int(d[8:10]), int(d[10:12])
    try:
        return datetime(year, month, day, hour, minute, int(d[12:]), tzinfo=UTC)
    except ValueError as error:
        raise DerError(f"a time that does not exist: {error}", node.start) from None


def decode_text(node: Node) -> str:
    """Return the text of a string element (UTF8String, PrintableString, IA5String, TeletexString, BMPString).

    :raises DerError: if the bytes are not in the type's character set.
    """
    if node.tag not in STRING_TAGS:
        raise DerError(f"{tag_name(node.tag)} is not a string", node.start)
    encoding = {UTF8_STRING: "utf-8", BMP_STRING: "utf-16-be", TELETEX_STRING: "latin-1"}.get(node.tag, "ascii")
    try:
        return node.content.decode(encoding)
    except UnicodeDecodeError:
        raise DerError(f"bytes that are not {tag_name(node.tag)}", node.start) from None


def _length_bytes(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    content_bytes = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(content_bytes),)) + content_bytes


def element(tag: int, *contents: bytes) -> bytes:
    """Return an element with the given identifier byte and the concatenated contents."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    return bytes((tag,)) + _length_bytes(length) + content


def sequence(*contents: bytes) -> bytes:
    """Return a SEQUENCE of encoded elements."""
    return element(SEQUENCE, *contents)


def set_of(*contents: bytes) -> bytes:
    """Return a SET OF with its members in ascending order, as DER requires (X.690 11.6)."""
    return element(SET, *sorted(contents))


def explicit(number: int, *contents: bytes) -> bytes:
    """Return encoded elements in an explicit (constructed) context tag."""
    return element(CONTEXT | CONSTRUCTED | number, *contents)


def integer(value: int) -> bytes:
    """Return an INTEGER in the fewest bytes."""
    return element(INTEGER, integer_content(value))


def integer_content(value: int) -> bytes:
    """Return the content bytes of an INTEGER: two's complement in the fewest bytes (X.690 8.3)."""
    return value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)


def boolean(value: bool) -> bytes:
    """Return a BOOLEAN: 0xFF for true (X.690 11.1)."""
    return element(BOOLEAN, b"\xff" if value else b"\x00")


def octet_string(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return element(OCTET_STRING, content)


def bit_string(content: bytes, unused_bits: int = 0) -> bytes:
    """Return a BIT STRING whose last *unused_bits* bits are unused."""
    return element(BIT_STRING, bytes((unused_bits,)), content)


@lru_cache(maxsize=256)
def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER given its dotted form.

    :raises ValueError: if the text is not one.
    """
    arcs = [int(arc) for arc in dotted.split(".")]
    if len(arcs) < 2 or arcs[0] > 2 or min(arcs) < 0 or (arcs[0] < 2 and arcs[1] > 39):
        raise ValueError(f"{dotted!r} is not an object identifier")
    content = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(septets))
    return element(OBJECT_IDENTIFIER, bytes(content))


def utf8_string(text: str) -> bytes:
    """Return a UTF8String."""
    return element(UTF8_STRING, text.encode())


def printable_string(text: str) -> bytes:
    """Return a PrintableString.

    :raises ValueError: if *text* has a character outside X.680 41.4.
    """
    if not is_printable(text):
        raise ValueError(f"{text!r} has characters that a PrintableString cannot hold")
    return element(PRINTABLE_STRING, text.encode("ascii"))


_PRINTABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")


def is_printable(text: str) -> bool:
    """Return whether a PrintableString can contain *text* (X.680 41.4)."""
    return _PRINTABLE.issuperset(text)


def time(moment: datetime) -> bytes:
    """Return a Time as in RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050; *moment* in UTC."""
    # Formatted by hand: strftime takes several times as long, and a list has a time in each entry.
    m = moment
    rest = b"%02d%02d%02d%02d%02dZ" % (m.month, m.day, m.hour, m.minute, m.second)
    if m.year < 2050:
        return b"\x17\x0d%02d%b" % (m.year % 100, rest)
    return b"\x18\x0f%04d%b" % (m.year, rest)
