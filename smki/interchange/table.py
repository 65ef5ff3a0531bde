"""Certificates as text: JSON Lines, CSV, or concatenated PEM."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import IO

from smki.interchange.description import csv_line
from smki.interchange.extracts.lines import line_of
from smki.interchange.record_values import COLUMNS, record_values
from smki.ledger import CertificateRecord
from smki.pki.certificate import to_pem


def write_json_lines(file: IO[bytes], records: Iterable[CertificateRecord], moment: datetime) -> int:
    """Write one JSON object per line, as in a full extract; return the number of lines.

    :param moment: the moment whose status is written.
    """
    count = 0
    for count, record in enumerate(records, 1):  # noqa: B007
        file.write(line_of(record, moment))
    return count


def write_csv(file: IO[bytes], records: Iterable[CertificateRecord], moment: datetime) -> int:
    """Write CSV (RFC 4180) in UTF-8, with a header and one certificate per line; return the number of certificates."""
    file.write(csv_line(COLUMNS).encode())
    count = 0
    for count, record in enumerate(records, 1):  # noqa: B007
        file.write(csv_line(record_values(record, moment).values()).encode())
    return count


def write_pem(file: IO[bytes], records: Iterable[CertificateRecord]) -> int:
    """Write the certificates in PEM, concatenated; return their number."""
    count = 0
    for count, record in enumerate(records, 1):  # noqa: B007
        file.write(to_pem("CERTIFICATE", record.der).encode("ascii"))
    return count
