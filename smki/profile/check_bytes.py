"""Checks of the encoding: whether an input is DER throughout (X.690 8 to 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from smki.pki import der
from smki.pki.bounds import MAX_BYTES, MAX_DEPTH, MAX_INTEGER_BYTES
from smki.pki.der import DerError, Node
from smki.pki.x509 import ExtensionNode, StructureFault
from smki.profile.catalogue import Report
from smki.profile.locate import Locate

_CONSTRUCTED_STRINGS = frozenset(
    tag | der.CONSTRUCTED
    for tag in (*der.STRING_TAGS, der.BIT_STRING, der.OCTET_STRING, der.UTC_TIME, der.GENERALIZED_TIME)
)


def check_size(report: Report, data: bytes, location: str) -> bool:
    """Report an input that is too large to parse; return whether its size is acceptable."""
    return check_length(report, len(data), location)


def check_length(report: Report, length: int, location: str) -> bool:
    """Report an input of too many bytes to parse; return whether their number is acceptable."""
    if length > MAX_BYTES:
        report("der.too-large", location, f"{length} bytes")
        return False
    return True


def report_faults(report: Report, faults: Iterable[StructureFault]) -> None:
    """Report the faults that prevented parts of a structure from being read."""
    for fault in faults:
        report(fault.code, fault.location, fault.seen, fault.expected)


def check_extension_bytes(report: Report, extensions: Iterable[ExtensionNode], locate: Locate) -> None:
    """Check the encoding of the contents of every extension."""
    for extension in extensions:
        try:
            inner = extension.value.inner()
        except DerError:
            continue  # reported by the check of that extension
        check_bytes(report, inner, locate)


def check_bytes(report: Report, root: Node, locate: Locate, skip: Node | None = None) -> None:
    """Check every element below *root*, without recursion, and report what is not DER.

    :param skip: an element to leave out.
    """
    stack: list[tuple[Node, int]] = [(root, 0)]
    skipped = skip.start if skip is not None else -1
    pop, data = stack.pop, root.data
    while stack:
        node, depth = pop()
        tag, body = node.tag, node.body
        if body - node.start > 2 and not node.has_minimal_length:
            report("der.length-not-minimal", locate(node.start), data[node.start : body].hex())
        if tag & der.CONSTRUCTED:
            if node.start == skipped:
                continue
            if depth == MAX_DEPTH:
                report("der.unreadable", locate(node.start), f"nested deeper than {MAX_DEPTH} levels")
                continue
            try:
                children = node.children()
            except DerError as error:
                report("der.unreadable", locate(node.start), str(error))
                continue
            for child in children:
                stack.append((child, depth + 1))
            if tag == der.SET and len(children) > 1:
                check_set(report, node, locate)
            elif tag in _CONSTRUCTED_STRINGS:
                report(
                    "der.constructed-string", locate(node.start), f"constructed {der.tag_name(tag & ~der.CONSTRUCTED)}"
                )
        elif tag in _PRIMITIVE_CHECKS:
            _PRIMITIVE_CHECKS[tag](report, node, locate)


def check_set(report: Report, node: Node, locate: Locate) -> None:
    """Report a SET OF whose members are not in ascending order."""
    try:
        encodings = [child.encoded for child in node.children()]
    except DerError:
        return  # reported when its elements are checked
    if encodings != sorted(encodings):
        report("der.set-order", locate(node.start), f"{len(encodings)} members out of order")


def _check_integer(report: Report, node: Node, locate: Locate) -> None:
    data, body = node.data, node.body
    length = node.end - body
    if length == 0:
        report("der.integer-not-minimal", locate(node.start), "no bytes", "at least one byte")
    elif length > 1 and (
        (data[body] == 0 and data[body + 1] < 0x80) or (data[body] == 0xFF and data[body + 1] >= 0x80)
    ):
        report("der.integer-not-minimal", locate(node.start), f"{length} bytes beginning {data[body : body + 2].hex()}")
    if length > MAX_INTEGER_BYTES:
        report("der.integer-too-long", locate(node.start), f"{length} bytes")


def _check_boolean(report: Report, node: Node, locate: Locate) -> None:
    if node.content not in (b"\xff", b"\x00"):
        report("der.boolean-not-canonical", locate(node.start), node.content.hex() or "no bytes")


def _check_bit_string(report: Report, node: Node, locate: Locate) -> None:
    data, body, end = node.data, node.body, node.end
    if body == end:
        report("der.bit-string", locate(node.start), "no bytes")
        return
    unused = data[body]
    if unused and (unused > 7 or end - body < 2 or data[end - 1] & (1 << unused) - 1):
        report("der.bit-string", locate(node.start), f"{unused} unused bits, last byte {data[end - 1]:02x}")


def _check_object_identifier(report: Report, node: Node, locate: Locate) -> None:
    try:
        der.decode_oid(node.content)
    except DerError as error:
        report("der.object-identifier", locate(node.start), error.reason)


_PRIMITIVE_CHECKS: dict[int, Callable[[Report, Node, Locate], None]] = {
    der.INTEGER: _check_integer,
    der.BOOLEAN: _check_boolean,
    der.BIT_STRING: _check_bit_string,
    der.OBJECT_IDENTIFIER: _check_object_identifier,
}
