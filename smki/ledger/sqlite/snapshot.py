"""A view of the certificates as they were at one moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from smki.ledger.records import CertificateRecord
from smki.ledger.sqlite import rows
from smki.ledger.sqlite.record_reader import SqliteRecord

_COLUMNS_WITHOUT_DER = rows.CERTIFICATE_COLUMNS.replace(" der,", " x'',")


class SqliteSnapshot:
    """A read transaction on a connection of its own, which does not see later commits.

    :param connection: a newly opened connection that nothing else uses.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("BEGIN")
        self._last: int = connection.execute("SELECT coalesce(max(id), 0) FROM certificate").fetchone()[0]

    @property
    def last(self) -> int:
        """The id of the last certificate; 0 if there is none."""
        return self._last

    @property
    def record(self) -> SqliteRecord:
        """The record as it was at that moment."""
        return SqliteRecord(lambda sql, parameters: self._connection.execute(sql, parameters).fetchall())

    def certificates(self, after: int = 0, *, with_der: bool = True) -> Iterator[CertificateRecord]:
        """The certificates with an id above *after*, in the order in which they were issued.

        :param with_der: False to leave out the DER, which is faster.
        """
        columns = rows.CERTIFICATE_COLUMNS if with_der else _COLUMNS_WITHOUT_DER
        sql = f"SELECT {columns} FROM certificate WHERE id > ? ORDER BY id"  # noqa: S608
        return map(rows.certificate_record, self._connection.execute(sql, (after,)))

    def certificate(self, identifier: int) -> CertificateRecord:
        """The certificate with that id, which must exist."""
        sql = f"SELECT {rows.CERTIFICATE_COLUMNS} FROM certificate WHERE id = ?"  # noqa: S608
        return rows.certificate_record(self._connection.execute(sql, (identifier,)).fetchone())
