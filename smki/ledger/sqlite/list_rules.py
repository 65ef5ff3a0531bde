"""Rules about the times of revocation lists in the SQLite ledger."""

from __future__ import annotations

from smki.ledger.sqlite.rule import Rule

# The time of a list is that of the event that records its issue, so that it is earlier than the time of the list before
# it only if the clock was set back. Versions up to 0.1 then gave the list the time of the list before it, and some of
# their lists have no event; such a list is accepted once a later one has replaced it.
LIST_RULES = (
    Rule(
        "list.time",
        "the time of the event that records its issue",
        """WITH issued AS (SELECT at, json_extract(content, '$.issuer') AS issuer, json_extract(content, '$.number') AS number
                FROM audit_event WHERE event = 'list issued'),
            dated AS (SELECT hex(issuer_serial_number) AS issuer, number, this_update,
                lag(this_update) OVER (PARTITION BY issuer_serial_number ORDER BY number) AS before,
                max(number) OVER (PARTITION BY issuer_serial_number) AS highest FROM revocation_list)
            SELECT 'revocation list ' || d.number || ' of ' || d.issuer,
                'thisUpdate ' || d.this_update || ', issued at ' || coalesce(i.at, 'a time that is not recorded')
            FROM dated d LEFT JOIN issued i ON i.issuer = d.issuer AND i.number = d.number
            WHERE CASE WHEN i.at IS NULL THEN d.this_update < d.before ELSE d.this_update != i.at
                AND (d.number = d.highest OR d.this_update < i.at OR d.this_update IS NOT d.before) END""",
        "list.publish",
    ),
)
