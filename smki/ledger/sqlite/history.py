"""The past of the register in the SQLite ledger."""

from __future__ import annotations

import json
from typing import Any

from smki.clock import from_seconds
from smki.identity import EntityIdentifier
from smki.ledger.history import RegisterChange
from smki.ledger.sqlite.rows import Read


class SqliteHistory:
    """A :class:`~smki.ledger.history.HistoryReader`.

    :param read: runs a query and returns its rows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    def of_registrants(self) -> dict[str, list[RegisterChange]]:
        """The changes of every Party and Testing Participant by id, in the order in which they were made."""
        sql = """SELECT at, event, concerns, content FROM audit_event
            WHERE event IN ('registered', 'changed', 'officer appointed', 'officer dismissed') ORDER BY id"""
        changes: dict[str, list[RegisterChange]] = {}
        for at, event, concerns, content in self._read(sql, ()):
            known = _known(content)
            if event != "registered":
                # Ledgers of early versions do not say whom an event concerned.
                if concerns is not None:
                    changed = RegisterChange(at=from_seconds(at), added=False, content=known)
                    changes.setdefault(concerns, []).append(changed)
                continue
            for fields in known["registrants"] if known else ():
                added = RegisterChange(at=from_seconds(at), added=True)
                changes.setdefault(fields.get("party_id") or fields["participant_id"], []).append(added)
        return changes

    def of_device(self, device_id: EntityIdentifier) -> list[RegisterChange]:
        """The changes of a Device, in the order in which they were made."""
        # An index finds the events of one Device. Those that added several are searched for its id.
        sql = """SELECT id, at, event, content FROM audit_event WHERE device = ?
            UNION ALL SELECT id, at, event, NULL FROM audit_event
                WHERE event = 'device added' AND device IS NULL AND instr(content, ?)
            UNION ALL SELECT id, at, event, NULL FROM (SELECT e.id, e.at, e.event FROM certificate c
                JOIN audit_event e ON e.certificate_id = c.id AND e.event = 'issued'
                WHERE c.entity_identifier = ? AND c.kind = 'device' ORDER BY e.id LIMIT 1)
            ORDER BY id"""
        found = self._read(sql, (device_id.encoded, f'"device_id":"{device_id}"', device_id.encoded))
        changes: list[RegisterChange] = []
        for _, at, event, content in found:
            is_change = event == "device changed"
            if is_change or not changes:
                known = _known(content) if is_change else None
                changes.append(RegisterChange(at=from_seconds(at), added=not is_change, content=known))
        return changes

    def of_setting(self, name: str) -> list[RegisterChange]:
        """The changes of a setting, in the order in which they were made. One that was made with the ledger counts as
        added by that."""
        sql = """SELECT at, content, at = (SELECT at FROM audit_event ORDER BY id LIMIT 1) FROM audit_event
            WHERE event = 'setting changed' ORDER BY id"""
        found = ((at, _known(content), bool(first)) for at, content, first in self._read(sql, ()))
        return [
            RegisterChange(at=from_seconds(at), added=first, content=known)
            for at, known, first in found
            if known and name in known
        ]

    def certificates_by_subscriber(self) -> dict[str, int]:
        """The number of certificates that each subscriber has had; subscribers without any are omitted."""
        return dict(self._read("SELECT id, certificates FROM subscriber", ()))

    def certificates_by_test(self) -> dict[str, dict[str, int]]:
        """The number of certificates that each subscriber has had for each of its recorded tests, by name; subscribers
        without any are omitted."""
        counts: dict[str, dict[str, int]] = {}
        for subscriber, test, certificates in self._read("SELECT subscriber, test, certificates FROM test_count", ()):
            counts.setdefault(subscriber, {})[test] = certificates
        return counts


def _known(content: str | None) -> Any:
    return json.loads(content) if content is not None else None
