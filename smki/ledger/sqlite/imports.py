"""Certificates that were issued elsewhere and imported. They are stored apart from the certificates issued here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from smki.clock import from_seconds, to_seconds
from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.records import CertificateQuery, CertificateRecord, ImportedCertificate, NewImport
from smki.ledger.sqlite.conditions import certificate_conditions
from smki.ledger.sqlite.row_form import row_of
from smki.ledger.sqlite.rows import Read
from smki.problem import Finding, Severity
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

_PAGE = 500
_COLUMNS = "id, serial_number, kind, entity_identifier, role, usage, not_before, not_after, imported, source, name, findings, der"
_CODED = (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)


class SqliteImports:
    """A :class:`~smki.ledger.contract.ImportReader`.

    :param read: runs a query and returns its rows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    def holds(self, sha256: bytes) -> bool:
        """Return whether the certificate with that SHA-256 of its DER (32 bytes) was imported."""
        return bool(self._read("SELECT 1 FROM imported_certificate WHERE sha256 = ?", (sha256,)))

    def with_serial_number(self, serial_number: SerialNumber) -> list[ImportedCertificate]:
        """Imported certificates with that serial number, in the order of import; different issuers can use the same
        one."""
        return list(self._found("serial_number = ?", (serial_number.encoded,)))

    def of_key(self, public_key_info: bytes) -> list[ImportedCertificate]:
        """Imported certificates for a public key (SubjectPublicKeyInfo, DER), in the order of import."""
        return list(self._found("public_key_sha256 = ?", (hashlib.sha256(public_key_info).digest(),)))

    def certificates(self, query: CertificateQuery) -> Iterator[ImportedCertificate]:
        """Imported certificates that match, in the order of import. A query by issuer, Device type or time of issue
        matches none, because these are only known for certificates issued here.
        """
        unknown = query.issuer is not None or query.device_type is not None
        if unknown or query.issued.first is not None or query.issued.last is not None:
            return
        plain = replace(query, status=None, sha256=None)
        conditions = certificate_conditions(plain)
        if query.sha256 is not None:
            conditions.append(("sha256 = ?", (query.sha256,)))
        sql = " AND ".join(["1", *(condition for condition, _ in conditions)])
        parameters = tuple(value for _, values in conditions for value in values)
        for found in self._found(sql, parameters):
            if query.status is None or query.moment is None or found.record.status_at(query.moment) is query.status:
                yield found

    def count(self) -> int:
        """The number of imported certificates."""
        count: int = self._read("SELECT count(*) FROM imported_certificate", ())[0][0]
        return count

    def _found(self, condition: str, parameters: tuple[Any, ...]) -> Iterator[ImportedCertificate]:
        after = 0
        while True:
            sql = f"SELECT {_COLUMNS} FROM imported_certificate WHERE id > ? AND {condition} ORDER BY id LIMIT {_PAGE}"  # noqa: S608
            rows = self._read(sql, (after, *parameters))
            yield from map(_imported, rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]


def import_row(new: NewImport, imported: int) -> tuple[Any, ...]:
    """Return the column values of an imported certificate, in the order of the table."""
    certificate = new.certificate
    usage = certificate.usage
    return (
        certificate.serial_number.encoded,
        certificate.sha256,
        certificate.kind.value,
        certificate.entity_identifier.encoded if certificate.entity_identifier else None,
        certificate.role.decimal if certificate.role else None,
        usage.code if usage in _CODED else None,
        hashlib.sha256(certificate.public_key_info).digest(),
        to_seconds(certificate.not_before),
        to_seconds(certificate.not_after),
        imported,
        new.source,
        new.name,
        json.dumps([finding.as_json() for finding in new.findings]),
        certificate.der,
    )


@row_of("imported_certificate", "ibtBITiiitttb")
def _imported(row: tuple[Any, ...]) -> ImportedCertificate:
    not_before, not_after = from_seconds(row[6]), from_seconds(row[7])
    record = CertificateRecord(
        id=-row[0],
        serial_number=SerialNumber.from_bytes(row[1]),
        kind=CertificateKind(row[2]),
        entity_identifier=EntityIdentifier(row[3]) if row[3] is not None else None,
        role=RemotePartyRole.of_decimal(row[4]) if row[4] is not None else None,
        usage=KeyUsage.parse(row[5]) if row[5] is not None else None,
        not_before=not_before,
        not_after=not_after,
        stored_status=CertificateStatus.IN_USE,
        status_since=not_before,
        deemed_accepted=None,
        issued=not_before,
        issuer_serial_number=None,
        application_id=0,
        der=row[12],
        issued_here=False,
    )
    return ImportedCertificate(
        record=record,
        imported=from_seconds(row[8]),
        source=row[9],
        name=row[10],
        findings=tuple(map(_finding, json.loads(row[11]))),
    )


def _finding(fields: dict[str, str]) -> Finding:
    if not all(isinstance(value, str) for value in fields.values()):
        raise ValueError("a finding that is not text")
    return Finding(**(fields | {"severity": Severity[fields["severity"].upper()]}))  # type: ignore[arg-type]
