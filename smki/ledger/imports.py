"""Queries of a ledger about certificates that were issued elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from smki.identity import SerialNumber
from smki.ledger.records import CertificateQuery, ImportedCertificate


class ImportReader(Protocol):
    """Certificates that were issued elsewhere."""

    def holds(self, sha256: bytes) -> bool:
        """Return whether the certificate with that SHA-256 of its DER (32 bytes) was imported."""

    def with_serial_number(self, serial_number: SerialNumber) -> list[ImportedCertificate]:
        """Imported certificates with that serial number, in the order of import; different issuers can use the same
        one."""

    def of_key(self, public_key_info: bytes) -> list[ImportedCertificate]:
        """Imported certificates for a public key (SubjectPublicKeyInfo, DER), in the order of import."""

    def certificates(self, query: CertificateQuery) -> Iterator[ImportedCertificate]:
        """Imported certificates that match, in the order of import.

        A query by issuer, Device type or time of issue matches none, because these are only known for certificates
        issued here.
        """

    def count(self) -> int:
        """The number of imported certificates."""
