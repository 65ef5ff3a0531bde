"""Who may ask the Repository, and who may act in it: API keys for systems, tokens for officers.

Only a digest of a secret is kept: whoever reads the ledger learns none. A secret is 32 random octets, so that a plain
SHA-256 cannot be guessed back. When one was made and until when it counts is told by the real clock, whatever time it
is in the SMKI.
"""

from __future__ import annotations

import enum
import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smki.clock import from_seconds, to_seconds
from smki.ledger.part import LedgerPart
from smki.problem import Malformed, NotFound, Problem


class CredentialKind(enum.Enum):
    """What a credential is good for."""

    API_KEY = "api-key"
    """A system reads the Repository with it (SEC Appendix P)."""
    OFFICER_TOKEN = "officer-token"  # noqa: S105
    """An officer acts for a Party or Testing Participant with it."""


@dataclass(frozen=True, slots=True)
class Credential:
    """An API key or an officer's token, without its secret."""

    id: int
    kind: CredentialKind
    name: str
    """Of an API key, what it was given for; of a token, the officer."""
    party: str | None
    """Of a token: the id of the Party or Testing Participant for which the officer acts."""
    created: datetime
    expires: datetime | None
    """None: counts until it is revoked."""
    revoked: datetime | None

    def counts_at(self, moment: datetime) -> bool:
        """Whether it is good at a moment (UTC)."""
        return self.revoked is None and (self.expires is None or moment < self.expires)


class Credentials(LedgerPart):
    """The API keys and officers' tokens of an SMKI."""

    def add(
        self,
        kind: CredentialKind,
        name: str,
        created: datetime,
        *,
        party: str | None = None,
        expires: datetime | None = None,
    ) -> tuple[Credential, str]:
        """Make a credential.

        :returns: it, and its secret (43 characters of base64url behind a prefix), which is told here and never again.
        :raises Malformed: when there is no name, or an API key of that name that was not revoked.
        """
        if not name.strip() or not name.isprintable() or len(name) > MAX_NAME:
            raise Malformed(
                Problem(
                    "credential.name", "name", f"{name[:MAX_NAME]!r}", f"1 to {MAX_NAME} characters that can be printed"
                )
            )
        secret = PREFIXES[kind] + secrets.token_urlsafe(32)

        def insert(connection: sqlite3.Connection) -> int:
            if kind is CredentialKind.API_KEY:
                sql = "SELECT 1 FROM credential WHERE kind = ? AND name = ? AND revoked IS NULL"
                if connection.execute(sql, (kind.value, name)).fetchone() is not None:
                    raise Malformed(
                        Problem("credential.exists", f"API key {name}", "there already", "a name of its own", "",
                                "Revoke that one first, or choose another name.")
                    )  # fmt: skip
            cursor = connection.execute(
                "INSERT INTO credential (kind, name, party, digest, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    kind.value,
                    name,
                    party,
                    _digest(secret),
                    to_seconds(created),
                    to_seconds(expires) if expires else None,
                ),
            )
            return cursor.lastrowid or 0

        identifier = self._write(insert)
        return Credential(identifier, kind, name, party, created, expires, None), secret

    def of(self, secret: str) -> Credential | None:
        """The credential with that secret, whether it still counts or not; None where nobody was given it."""
        rows = self._read(f"SELECT {_COLUMNS} FROM credential WHERE digest = ?", (_digest(secret),))  # noqa: S608
        return _credential(rows[0]) if rows else None

    def all(self, kind: CredentialKind) -> list[Credential]:
        """Every credential of a kind, in the order in which they were made."""
        rows = self._read(f"SELECT {_COLUMNS} FROM credential WHERE kind = ? ORDER BY id", (kind.value,))  # noqa: S608
        return [_credential(row) for row in rows]

    def revoke(self, kind: CredentialKind, name: str, moment: datetime) -> list[Credential]:
        """Have every credential of a kind and name (an officer's tokens, an API key) or id count no longer.

        :raises NotFound: when there is none that still counts.
        """

        def update(connection: sqlite3.Connection) -> list[int]:
            rows = connection.execute(
                """UPDATE credential SET revoked = ?1 WHERE kind = ?2 AND (name = ?3 OR CAST(id AS TEXT) = ?3)
                    AND revoked IS NULL RETURNING id""",
                (to_seconds(moment), kind.value, name),
            ).fetchall()
            return [row[0] for row in rows]

        revoked = set(self._write(update))
        if not revoked:
            command = "smki apikey list" if kind is CredentialKind.API_KEY else "smki officer list"
            raise NotFound(
                Problem("credential.unknown", f"{kind.value} {name[:MAX_NAME]}", "none that still counts",
                        "the name or the number of one", "", f"{command} shows what there is.")
            )  # fmt: skip
        return [credential for credential in self.all(kind) if credential.id in revoked]


PREFIXES = {CredentialKind.API_KEY: "smki-key-", CredentialKind.OFFICER_TOKEN: "smki-officer-"}
"""How secrets begin, so that one that strays into a log or a repository is recognised."""

MAX_NAME = 64

_COLUMNS = "id, kind, name, party, created, expires, revoked"


def _credential(row: tuple[Any, ...]) -> Credential:
    return Credential(
        row[0],
        CredentialKind(row[1]),
        row[2],
        row[3],
        from_seconds(row[4]),
        from_seconds(row[5]) if row[5] is not None else None,
        from_seconds(row[6]) if row[6] is not None else None,
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
