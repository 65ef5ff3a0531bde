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
            subscriber TEXT NOT NULL,
            officer TEXT NOT NULL,
            applied_by TEXT,
            kind TEXT NOT NULL,
            entity_identifier BLOB,
            role INTEGER,
            usage TEXT,
            request BLOB,
            granted INTEGER NOT NULL,
            reasons TEXT,
            serial_number BLOB UNIQUE,
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
            deemed_accepted INTEGER,
            issued INTEGER NOT NULL,
            issuer_serial_number BLOB,
            application_id INTEGER NOT NULL REFERENCES application (id),
            der BLOB NOT NULL
        )""",
        "CREATE INDEX certificate_entity ON certificate (entity_identifier) WHERE entity_identifier IS NOT NULL",
        "CREATE UNIQUE INDEX certificate_public_key ON certificate (public_key_sha256)",
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


@MIGRATIONS()
def m002_register(db: Database) -> None:
    """Parties and Testing Participants, their Entity Identifiers, Devices, and what each subscriber has had."""
    for statement in (
        "CREATE TABLE registrant (id TEXT PRIMARY KEY, record TEXT NOT NULL)",
        """CREATE TABLE entity_identifier (
            octets BLOB PRIMARY KEY,
            registrant TEXT NOT NULL REFERENCES registrant (id)
        ) WITHOUT ROWID""",
        "CREATE INDEX entity_identifier_registrant ON entity_identifier (registrant)",
        "CREATE TABLE device (id BLOB PRIMARY KEY, record TEXT NOT NULL, threshold INTEGER)",
        "CREATE TABLE subscriber (id TEXT PRIMARY KEY, certificates INTEGER NOT NULL) WITHOUT ROWID",
    ):
        db.execute(statement)


@MIGRATIONS()
def m003_revocation(db: Database) -> None:
    """Revocations, the lists that told of them, and what a certificate was replaced by."""
    for statement in (
        # From when on a newer certificate for the same subject, role and usage is in use instead.
        "ALTER TABLE certificate ADD COLUMN replaced INTEGER",
        "ALTER TABLE certificate ADD COLUMN replaced_by INTEGER",
        # Supplier's key agreement certificate for prepayment top-up, kept apart from that for management.
        "ALTER TABLE certificate ADD COLUMN top_up INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE application ADD COLUMN top_up INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE revocation (
            id INTEGER PRIMARY KEY,
            certificate_id INTEGER NOT NULL UNIQUE REFERENCES certificate (id),
            serial_number BLOB NOT NULL,
            issuer_serial_number BLOB NOT NULL,
            not_after INTEGER NOT NULL,
            revoked INTEGER NOT NULL,
            effective INTEGER NOT NULL,
            reason TEXT NOT NULL,
            asked_by TEXT NOT NULL
        )""",
        "CREATE INDEX revocation_issuer ON revocation (issuer_serial_number, effective)",
        """CREATE TABLE revocation_list (
            issuer_serial_number BLOB NOT NULL,
            number INTEGER NOT NULL,
            this_update INTEGER NOT NULL,
            next_update INTEGER NOT NULL,
            entries INTEGER NOT NULL,
            last_revocation INTEGER NOT NULL,
            der BLOB NOT NULL,
            PRIMARY KEY (issuer_serial_number, number)
        )""",
    ):
        db.execute(statement)


@MIGRATIONS()
def m004_credentials(db: Database) -> None:
    """API keys and officers' tokens, of whose secrets only the SHA-256 is kept."""
    db.execute(
        """CREATE TABLE credential (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            party TEXT,
            digest BLOB NOT NULL UNIQUE,
            created INTEGER NOT NULL,
            expires INTEGER,
            revoked INTEGER
        )"""
    )
