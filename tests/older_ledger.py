"""Makes a ledger one of an earlier version again, by undoing the migrations that came later."""

from __future__ import annotations

WITHOUT_A_RECORD = (
    "ALTER TABLE application DROP COLUMN statement",
    "ALTER TABLE application DROP COLUMN test",
    "DROP TABLE setting",
    "DROP TABLE test_count",
    "DROP TABLE leaf",
    "DROP TABLE certified_product",
    "DELETE FROM _sqlite_migrations WHERE name >= 'm070_record'",
)
"""The statements that undo m070_record and the migrations after it; an event of kind ``migrated`` is left where it is."""
