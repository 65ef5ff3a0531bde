"""API keys and officers' tokens in the SQLite ledger. Only the SHA-256 of a secret is stored."""

from __future__ import annotations

import hashlib
from typing import Any

from smki.clock import from_seconds
from smki.ledger.records import CredentialKind, CredentialRecord
from smki.ledger.sqlite.row_form import row_of
from smki.ledger.sqlite.rows import Read

_COLUMNS = "id, kind, name, party, created, expires, revoked"


class SqliteCredentials:
    """A :class:`~smki.ledger.contract.CredentialReader`.

    :param read: runs a query and returns its rows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    def of(self, secret: str) -> CredentialRecord | None:
        """The credential with that secret, whether or not it is still valid; None if there is none."""
        rows = self._read(f"SELECT {_COLUMNS} FROM credential WHERE digest = ?", (secret_digest(secret),))  # noqa: S608
        return _credential(rows[0]) if rows else None

    def all(self, kind: CredentialKind) -> list[CredentialRecord]:
        """Every credential of a kind, in the order in which they were made."""
        rows = self._read(f"SELECT {_COLUMNS} FROM credential WHERE kind = ? ORDER BY id", (kind.value,))  # noqa: S608
        return [_credential(row) for row in rows]


def secret_digest(secret: str) -> bytes:
    """Return the SHA-256 by which a secret is looked up. A secret is 32 random bytes and cannot be guessed from it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


@row_of("credential", "ittTiII")
def _credential(row: tuple[Any, ...]) -> CredentialRecord:
    return CredentialRecord(
        id=row[0],
        kind=CredentialKind(row[1]),
        name=row[2],
        party=row[3],
        created=from_seconds(row[4]),
        expires=from_seconds(row[5]) if row[5] is not None else None,
        revoked=from_seconds(row[6]) if row[6] is not None else None,
    )
