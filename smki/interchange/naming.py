"""File names for certificates, in the style of the published ones."""

from __future__ import annotations

import itertools
import re
import sqlite3

from smki.pki.certificate import Certificate
from smki.pki.der import DerError
from smki.pki.oid import Oid
from smki.pki.x509 import attribute_of, parse_name
from smki.sec.role import CertificateKind, KeyUsage

MAX_NAME_CHARACTERS = 100

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def certificate_name(certificate: Certificate, *, top_up: bool = False, plain: bool = True) -> str:
    """Return the name of a certificate in a key store, a folder or an archive.

    - a Device's ``00db123456789001-ds``, as published (``-ds`` digital signing, ``-ka`` key agreement);
    - an Organisation's ``T1-supplier-90b3d51f30010000-ds``: the published ``Z1-supplier-ds`` plus the Entity
      Identifier, because several Parties can have the same role here; ``T1-supplierPP-…-ka`` for prepayment top-up;
    - an authority's ``T1-issuing-oca``.

    :param top_up: whether it is a Supplier's key agreement certificate for prepayment top-up.
    :param plain: False for a certificate that is not the one in use: its serial number is appended, so that the name is
        unique.
    """
    entity = certificate.entity_identifier.hex.lower() if certificate.entity_identifier else "unknown"
    usage = certificate.usage
    suffix = usage.code.lower() if usage in _CODED else "other"
    if certificate.is_authority:
        name = f"{certificate.common_name or 'unknown'}-{certificate.kind.value}"
    elif certificate.kind is CertificateKind.DEVICE:
        name = f"{entity}-{suffix}"
    else:
        role = certificate.role.label if certificate.role else "unknown"
        name = f"{issuer_name(certificate)}-{role}{'PP' if top_up else ''}-{entity}-{suffix}"
    return file_name(name if plain else f"{name}-{certificate.serial_number.hex.lower()}")


_CODED = (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)


def issuer_name(certificate: Certificate) -> str:
    """Return the issuer's commonName, such as ``T1``; ``unknown`` if it has none."""
    try:
        attribute = attribute_of(parse_name(certificate.issuer), Oid.COMMON_NAME)
    except DerError:
        return "unknown"
    return attribute.text if attribute is not None else "unknown"


def file_name(name: str) -> str:
    """Return the name with unsafe characters replaced, so that it stays within its directory."""
    return _UNSAFE.sub("_", name)[:MAX_NAME_CHARACTERS].lstrip(".-") or "unnamed"


class Names:
    """Gives each certificate in one output a unique file name. Close it, or use it in a ``with`` statement.

    The names are kept in a temporary file, because there may be a million of them.
    """

    def __init__(self) -> None:
        self._taken = sqlite3.connect("", isolation_level=None)
        self._taken.execute("PRAGMA journal_mode = OFF")
        self._taken.execute("CREATE TABLE taken (name TEXT PRIMARY KEY) WITHOUT ROWID")

    def take(self, name: str, certificate: Certificate) -> str:
        """Return the file name for a name, with the serial number appended if another certificate already has it.

        Names that differ only in case count as the same, as on case-insensitive file systems.
        """
        wanted = file_name(name)
        for attempt in itertools.count(1):
            if self._reserve(wanted):
                break
            number = "" if attempt == 1 else f"-{attempt}"
            wanted = file_name(f"{name[:50]}-{certificate.serial_number.hex.lower()}{number}")
        return wanted

    def take_numbered(self, name: str) -> str:
        """Return the file name for a name, with a number appended if it was taken before."""
        wanted = file_name(name)
        for number in itertools.count(2):
            if self._reserve(wanted):
                break
            wanted = f"{file_name(name)[: MAX_NAME_CHARACTERS - 10]}-{number}"
        return wanted

    def _reserve(self, name: str) -> bool:
        cursor = self._taken.execute("INSERT OR IGNORE INTO taken VALUES (?)", (name.lower(),))
        return cursor.rowcount > 0

    def close(self) -> None:
        """Discard the names."""
        self._taken.close()

    def __enter__(self) -> Names:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
