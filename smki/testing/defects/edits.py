"""How defects are made: small changes to the parts of a good twin, named so that the table reads like a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from smki.pki import der
from smki.pki.x509 import Oid, key_identifier
from smki.testing.defects.cast import Cast
from smki.testing.defects.parts import ExtensionPart, Octets

Edit = Callable[[Any, Cast], Any]
"""From the parts of the good twin to those of the defect."""

Part = bytes | Callable[[Cast], bytes]
"""An encoded element, or how to make it from the cast."""


def _made(part: Part, cast: Cast) -> bytes:
    return part if isinstance(part, bytes) else part(cast)


def put(**fields: Part) -> Edit:
    """Other elements in place of those; empty to leave one out."""
    return lambda parts, cast: replace(parts, **{name: _made(part, cast) for name, part in fields.items()})


def change(change_octets: Octets, *fields: str) -> Edit:
    """The elements there, changed."""
    return lambda parts, cast: replace(parts, **{name: change_octets(getattr(parts, name)) for name in fields})


def body(change_octets: Octets) -> Edit:
    """What is signed, changed before it is signed."""
    return lambda parts, cast: replace(parts, body_edit=change_octets)


def signature(change_octets: Octets) -> Edit:
    """The Ecdsa-Sig-Value changed."""
    return lambda parts, cast: replace(parts, signature_edit=change_octets)


def whole(change_octets: Octets) -> Edit:
    """The whole changed after it was signed."""
    return lambda parts, cast: replace(parts, whole_edit=change_octets)


def signed_by(label: str) -> Edit:
    """Signed by another key."""
    return lambda parts, cast: replace(parts, signer=cast.key(label))


def both(*edits: Edit) -> Edit:
    """Several changes that are one thing together."""

    def edit(parts: Any, cast: Cast) -> Any:
        for each in edits:
            parts = each(parts, cast)
        return parts

    return edit


TRUE, FALSE = der.boolean(True), der.boolean(False)


def extension(
    oid: str, value: Part | None = None, critical: bytes | None = None, change_value: Octets | None = None
) -> Edit:
    """One extension with other contents, or another critical BOOLEAN (empty to leave it out)."""

    def edit(parts: Any, cast: Cast) -> Any:
        def edited(part: ExtensionPart) -> ExtensionPart:
            if part.oid != oid:
                return part
            contents = part.value if value is None else _made(value, cast)
            contents = change_value(contents) if change_value else contents
            return replace(part, value=contents, critical=part.critical if critical is None else critical)

        return replace(parts, extensions=tuple(map(edited, parts.extensions)))

    return edit


def extension_element(oid: str, change_element: Octets) -> Edit:
    """One extension changed as a whole."""

    def edit(parts: Any, cast: Cast) -> Any:
        return replace(
            parts,
            extensions=tuple(
                replace(part, element=change_element(part.encoded())) if part.oid == oid else part
                for part in parts.extensions
            ),
        )

    return edit


def without(oid: str) -> Edit:
    """One extension left out."""
    return lambda parts, cast: replace(parts, extensions=tuple(part for part in parts.extensions if part.oid != oid))


def added(oid: str, value: bytes, *, critical: bool = False) -> Edit:
    """One extension more."""
    part = ExtensionPart(oid, value, TRUE if critical else b"")
    return lambda parts, cast: replace(parts, extensions=(*parts.extensions, part))


def repeated(oid: str) -> Edit:
    """One extension twice."""
    return lambda parts, cast: replace(
        parts, extensions=(*parts.extensions, *(part for part in parts.extensions if part.oid == oid))
    )


def reversed_extensions(parts: Any, cast: Cast) -> Any:
    """The extensions in the opposite order."""
    return replace(parts, extensions=tuple(reversed(parts.extensions)))


def entry(change_entry: Octets) -> Edit:
    """The first entry of a list changed."""
    return lambda parts, cast: replace(parts, entries=(change_entry(parts.entries[0]), *parts.entries[1:]))


def entry_twice(parts: Any, cast: Cast) -> Any:
    """The first entry of a list twice."""
    return replace(parts, entries=(*parts.entries, parts.entries[0]))


def no_entries(parts: Any, cast: Cast) -> Any:
    """An empty revokedCertificates."""
    return replace(parts, entries=(), entry_list=der.sequence())


def subject_key(public_key: Part) -> Edit:
    """Another SubjectPublicKeyInfo, with the subjectKeyIdentifier that belongs to it."""

    def edit(parts: Any, cast: Cast) -> Any:
        info = _made(public_key, cast)
        bits = der.read(info).children()[-1].content[1:]
        parts = replace(parts, public_key=info)
        if any(part.oid == Oid.SUBJECT_KEY_IDENTIFIER for part in parts.extensions):
            identifier = der.octet_string(key_identifier(bits))
            parts = extension(Oid.SUBJECT_KEY_IDENTIFIER, identifier)(parts, cast)
        return parts

    return edit


def issued_by(name: Part, label: str) -> Edit:
    """Another issuer: its name, its key and the key identifier that belongs to it."""

    def edit(parts: Any, cast: Cast) -> Any:
        identifier = der.sequence(der.element(0x80, key_identifier(cast.point(label))))
        parts = replace(parts, issuer=_made(name, cast), signer=cast.key(label))
        return extension(Oid.AUTHORITY_KEY_IDENTIFIER, identifier)(parts, cast)

    return edit


def moment(days: int = 0, hours: int = 0) -> Callable[[Cast], datetime]:
    """So long after the day of the cast's moment began (before it where negative)."""
    return lambda cast: cast.today + timedelta(days=days, hours=hours)


def time(days: int = 0, hours: int = 0) -> Callable[[Cast], bytes]:
    """That moment as a Time."""
    return lambda cast: der.time(moment(days, hours)(cast))


# Octets


def long_length(element: bytes) -> bytes:
    """The element with a length octet more than need be."""
    node = der.read(element)
    size = node.end - node.body
    octets = size.to_bytes(max(1, (size.bit_length() + 7) // 8) + (size > 0x7F), "big")
    return bytes((element[0], 0x80 | len(octets))) + octets + element[node.body :]


def within(path: tuple[int, ...], change_octets: Octets) -> Octets:
    """A change of the element at that place: the number of the child at each level."""

    def change_element(element: bytes) -> bytes:
        if not path:
            return change_octets(element)
        node = der.read(element)
        children = [child.encoded for child in node.children()]
        children[path[0]] = within(path[1:], change_octets)(children[path[0]])
        return der.element(element[0], *children)

    return change_element


def retagged(tag: int) -> Octets:
    """The same contents under another tag."""
    return lambda element: bytes((tag,)) + element[1:]


def padded(element: bytes) -> bytes:
    """An INTEGER with a needless nought octet in front."""
    return der.element(element[0], b"\0", der.read(element).content)


def appended(octets: bytes) -> Octets:
    """Octets after the end."""
    return lambda element: element + octets


def also(*others: bytes) -> Octets:
    """Further elements inside, behind those there."""
    return lambda element: der.element(element[0], der.read(element).content, *others)


def cut(count: int) -> Octets:
    """The last octets cut off."""
    return lambda element: element[:-count]


def flipped(element: bytes) -> bytes:
    """The last bit flipped."""
    return element[:-1] + bytes((element[-1] ^ 1,))


def only(*numbers: int) -> Octets:
    """Of the elements inside only those, in that order."""

    def change_element(element: bytes) -> bytes:
        children = der.read(element).children()
        return der.element(element[0], *(children[number].encoded for number in numbers))

    return change_element


def instead(octets: bytes) -> Octets:
    """Something else altogether."""
    return lambda element: octets


def as_generalized(element: bytes) -> bytes:
    """The moment of a UTCTime as a GeneralizedTime, though it is before 2050."""
    return der.element(der.GENERALIZED_TIME, b"20", der.read(element).content)


def without_seconds(element: bytes) -> bytes:
    """A UTCTime without its seconds."""
    return der.element(der.UTC_TIME, der.read(element).content[:10], b"Z")
