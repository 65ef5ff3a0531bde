"""Signed notes (C2SP signed-note v1.0.0) with Ed25519: the text of a note, an empty line, and signature lines.

A verifier key is written as Go's ``golang.org/x/mod/sumdb/note`` writes it: ``name+key id in hex+base64(0x01 || public key)``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smki.problem import Malformed, Problem

MAX_NOTE_BYTES = 100_000
MAX_SIGNATURES = 64
"""Maximum number of signature lines that are read. The specification asks for at least 16."""

_ED25519 = b"\x01"
_DASH = "\u2014 "


class NotSigned(Malformed):
    """Raised when a note is not signed by the key that it should be signed by."""


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """The public key of a signer, with its name."""

    name: str
    public_key: bytes
    """Ed25519, 32 bytes (RFC 8032)."""

    @property
    def key_id(self) -> bytes:
        """The 4 bytes by which signatures name the key."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public_key).decode()}"

    @classmethod
    def parse(cls, text: str) -> NoteVerifier:
        """Read a verifier key.

        :raises Malformed: if it is not one for Ed25519, or its key id is not its own.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        verifier = cls(name, key[1:])
        if not is_key_name(name) or key[:1] != _ED25519 or len(key) != 33 or verifier.key_id.hex() != key_id:
            expected = "name+key id+base64 of an Ed25519 key"
            raise Malformed(Problem(code="note.key", subject="verifier key", seen=repr(text)[:100], expected=expected))
        return verifier

    def open(self, note: str, subject: str) -> str:
        """Return the text of a note that this key has signed. Signatures of other keys are ignored.

        :param subject: what to call the note in a problem.
        :raises Malformed: if it is not a signed note.
        :raises NotSigned: if it has no valid signature of this key.
        """
        text, signatures = split_note(note, subject)
        found = [blob[4:] for name, blob in signatures if name == self.name and blob[:4] == self.key_id]
        if not found:
            raise _not_signed(subject, "no signature of it")
        for signature in found:
            try:
                Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
            except (InvalidSignature, ValueError):
                raise _not_signed(subject, "a signature that does not verify") from None
        return text


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A private key that signs notes, with its name."""

    name: str
    key: Ed25519PrivateKey

    @property
    def verifier(self) -> NoteVerifier:
        """Its public key."""
        return NoteVerifier(self.name, self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, text: str) -> str:
        """Return a text as a signed note.

        :param text: lines, each with its newline.
        """
        signature = base64.b64encode(self.verifier.key_id + self.key.sign(text.encode())).decode()
        return f"{text}\n{_DASH}{self.name} {signature}\n"


def is_key_name(name: str) -> bool:
    """Return whether a name can be that of a key: not empty, no spaces, no plus."""
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


def split_note(note: str, subject: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return the text of a note, and its signatures, each with the name of its key, without verifying them.

    :raises Malformed: if it is not a signed note.
    """
    body, separator, lines = note.rpartition("\n\n")
    is_text = all(character >= " " or character == "\n" for character in note)
    if not separator or not lines.endswith("\n") or not is_text or len(note) > MAX_NOTE_BYTES:
        raise _malformed(subject, "no text, empty line and signatures")
    signatures: list[tuple[str, bytes]] = []
    for line in lines.removesuffix("\n").split("\n"):
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        try:
            blob = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            blob = b""
        if not line.startswith(_DASH) or not is_key_name(name) or len(blob) < 5 or len(signatures) == MAX_SIGNATURES:
            raise _malformed(subject, f"signature line {len(signatures) + 1}: {line[:60]!r}")
        signatures.append((name, blob))
    return body + "\n", signatures


def _malformed(subject: str, seen: str) -> Malformed:
    return Malformed(
        Problem(code="note.malformed", subject=subject, seen=seen, expected="a signed note", clause="C2SP signed-note")
    )


def _not_signed(subject: str, seen: str) -> NotSigned:
    expected = "a valid signature of the key of this record"
    return NotSigned(
        Problem(code="note.signature", subject=subject, seen=seen, expected=expected, clause="C2SP signed-note")
    )
