"""Small changes to the parts of a valid certificate, request or list, named so that the tables read like a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.x509 import encode_public_key, key_identifier
from smki.testing.defects.parts import BytesEdit, ExtensionPart
from smki.testing.defects.sample_pki import Edit, SamplePki

Part = bytes | Callable[[SamplePki], bytes]
"""An encoded element, or a function that encodes it."""


def _made(part: Part, pki: SamplePki) -> bytes:
    return part if isinstance(part, bytes) else part(pki)


def put(**fields: Part) -> Edit:
    """Replace these elements; empty bytes leave one out."""
    return lambda parts, pki: replace(parts, **{name: _made(part, pki) for name, part in fields.items()})


def change(change_bytes: BytesEdit, *fields: str) -> Edit:
    """Change these elements."""
    return lambda parts, pki: replace(parts, **{name: change_bytes(getattr(parts, name)) for name in fields})


def body(change_bytes: BytesEdit) -> Edit:
    """Change what is signed, before it is signed."""
    return lambda parts, pki: replace(parts, body_edit=change_bytes)


def signature(change_bytes: BytesEdit) -> Edit:
    """Change the Ecdsa-Sig-Value."""
    return lambda parts, pki: replace(parts, signature_edit=change_bytes)


def whole(change_bytes: BytesEdit) -> Edit:
    """Change the whole after it was signed."""
    return lambda parts, pki: replace(parts, whole_edit=change_bytes)


def signed_by(label: str) -> Edit:
    """Sign with the key of that label."""
    return lambda parts, pki: replace(parts, signer=pki.key(label))


def both(*edits: Edit) -> Edit:
    """Several changes that together are one defect."""

    def edit(parts: Any, pki: SamplePki) -> Any:
        for each in edits:
            parts = each(parts, pki)
        return parts

    return edit


TRUE, FALSE = der.boolean(True), der.boolean(False)


def extension(
    oid: str, value: Part | None = None, critical: bytes | None = None, change_value: BytesEdit | None = None
) -> Edit:
    """Give one extension other contents, or another critical BOOLEAN (empty to leave it out)."""

    def edit(parts: Any, pki: SamplePki) -> Any:
        def edited(part: ExtensionPart) -> ExtensionPart:
            if part.oid != oid:
                return part
            contents = part.value if value is None else _made(value, pki)
            contents = change_value(contents) if change_value else contents
            return replace(part, value=contents, critical=part.critical if critical is None else critical)

        return replace(parts, extensions=tuple(map(edited, parts.extensions)))

    return edit


def extension_element(oid: str, change_element: BytesEdit) -> Edit:
    """Change one extension as a whole."""

    def edit(parts: Any, pki: SamplePki) -> Any:
        return replace(
            parts,
            extensions=tuple(
                replace(part, element=change_element(part.encoded())) if part.oid == oid else part
                for part in parts.extensions
            ),
        )

    return edit


def without(oid: str) -> Edit:
    """Leave one extension out."""
    return lambda parts, pki: replace(parts, extensions=tuple(part for part in parts.extensions if part.oid != oid))


def added(oid: str, value: bytes, *, critical: bool = False) -> Edit:
    """Add an extension."""
    part = ExtensionPart(oid, value, TRUE if critical else b"")
    return lambda parts, pki: replace(parts, extensions=(*parts.extensions, part))


def repeated(oid: str) -> Edit:
    """Repeat one extension."""
    return lambda parts, pki: replace(
        parts, extensions=(*parts.extensions, *(part for part in parts.extensions if part.oid == oid))
    )


def reversed_extensions(parts: Any, pki: SamplePki) -> Any:
    """Reverse the order of the extensions."""
    return replace(parts, extensions=tuple(reversed(parts.extensions)))


def entry(change_entry: BytesEdit) -> Edit:
    """Change the first entry of a list."""
    return lambda parts, pki: replace(parts, entries=(change_entry(parts.entries[0]), *parts.entries[1:]))


def entry_twice(parts: Any, pki: SamplePki) -> Any:
    """Repeat the first entry of a list."""
    return replace(parts, entries=(*parts.entries, parts.entries[0]))


def no_entries(parts: Any, pki: SamplePki) -> Any:
    """Encode an empty revokedCertificates."""
    return replace(parts, entries=(), entry_list=der.sequence())


def subject_key(public_key: Part) -> Edit:
    """Replace the SubjectPublicKeyInfo, and the subjectKeyIdentifier with that of the new key."""

    def edit(parts: Any, pki: SamplePki) -> Any:
        info = _made(public_key, pki)
        bits = der.read(info).children()[-1].content[1:]
        parts = replace(parts, public_key=info)
        if any(part.oid == Oid.SUBJECT_KEY_IDENTIFIER for part in parts.extensions):
            identifier = der.octet_string(key_identifier(bits))
            parts = extension(Oid.SUBJECT_KEY_IDENTIFIER, identifier)(parts, pki)
        return parts

    return edit


def another(label: str) -> Edit:
    """Make a certificate another subject's: with the key, key identifier and serial number of that label."""
    return both(
        subject_key(lambda pki: encode_public_key(pki.point(label))),
        put(serial_number=lambda pki: der.integer(pki.serial_number(label).value)),
    )


def valid(not_before: datetime, not_after: datetime | None = None) -> Edit:
    """Make a certificate valid from *not_before* (UTC), and to *not_after* where it is given."""
    begins = put(not_before=der.time(not_before))
    return begins if not_after is None else both(begins, put(not_after=der.time(not_after)))


def issued_by(name: Part, label: str) -> Edit:
    """Name and sign as another issuer, with the key of that label and its key identifier."""

    def edit(parts: Any, pki: SamplePki) -> Any:
        identifier = der.sequence(der.element(0x80, key_identifier(pki.point(label))))
        parts = replace(parts, issuer=_made(name, pki), signer=pki.key(label))
        return extension(Oid.AUTHORITY_KEY_IDENTIFIER, identifier)(parts, pki)

    return edit


def moment(days: int = 0, hours: int = 0) -> Callable[[SamplePki], datetime]:
    """Days and hours after 00:00 on the day of the moment; before it where negative."""
    return lambda pki: pki.today + timedelta(days=days, hours=hours)


def time(days: int = 0, hours: int = 0) -> Callable[[SamplePki], bytes]:
    """The same as an encoded Time."""
    return lambda pki: der.time(moment(days, hours)(pki))


# Changes of bytes


def long_length(element: bytes) -> bytes:
    """Encode the length of an element in one byte too many."""
    node = der.read(element)
    size = node.end - node.body
    length = size.to_bytes(max(1, (size.bit_length() + 7) // 8) + (size > 0x7F), "big")
    return bytes((element[0], 0x80 | len(length))) + length + element[node.body :]


def within(path: tuple[int, ...], change_bytes: BytesEdit) -> BytesEdit:
    """Change the element at that path: the index of the child at each level."""

    def change_element(element: bytes) -> bytes:
        if not path:
            return change_bytes(element)
        node = der.read(element)
        children = [child.encoded for child in node.children()]
        children[path[0]] = within(path[1:], change_bytes)(children[path[0]])
        return der.element(element[0], *children)

    return change_element


def retagged(tag: int) -> BytesEdit:
    """Give the contents another tag."""
    return lambda element: bytes((tag,)) + element[1:]


def padded(element: bytes) -> bytes:
    """Put a needless zero byte in front of the contents of an INTEGER."""
    return der.element(element[0], b"\0", der.read(element).content)


def appended(data: bytes) -> BytesEdit:
    """Append bytes after the end."""
    return lambda element: element + data


def also(*others: bytes) -> BytesEdit:
    """Append elements to the contents."""
    return lambda element: der.element(element[0], der.read(element).content, *others)


def cut(count: int) -> BytesEdit:
    """Cut off the last bytes."""
    return lambda element: element[:-count]


def flipped(element: bytes) -> bytes:
    """Flip the last bit."""
    return element[:-1] + bytes((element[-1] ^ 1,))


def only(*numbers: int) -> BytesEdit:
    """Keep only these elements of the contents, in this order."""

    def change_element(element: bytes) -> bytes:
        children = der.read(element).children()
        return der.element(element[0], *(children[number].encoded for number in numbers))

    return change_element


def instead(data: bytes) -> BytesEdit:
    """Replace everything."""
    return lambda element: data


def as_generalized(element: bytes) -> bytes:
    """Encode a UTCTime as a GeneralizedTime, which is wrong before 2050."""
    return der.element(der.GENERALIZED_TIME, b"20", der.read(element).content)


def without_seconds(element: bytes) -> bytes:
    """Leave out the seconds of a UTCTime."""
    return der.element(der.UTC_TIME, der.read(element).content[:10], b"Z")
