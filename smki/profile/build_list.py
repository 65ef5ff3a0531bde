"""Builds to-be-signed revocation lists from the rows of a profile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smki.pki import der
from smki.pki.x509 import encode_extension
from smki.profile.forms import AuthorityKeyIdentifierForm, ContentForm, CrlNumberForm, RevocationListProfile


@dataclass(frozen=True, slots=True)
class ListContents:
    """The content of one revocation list that its profile does not determine."""

    issuer: bytes
    """The issuer's Name, DER."""
    issuer_key_identifier: bytes
    """The issuer's subjectKeyIdentifier, 8 bytes."""
    number: int
    """cRLNumber: higher than in every earlier list of this issuer."""
    this_update: datetime
    next_update: datetime
    entries: bytes = b""
    """All entries, encoded and concatenated (:func:`~smki.pki.revocation_list.encode_entries`)."""


def build_tbs_list(profile: RevocationListProfile, contents: ListContents) -> bytes:
    """Return the TBSCertList (DER) of a list, with extensions in the profile's order."""
    extensions = [
        encode_extension(row.form.oid, _extension_value(row.form.content, contents), critical=bool(row.form.critical))
        for row in profile.extensions
    ]
    return der.sequence(
        der.integer(profile.version.form.encoded),
        der.sequence(der.oid(profile.signature_algorithm.form.oid)),
        contents.issuer,
        der.time(contents.this_update),
        der.time(contents.next_update),
        der.sequence(contents.entries) if contents.entries else b"",
        der.explicit(0, der.sequence(*extensions)),
    )


def _extension_value(form: ContentForm, contents: ListContents) -> bytes:
    match form:
        case AuthorityKeyIdentifierForm():
            return der.sequence(der.element(0x80, contents.issuer_key_identifier))
        case CrlNumberForm():
            return der.integer(contents.number)
    raise ValueError(f"no revocation list has an extension of {type(form).__name__}")
