"""The past of the register in the SQLite ledger."""

from __future__ import annotations

from typing import Any

from smki.clock import from_seconds
from smki.identity import EntityIdentifier
from smki.ledger.history import RegisterChange
from smki.ledger.sqlite.row_form import row_of, values_of
from smki.ledger.sqlite.rows import Read, json_object


class SqliteHistory:
    """A :class:`~smki.ledger.history.HistoryReader`.

    :param read: runs a query and returns its rows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    def of_registrants(self) -> dict[str, list[RegisterChange]]:
        """The changes of every Party and Testing Participant by id, in the order in which they were made."""
        sql = """SELECT id, at, event, concerns, content FROM audit_event
            WHERE event IN ('registered', 'changed', 'officer appointed', 'officer dismissed') ORDER BY id"""
        changes: dict[str, list[RegisterChange]] = {}
        for row in self._read(sql, ()):
            for whom, change in _registrant_changes(row):
                changes.setdefault(whom, []).append(change)
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
        for row in found:
            change = _device_change(row)
            if not change.added or not changes:
                changes.append(change)
        return changes

    def of_setting(self, name: str) -> list[RegisterChange]:
        """The changes of a setting, in the order in which they were made. One that was made with the ledger counts as
        added by that."""
        sql = """SELECT id, at, content, at = (SELECT at FROM audit_event ORDER BY id LIMIT 1) FROM audit_event
            WHERE event = 'setting changed' ORDER BY id"""
        changes = map(_setting_change, self._read(sql, ()))
        return [change for change in changes if change.content and name in change.content]

    def certificates_by_subscriber(self) -> dict[str, int]:
        """The number of certificates that each subscriber has had; subscribers without any are omitted."""
        return dict(map(_COUNT, self._read("SELECT id, certificates FROM subscriber", ())))

    def certificates_by_test(self) -> dict[str, dict[str, int]]:
        """The number of certificates that each subscriber has had for each of its recorded tests, by name; subscribers
        without any are omitted."""
        counts: dict[str, dict[str, int]] = {}
        rows = map(_TEST_COUNT, self._read("SELECT subscriber, test, certificates FROM test_count", ()))
        for subscriber, test, certificates in rows:
            counts.setdefault(subscriber, {})[test] = certificates
        return counts


_COUNT = values_of("subscriber", "ti")
_TEST_COUNT = values_of("test_count", "tti")


@row_of("audit_event", "iitTT")
def _registrant_changes(row: tuple[Any, ...]) -> list[tuple[str, RegisterChange]]:
    """Return whom an event concerned, and what it says of each."""
    _, seconds, event, concerns, content = row
    at, known = from_seconds(seconds), json_object(content) if content is not None else None
    if event != "registered":
        # Ledgers of early versions do not say whom an event concerned.
        change = RegisterChange(at=at, added=False, content=_fields(known))
        return [(concerns, change)] if concerns is not None else []
    registered = known["registrants"] if known else ()
    added = RegisterChange(at=at, added=True)
    return [(str(fields.get("party_id") or fields["participant_id"]), added) for fields in registered]


@row_of("audit_event", "iitT")
def _device_change(row: tuple[Any, ...]) -> RegisterChange:
    _, at, event, content = row
    is_change = event == "device changed"
    known = json_object(content) if is_change and content is not None else None
    return RegisterChange(at=from_seconds(at), added=not is_change, content=_fields(known))


@row_of("audit_event", "iiTi")
def _setting_change(row: tuple[Any, ...]) -> RegisterChange:
    _, at, content, first = row
    known = json_object(content) if content is not None else None
    return RegisterChange(at=from_seconds(at), added=bool(first), content=_fields(known))


def _fields(content: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the fields that a change says it changed.

    :raises KeyError: if it does not say from what or to what.
    """
    for values in (content or {}).values():
        if isinstance(values, dict):
            _ = values["from"], values["to"]
    return content
