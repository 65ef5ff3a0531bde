"""A view of the certificates that does not change, as every ledger gives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from smki.ledger.record import RecordReader
from smki.ledger.records import CertificateRecord


class Snapshot(Protocol):
    """The certificates as they were at one moment, however long it takes to read them."""

    @property
    def last(self) -> int:
        """The id of the last certificate; 0 if there is none."""

    @property
    def record(self) -> RecordReader:
        """The record as it was at that moment."""

    def certificates(self, after: int = 0, *, with_der: bool = True) -> Iterator[CertificateRecord]:
        """The certificates with an id above *after*, in the order in which they were issued.

        :param with_der: False to leave out the DER, which is faster.
        """

    def certificate(self, identifier: int) -> CertificateRecord:
        """The certificate with that id, which must exist."""
