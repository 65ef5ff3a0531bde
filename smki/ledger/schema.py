"""The tables of the SQLite ledger, as migrations that are applied in order and never changed afterwards.

Times are whole seconds since 1970-01-01T00:00:00Z; serial numbers 16 octets (longer only if made elsewhere);
Entity Identifiers 8 octets; roles decimal; usages ``DS`` or ``KA``.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

MIGRATIONS = Migrations("smki")


@MIGRATIONS()
def m001_applications_and_certificates(db: Database) -> None:
    """Applications with the serial number they reserve, certificates, and the audit trail."""
    for statement in (
        """CREATE TABLE application (
            id INTEGER PRIMARY KEY,
            received INTEGER NOT NULL,
            interface TEXT NOT NULL,
            applicant TEXT NOT NULL,
            kind TEXT NOT NULL,
            entity_identifier BLOB,
            role INTEGER,
            usage TEXT,
            request BLOB,
            serial_number BLOB NOT NULL UNIQUE,
            tbs BLOB
        )""",
        "CREATE INDEX application_unfinished ON application (id) WHERE tbs IS NOT NULL",
        """CREATE TABLE certificate (
            id INTEGER PRIMARY KEY,
            serial_number BLOB NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            entity_identifier BLOB,
            role INTEGER,
            usage TEXT,
            public_key_sha256 BLOB NOT NULL,
            not_before INTEGER NOT NULL,
            not_after INTEGER NOT NULL,
            status TEXT NOT NULL,
            status_since INTEGER NOT NULL,
            issued INTEGER NOT NULL,
            issuer_serial_number BLOB,
            application_id INTEGER NOT NULL REFERENCES application (id),
            der BLOB NOT NULL
        )""",
        "CREATE INDEX certificate_entity ON certificate (entity_identifier) WHERE entity_identifier IS NOT NULL",
        "CREATE INDEX certificate_public_key ON certificate (public_key_sha256)",
        """CREATE INDEX certificate_authority ON certificate (id)
            WHERE kind IN ('root-oca', 'issuing-oca', 'root-dca', 'issuing-dca')""",
        """CREATE TABLE audit_event (
            id INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            event TEXT NOT NULL,
            application_id INTEGER,
            certificate_id INTEGER,
            detail TEXT
        )""",
    ):
        db.execute(statement)
