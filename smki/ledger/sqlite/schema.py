"""The tables of the SQLite ledger, as migrations that are applied in order and never changed afterwards.

Times are whole seconds since 1970-01-01T00:00:00Z; serial numbers 16 bytes (longer only if made elsewhere);
Entity Identifiers 8 bytes; roles decimal; usages ``DS`` or ``KA``.
"""

from __future__ import annotations

import hashlib
import sqlite3
from functools import cache

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from smki.ledger.sqlite.packing import pack
from smki.ledger.sqlite.recording import record_what_is_there

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
    """Add Parties and Testing Participants, their Entity Identifiers, Devices, and the number of certificates per
    subscriber."""
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
    """Add revocations, revocation lists, and the replacement of certificates."""
    for statement in (
        # The time from which a newer certificate for the same subject, role and usage is in use instead.
        "ALTER TABLE certificate ADD COLUMN replaced INTEGER",
        "ALTER TABLE certificate ADD COLUMN replaced_by INTEGER",
        # A Supplier's key agreement certificate for prepayment top-up, which is separate from that for management.
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
    """Add API keys and officers' tokens. Only the SHA-256 of their secrets is stored."""
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


@MIGRATIONS()
def m010_imports(db: Database) -> None:
    """Add certificates that were issued elsewhere, in a table of their own, so that they are not counted with ours."""
    for statement in (
        """CREATE TABLE imported_certificate (
            id INTEGER PRIMARY KEY,
            serial_number BLOB NOT NULL,
            sha256 BLOB NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            entity_identifier BLOB,
            role INTEGER,
            usage TEXT,
            public_key_sha256 BLOB NOT NULL,
            not_before INTEGER NOT NULL,
            not_after INTEGER NOT NULL,
            imported INTEGER NOT NULL,
            source TEXT NOT NULL,
            name TEXT NOT NULL,
            findings TEXT NOT NULL,
            der BLOB NOT NULL
        )""",
        # Not unique: independent issuers can use the same number.
        "CREATE INDEX imported_certificate_serial ON imported_certificate (serial_number)",
        "CREATE INDEX imported_certificate_entity ON imported_certificate (entity_identifier)",
        "CREATE INDEX imported_certificate_key ON imported_certificate (public_key_sha256)",
    ):
        db.execute(statement)


@MIGRATIONS()
def m020_search(db: Database) -> None:
    """Add the indexes by which certificates are found and counted. They use few bytes, and partial indexes where
    possible.

    Every index but that of notAfter ends with the time of issue, so that results are in that order.
    """
    for statement in (
        # The first 4 bytes of the SHA-256 of the DER. If several share them, the DER decides.
        """CREATE TABLE fingerprint (
            prefix INTEGER NOT NULL,
            certificate_id INTEGER NOT NULL,
            PRIMARY KEY (prefix, certificate_id)
        ) WITHOUT ROWID""",
        "DROP INDEX certificate_entity",
        "CREATE INDEX certificate_entity ON certificate (entity_identifier, issued)",
        "CREATE INDEX certificate_issued ON certificate (issued)",
        "CREATE INDEX certificate_not_after ON certificate (not_after)",
        "CREATE INDEX certificate_role ON certificate (role, issued) WHERE role IS NOT NULL",
        "CREATE INDEX certificate_not_device ON certificate (issued) WHERE kind != 'device'",
        "CREATE INDEX certificate_unusual ON certificate (issued) WHERE status != 'I' OR replaced IS NOT NULL",
        # Triggers keep the counts, so that no writer can forget to.
        """CREATE TABLE certificate_count (
            kind TEXT NOT NULL,
            role INTEGER NOT NULL,
            usage TEXT NOT NULL,
            status TEXT NOT NULL,
            certificates INTEGER NOT NULL,
            PRIMARY KEY (kind, role, usage, status)
        ) WITHOUT ROWID""",
        """INSERT INTO certificate_count SELECT kind, coalesce(role, -1), coalesce(usage, ''), status, count(*)
            FROM certificate GROUP BY 1, 2, 3, 4""",
        """CREATE TRIGGER certificate_counted AFTER INSERT ON certificate BEGIN
            INSERT INTO certificate_count VALUES (new.kind, coalesce(new.role, -1), coalesce(new.usage, ''), new.status, 1)
            ON CONFLICT DO UPDATE SET certificates = certificates + 1;
        END""",
        """CREATE TRIGGER certificate_recounted AFTER UPDATE OF status ON certificate BEGIN
            UPDATE certificate_count SET certificates = certificates - 1 WHERE kind = old.kind
                AND role = coalesce(old.role, -1) AND usage = coalesce(old.usage, '') AND status = old.status;
            INSERT INTO certificate_count VALUES (new.kind, coalesce(new.role, -1), coalesce(new.usage, ''), new.status, 1)
            ON CONFLICT DO UPDATE SET certificates = certificates + 1;
        END""",
        """CREATE TABLE application_count (
            kind TEXT NOT NULL,
            granted INTEGER NOT NULL,
            applications INTEGER NOT NULL,
            PRIMARY KEY (kind, granted)
        ) WITHOUT ROWID""",
        "INSERT INTO application_count SELECT kind, granted, count(*) FROM application GROUP BY 1, 2",
        """CREATE TRIGGER application_counted AFTER INSERT ON application BEGIN
            INSERT INTO application_count VALUES (new.kind, new.granted, 1)
            ON CONFLICT DO UPDATE SET applications = applications + 1;
        END""",
        """CREATE TRIGGER application_recounted AFTER UPDATE OF granted ON application BEGIN
            UPDATE application_count SET applications = applications - 1 WHERE kind = old.kind AND granted = old.granted;
            INSERT INTO application_count VALUES (new.kind, new.granted, 1)
            ON CONFLICT DO UPDATE SET applications = applications + 1;
        END""",
    ):
        db.execute(statement)
    last = 0
    while rows := db.execute("SELECT id, der FROM certificate WHERE id > ? ORDER BY id LIMIT 1000", (last,)).fetchall():
        prefixes = [(fingerprint_prefix(hashlib.sha256(encoded).digest()), identifier) for identifier, encoded in rows]
        db.conn.executemany("INSERT INTO fingerprint VALUES (?, ?)", prefixes)
        last = rows[-1][0]


@MIGRATIONS()
def m030_refusals(db: Database) -> None:
    """Count the refused applications by the code of their first reason."""
    for statement in (
        "CREATE TABLE refusal_count (code TEXT PRIMARY KEY, refusals INTEGER NOT NULL) WITHOUT ROWID",
        """INSERT INTO refusal_count SELECT json_extract(reasons, '$[0].code'), count(*) FROM application
            WHERE reasons IS NOT NULL GROUP BY 1""",
        """CREATE TRIGGER refusal_counted AFTER INSERT ON application WHEN new.reasons IS NOT NULL BEGIN
            INSERT INTO refusal_count VALUES (json_extract(new.reasons, '$[0].code'), 1)
            ON CONFLICT DO UPDATE SET refusals = refusals + 1;
        END""",
        """CREATE TRIGGER refused_after_all AFTER UPDATE OF reasons ON application WHEN new.reasons IS NOT NULL BEGIN
            INSERT INTO refusal_count VALUES (json_extract(new.reasons, '$[0].code'), 1)
            ON CONFLICT DO UPDATE SET refusals = refusals + 1;
        END""",
    ):
        db.execute(statement)


@MIGRATIONS()
def m040_fewer_octets(db: Database) -> None:
    """Requests are kept packed, and of the SHA-256 of a public key the first 16 bytes."""
    db.execute("ALTER TABLE certificate RENAME COLUMN public_key_sha256 TO public_key")
    db.execute("UPDATE certificate SET public_key = substr(public_key, 1, 16)")
    last = 0
    page = "SELECT id, request FROM application WHERE id > ? AND request IS NOT NULL ORDER BY id LIMIT 1000"
    while rows := db.execute(page, (last,)).fetchall():
        packed = [(pack(request), identifier) for identifier, request in rows]
        db.conn.executemany("UPDATE application SET request = ? WHERE id = ?", packed)
        last = rows[-1][0]


@MIGRATIONS()
def m050_list_entries(db: Database) -> None:
    """All that a revocation list says of an entry, in the order of the list: a million are read from one end to the other."""
    db.execute("DROP INDEX revocation_issuer")
    db.execute(
        """CREATE INDEX revocation_entry
            ON revocation (issuer_serial_number, effective, id, not_after, serial_number, reason)"""
    )


@MIGRATIONS()
def m060_events(db: Database) -> None:
    """Audit events say who did what to whom, and are found by certificate, Party and Device."""
    for statement in (
        "ALTER TABLE audit_event ADD COLUMN interface TEXT",
        "ALTER TABLE audit_event ADD COLUMN party TEXT",
        "ALTER TABLE audit_event ADD COLUMN officer TEXT",
        "ALTER TABLE audit_event ADD COLUMN concerns TEXT",
        "ALTER TABLE audit_event ADD COLUMN device BLOB",
        "ALTER TABLE audit_event ADD COLUMN content TEXT",
        "CREATE INDEX audit_event_certificate ON audit_event (certificate_id) WHERE certificate_id IS NOT NULL",
        "CREATE INDEX audit_event_concerns ON audit_event (concerns) WHERE concerns IS NOT NULL",
        "CREATE INDEX audit_event_device ON audit_event (device) WHERE device IS NOT NULL",
    ):
        db.execute(statement)


@MIGRATIONS()
def m065_restored(db: Database) -> None:
    """The events of restores are found at once: each says from which number everything goes on."""
    db.execute("CREATE INDEX audit_event_restored ON audit_event (id) WHERE event = 'restored'")


@MIGRATIONS()
def m070_record(db: Database) -> None:
    """Events become the leaves of a Merkle tree. One more event covers every row that is there already."""
    # written: the rows that the command wrote, by part, key and hash; hash: that of the leaf.
    db.execute("CREATE TABLE leaf (event_id INTEGER PRIMARY KEY, written BLOB NOT NULL, hash BLOB NOT NULL)")
    record_what_is_there(db.conn)


@MIGRATIONS()
def m080_tests(db: Database) -> None:
    """Applications say for which recorded test they are, and settings that can change are in the ledger."""
    for statement in (
        "ALTER TABLE application ADD COLUMN test TEXT",
        "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        # The number of certificates that a subscriber has had for each of its recorded tests.
        """CREATE TABLE test_count (
            subscriber TEXT NOT NULL,
            test TEXT NOT NULL,
            certificates INTEGER NOT NULL,
            PRIMARY KEY (subscriber, test)
        ) WITHOUT ROWID""",
    ):
        db.execute(statement)


@MIGRATIONS()
def m090_inventory_and_statements(db: Database) -> None:
    """Add the Certified Products List, and what subscribers state (SEC L11)."""
    for statement in (
        """CREATE TABLE certified_product (
            model TEXT PRIMARY KEY,
            device_type TEXT NOT NULL,
            listed INTEGER NOT NULL,
            removed INTEGER
        )""",
        "ALTER TABLE application ADD COLUMN statement TEXT",
    ):
        db.execute(statement)


def fingerprint_prefix(sha256: bytes) -> int:
    """What a certificate is looked up by where its SHA-256 (32 bytes) is known: the first 4 bytes, as a number."""
    return int.from_bytes(sha256[:4], "big", signed=True)


@cache
def empty_database() -> bytes:
    """Return an empty database with the tables. It is made once, because that takes longer than everything else."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        MIGRATIONS.apply(Database(connection))
        return connection.serialize()
    finally:
        connection.close()
