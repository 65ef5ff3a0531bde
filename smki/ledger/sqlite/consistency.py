"""Rules about the tables of the SQLite ledger, and the rows that break them.

Each rule is a query for the rows that break it. No sequence of commands breaks a rule, whatever the clock was set to. A
ledger of version 0.1 has no events for refusals, lists and credentials; in such a ledger, only records made after the
first event of a kind are expected to have one.
"""

# ruff: noqa: S608 (every query is made only of constants in this file)

from __future__ import annotations

from smki.ledger.sqlite.list_rules import LIST_RULES
from smki.ledger.sqlite.rows import never_in_use
from smki.ledger.sqlite.rule import Rule

_CERTIFICATE = "'certificate ' || hex(c.serial_number)"
_FIRST = "('issued', 'authority added')"
_MADE_BY_THIS_VERSION = "(SELECT event FROM audit_event WHERE id = 1) = 'registered'"

_STATUS = (
    Rule(
        "certificate.status",
        "I, P or R; P only for an Organisation Certificate with a time of deemed acceptance",
        f"""SELECT {_CERTIFICATE}, 'status ' || c.status FROM certificate c WHERE c.status NOT IN ('I', 'P', 'R')
            OR (c.status = 'P' AND (c.deemed_accepted IS NULL OR c.kind != 'organisation'))""",
    ),
    Rule(
        "certificate.status-since",
        "the time of its issue",
        f"""SELECT {_CERTIFICATE}, 'status ' || c.status || ' since ' || c.status_since || ', issued ' || c.issued
            FROM certificate c WHERE c.status_since != c.issued
            AND (c.status = 'P' OR (c.status = 'I' AND c.deemed_accepted IS NULL))""",
    ),
    Rule(
        "certificate.revocation-missing",
        "a revocation",
        f"""SELECT {_CERTIFICATE}, 'status R, not revoked' FROM certificate c
            WHERE c.status = 'R' AND NOT EXISTS (SELECT 1 FROM revocation r WHERE r.certificate_id = c.id)""",
    ),
    Rule(
        "revocation.status",
        "status R since the revocation took effect",
        f"""SELECT {_CERTIFICATE}, 'status ' || c.status || ' since ' || c.status_since || ', revoked with effect of '
            || r.effective FROM revocation r JOIN certificate c ON c.id = r.certificate_id
            WHERE c.status != 'R' OR c.status_since != r.effective OR r.effective < r.revoked""",
    ),
    Rule(
        "revocation.column",
        "the serial number, issuer and notAfter of the certificate",
        f"""SELECT {_CERTIFICATE}, 'different in its revocation' FROM revocation r
            JOIN certificate c ON c.id = r.certificate_id WHERE r.serial_number != c.serial_number
            OR r.issuer_serial_number != coalesce(c.issuer_serial_number, c.serial_number) OR r.not_after != c.not_after""",
    ),
    Rule(
        "certificate.acceptance-missing",
        "an event that records its acceptance at that time",
        f"""SELECT {_CERTIFICATE}, 'in use since ' || c.status_since FROM certificate c
            WHERE c.status = 'I' AND c.deemed_accepted IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_event e
            WHERE e.certificate_id = c.id AND e.event = 'accepted' AND e.at = c.status_since)""",
    ),
    Rule(
        "revocation.event-missing",
        "an event that records its revocation or rejection at that time",
        f"""SELECT {_CERTIFICATE}, 'revoked at ' || r.revoked FROM revocation r JOIN certificate c ON c.id = r.certificate_id
            WHERE NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.certificate_id = c.id
            AND e.event IN ('revoked', 'rejected') AND e.at = r.revoked)""",
    ),
)

_EVENTS = (
    Rule(
        "event.revocation",
        "the reason of the revocation, and who asked for it",
        """SELECT 'event ' || e.id, coalesce(e.detail, '') || ', officer ' || coalesce(e.officer, 'none') FROM audit_event e
            JOIN revocation r ON r.certificate_id = e.certificate_id
            WHERE e.event IN ('revoked', 'rejected') AND e.interface IS NOT NULL AND (e.officer IS NOT r.asked_by
            OR (e.event = 'revoked' AND e.detail != r.reason || ', by ' || r.asked_by))""",
    ),
    Rule(
        "ledger.json",
        "JSON",
        """SELECT 'event ' || id, 'content' FROM audit_event WHERE content IS NOT NULL AND NOT json_valid(content)
            UNION ALL SELECT 'application ' || id, 'reasons' FROM application
            WHERE reasons IS NOT NULL AND NOT json_valid(reasons)
            UNION ALL SELECT 'Party ' || id, 'record' FROM registrant WHERE NOT json_valid(record)
            UNION ALL SELECT 'Device ' || hex(id), 'record' FROM device WHERE NOT json_valid(record)""",
    ),
    Rule(
        "event.issued",
        "the time and the application of the certificate",
        f"""SELECT 'event ' || e.id, 'issued at ' || e.at || ', application ' || coalesce(e.application_id, 'none')
            FROM audit_event e JOIN certificate c ON c.id = e.certificate_id
            WHERE e.event IN {_FIRST} AND (e.at != c.issued OR e.application_id IS NOT c.application_id)""",
    ),
    Rule(
        "event.accepted",
        "a certificate that was pending and is accepted since that time",
        f"""SELECT 'event ' || e.id, 'accepted at ' || e.at || ': ' || {_CERTIFICATE} || ', status ' || c.status
            FROM audit_event e JOIN certificate c ON c.id = e.certificate_id WHERE e.event = 'accepted'
            AND (c.deemed_accepted IS NULL OR c.status NOT IN ('I', 'R') OR (c.status = 'I' AND c.status_since != e.at))""",
    ),
    Rule(
        "event.revoked",
        "a certificate that was revoked at that time",
        f"""SELECT 'event ' || e.id, e.event || ' at ' || e.at || ': ' || {_CERTIFICATE} || ', status ' || c.status
            FROM audit_event e JOIN certificate c ON c.id = e.certificate_id
            LEFT JOIN revocation r ON r.certificate_id = c.id
            WHERE e.event IN ('revoked', 'rejected') AND NOT (e.event = 'rejected' AND c.kind = 'device')
            AND (c.status != 'R' OR r.revoked IS NOT e.at OR (e.event = 'rejected' AND r.reason != 'rejected'))""",
    ),
    Rule(
        "event.repeated",
        "one",
        f"""SELECT {_CERTIFICATE}, e.event || ' ' || count(*) || ' times' FROM audit_event e
            JOIN certificate c ON c.id = e.certificate_id WHERE NOT (e.event = 'rejected' AND c.kind = 'device')
            GROUP BY e.certificate_id, CASE WHEN e.event IN {_FIRST} THEN 'issued' ELSE e.event END HAVING count(*) > 1
            UNION ALL SELECT 'application ' || application_id, 'refused ' || count(*) || ' times' FROM audit_event
            WHERE event = 'refused' GROUP BY application_id HAVING count(*) > 1""",
    ),
    # In version 0.1 a rejection took two commits, each with an event, and was possible after an acceptance.
    Rule(
        "event.contradiction",
        "that alone",
        f"""SELECT {_CERTIFICATE}, 'rejected, and ' || o.event FROM audit_event e
            JOIN certificate c ON c.id = e.certificate_id
            JOIN audit_event o ON o.certificate_id = e.certificate_id AND o.event IN ('accepted', 'revoked')
            WHERE e.event = 'rejected' AND c.kind != 'device' AND e.interface IS NOT NULL""",
    ),
    Rule(
        "event.order",
        "issued, then accepted, then revoked or rejected",
        f"""SELECT {_CERTIFICATE}, later.event || ' (event ' || later.id || ') before ' || earlier.event || ' (event '
            || earlier.id || ')' FROM audit_event later JOIN certificate c ON c.id = later.certificate_id
            JOIN audit_event earlier ON earlier.certificate_id = later.certificate_id AND later.id < earlier.id
            WHERE later.event IN ('accepted', 'revoked', 'rejected') AND (earlier.event IN {_FIRST}
            OR (earlier.event = 'accepted' AND later.event != 'accepted'))""",
    ),
    Rule(
        "event.subject-missing",
        "a record in the ledger that it refers to",
        """SELECT 'event ' || id, event || ': certificate ' || certificate_id FROM audit_event
            WHERE certificate_id IS NOT NULL AND certificate_id NOT IN (SELECT id FROM certificate)
            UNION ALL SELECT 'event ' || id, event || ': application ' || application_id FROM audit_event
            WHERE application_id IS NOT NULL AND application_id NOT IN (SELECT id FROM application)
            UNION ALL SELECT 'event ' || id, event || ': Device ' || hex(device) FROM audit_event
            WHERE device IS NOT NULL AND device NOT IN (SELECT id FROM device)
            UNION ALL SELECT 'event ' || id, event || ': Party ' || concerns FROM audit_event
            WHERE concerns IS NOT NULL AND concerns NOT IN (SELECT id FROM registrant)""",
    ),
    # Ids are consecutive, but for the gap that a restore leaves where they are shown to people, and no row is ever deleted.
    *(
        Rule(
            f"{name}.gap",
            "consecutive ids starting at 1" + (", but for the gap of a restore" if has_gaps else ""),
            f"""SELECT '{name} ' || id, 'follows {name} ' || before FROM (SELECT id, lag(id, 1, 0) OVER (ORDER BY id)
                AS before FROM {table} WHERE (SELECT max(id) != count(*) OR min(id) != 1 FROM {table}))
            WHERE id != before + 1 AND NOT ({has_gaps} AND id > before AND id IN (
                SELECT json_extract(content, '$.numbersAbove') + 1 FROM audit_event WHERE event = 'restored'))""",
        )
        for name, table, has_gaps in (
            ("event", "audit_event", 0),
            ("application", "application", 1),
            ("certificate", "certificate", 1),
            ("revocation", "revocation", 0),
        )
    ),
)

_APPLICATIONS = (
    Rule(
        "application.column",
        "the kind, identifier, role and usage of its certificate",
        f"""SELECT 'application ' || a.id, 'for another certificate than ' || {_CERTIFICATE} FROM application a
            JOIN certificate c ON c.application_id = a.id WHERE a.tbs IS NULL AND (a.kind != c.kind OR a.usage IS NOT c.usage
            OR a.entity_identifier IS NOT c.entity_identifier OR a.role IS NOT c.role OR a.top_up != c.top_up)
            AND c.usage IS NOT NULL""",
    ),
    Rule(
        "application.certificate-missing",
        "its certificate",
        """SELECT 'application ' || a.id, 'granted, no certificate' FROM application a
            WHERE a.granted AND a.tbs IS NULL AND NOT EXISTS (SELECT 1 FROM certificate c
            WHERE c.serial_number = a.serial_number AND c.application_id = a.id)""",
    ),
    Rule(
        "application.refusal",
        "a reason and no serial number if it was refused, a serial number and no reason if it was granted",
        """SELECT 'application ' || id, CASE granted WHEN 1 THEN 'granted' ELSE 'refused' END FROM application
            WHERE tbs IS NULL AND (granted != (serial_number IS NOT NULL) OR granted = (reasons IS NOT NULL))
            AND NOT (granted = 0 AND serial_number IS NOT NULL AND reasons IS NOT NULL)""",
    ),
    Rule(
        "application.event-missing",
        "an event that records the refusal",
        f"""SELECT 'application ' || id, 'refused at ' || received FROM application WHERE NOT granted
            AND ({_MADE_BY_THIS_VERSION} OR id > (SELECT min(application_id) FROM audit_event WHERE event = 'refused'))
            AND id NOT IN (SELECT application_id FROM audit_event WHERE event = 'refused' AND application_id IS NOT NULL)""",
    ),
    Rule(
        "event.refused",
        "an application that was refused at that time",
        """SELECT 'event ' || e.id, 'refused at ' || e.at || ', application ' || coalesce(a.id, 'none') FROM audit_event e
            LEFT JOIN application a ON a.id = e.application_id
            WHERE e.event = 'refused' AND (a.granted IS NOT 0 OR a.received != e.at)""",
    ),
)

# When each certificate replaced the older ones for the same subject, role and usage; one that was rejected or revoked
# while pending never did.
_TAKEN_OVER = f"""WITH taking AS (
    SELECT c.id, c.entity_identifier, c.kind, c.role, c.usage, c.top_up, c.replaced, c.replaced_by, c.serial_number,
    CASE WHEN c.deemed_accepted IS NULL THEN c.issued
    WHEN {never_in_use("c")} THEN NULL
    ELSE coalesce((SELECT min(e.at) FROM audit_event e WHERE e.certificate_id = c.id AND e.event = 'accepted'),
        c.deemed_accepted) END AS since
    FROM certificate c WHERE c.entity_identifier IS NOT NULL AND c.usage IS NOT NULL)"""

_REPLACED = (
    Rule(
        "certificate.replaced",
        "the time from which its first successor is in use",
        f"""{_TAKEN_OVER} SELECT {_CERTIFICATE}, 'replaced ' || coalesce(replaced, 'never') || ', a successor in use '
            || coalesce('from ' || first, 'never') FROM (SELECT *, min(since) OVER (PARTITION BY entity_identifier, kind, role,
            usage, top_up ORDER BY id ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS first FROM taking) c
            WHERE c.replaced IS NOT c.first""",
    ),
    Rule(
        "certificate.replaced-by",
        "a newer certificate for the same subject, role and usage, in use from that time",
        f"""{_TAKEN_OVER} SELECT {_CERTIFICATE}, 'replaced ' || coalesce(c.replaced, 'never') || ' by certificate '
            || coalesce(c.replaced_by, 'none') FROM taking c LEFT JOIN taking n ON n.id = c.replaced_by
            WHERE (c.replaced IS NOT NULL OR c.replaced_by IS NOT NULL) AND (c.replaced IS NULL OR n.id IS NULL
            OR n.id <= c.id OR n.entity_identifier != c.entity_identifier OR n.kind != c.kind OR n.role IS NOT c.role
            OR n.usage != c.usage OR n.top_up != c.top_up OR n.since IS NOT c.replaced)""",
    ),
    Rule(
        "certificate.replaced-authority",
        "nothing, as for every authority",
        f"""SELECT {_CERTIFICATE}, 'replaced' FROM certificate c WHERE (c.entity_identifier IS NULL OR c.usage IS NULL)
            AND (c.replaced IS NOT NULL OR c.replaced_by IS NOT NULL)""",
    ),
)


def _recount(table: str, keys: str, count: str, recounted: str) -> Rule:
    return Rule(
        "ledger.counter",
        "the number of rows",
        f"""SELECT '{table} ' || key, 'count ' || sum(said) || ', rows ' || sum(there) FROM (
            SELECT {keys} AS key, {count} AS said, 0 AS there FROM {table} UNION ALL {recounted})
            GROUP BY key HAVING sum(said) != sum(there)""",
    )


_COUNTERS = (
    _recount(
        "subscriber",
        "id",
        "certificates",
        "SELECT subscriber, 0, count(*) FROM application WHERE serial_number IS NOT NULL AND granted GROUP BY 1",
    ),
    _recount(
        "test_count",
        "subscriber || ' ' || test",
        "certificates",
        """SELECT subscriber || ' ' || test, 0, count(*) FROM application
            WHERE test IS NOT NULL AND serial_number IS NOT NULL AND granted GROUP BY 1""",
    ),
    _recount(
        "certificate_count",
        "kind || ' ' || role || ' ' || usage || ' ' || status",
        "certificates",
        """SELECT kind || ' ' || coalesce(role, -1) || ' ' || coalesce(usage, '') || ' ' || status, 0, count(*)
            FROM certificate GROUP BY 1""",
    ),
    _recount(
        "application_count",
        "kind || ' ' || granted",
        "applications",
        "SELECT kind || ' ' || granted, 0, count(*) FROM application GROUP BY 1",
    ),
    _recount(
        "refusal_count",
        "code",
        "refusals",
        "SELECT json_extract(reasons, '$[0].code'), 0, count(*) FROM application WHERE reasons IS NOT NULL GROUP BY 1",
    ),
    Rule(
        "ledger.fingerprint",
        "one for each certificate",
        """SELECT 'certificate ' || id, sum(sign) || ' too many' FROM (SELECT id, -1 AS sign FROM certificate
            UNION ALL SELECT certificate_id, 1 FROM fingerprint) GROUP BY id HAVING sum(sign) != 0""",
    ),
)

_RECORD = "CASE WHEN json_valid(record) THEN json_extract(record, '$.{}') END"
_IDENTIFIERS = f"coalesce({_RECORD.format('identifiers')}, '')"

_REGISTER = (
    Rule(
        "register.id",
        "its own id",
        f"""SELECT 'Party ' || id, 'a record of another' FROM registrant WHERE id IS NOT
            coalesce({_RECORD.format("party_id")}, {_RECORD.format("participant_id")})
            UNION ALL SELECT 'Device ' || hex(id), 'a record of another' FROM device
            WHERE hex(id) IS NOT replace({_RECORD.format("device_id")}, '-', '')""",
    ),
    Rule(
        "register.identifier",
        "the Entity Identifiers of its record",
        f"""SELECT 'Party ' || id, said || ' in its record, ' || owned || ' that it owns' FROM (SELECT id,
            CASE said WHEN '' THEN 0 ELSE length(said) - length(replace(said, ',', '')) + 1 END AS said,
            (SELECT count(*) FROM entity_identifier e WHERE e.registrant = r.id
                AND instr(replace(said, '-', ''), hex(e.octets))) AS named,
            (SELECT count(*) FROM entity_identifier e WHERE e.registrant = r.id) AS owned
            FROM (SELECT id, {_IDENTIFIERS} AS said FROM registrant) r) WHERE said != named OR owned != named""",
    ),
)

_OTHERS = (
    Rule(
        "credential.party-unknown",
        "a Party or Testing Participant that is registered",
        """SELECT 'credential ' || id, coalesce('of ' || party, 'of nobody') FROM credential
            WHERE (kind = 'officer-token' AND party IS NULL)
            OR (party IS NOT NULL AND party NOT IN (SELECT id FROM registrant))""",
    ),
    Rule(
        "credential.event-missing",
        "an event that records it",
        f"""SELECT 'credential ' || id, 'made' FROM credential
            WHERE ({_MADE_BY_THIS_VERSION} OR id > (SELECT min(json_extract(content, '$.id')) FROM audit_event
                WHERE event = 'credential made'))
            AND id NOT IN (SELECT json_extract(content, '$.id') FROM audit_event WHERE event = 'credential made')
            UNION ALL SELECT 'credential ' || id, 'revoked' FROM credential WHERE revoked IS NOT NULL
            AND id IN (SELECT json_extract(content, '$.id') FROM audit_event WHERE event = 'credential made')
            AND id NOT IN (SELECT j.value FROM audit_event e, json_each(e.content, '$.ids') j
                WHERE e.event = 'credential revoked')""",
    ),
    Rule(
        "event.credential",
        "a credential that was made or revoked",
        """SELECT 'event ' || id, event || ' ' || json_extract(content, '$.id') FROM audit_event
            WHERE event = 'credential made' AND json_extract(content, '$.id') NOT IN (SELECT id FROM credential)
            UNION ALL SELECT 'event ' || e.id, e.event || ' ' || j.value FROM audit_event e, json_each(e.content, '$.ids') j
            WHERE e.event = 'credential revoked' AND j.value NOT IN (SELECT id FROM credential WHERE revoked IS NOT NULL)""",
    ),
    Rule(
        "list.event-missing",
        "an event that records its issue",
        f"""SELECT 'revocation list ' || l.number || ' of ' || hex(l.issuer_serial_number), 'no event' FROM revocation_list l
            LEFT JOIN (SELECT json_extract(content, '$.issuer') AS issuer, json_extract(content, '$.number') AS number
                FROM audit_event WHERE event = 'list issued') e
            ON e.issuer = hex(l.issuer_serial_number) AND e.number = l.number
            WHERE e.number IS NULL AND ({_MADE_BY_THIS_VERSION} OR l.number > (SELECT min(json_extract(content, '$.number'))
                FROM audit_event WHERE event = 'list issued'
                AND json_extract(content, '$.issuer') = hex(l.issuer_serial_number)))""",
    ),
    Rule(
        "event.list",
        "a list of that issuer and number with that many entries",
        """SELECT 'event ' || e.id, coalesce(e.detail, '') FROM audit_event e LEFT JOIN revocation_list l
            ON hex(l.issuer_serial_number) = json_extract(e.content, '$.issuer')
            AND l.number = json_extract(e.content, '$.number')
            WHERE e.event = 'list issued' AND l.entries IS NOT json_extract(e.content, '$.entries')""",
    ),
    Rule(
        "event.imported",
        "every certificate that it names",
        """SELECT 'event ' || e.id, 'no imported certificate ' || j.value FROM audit_event e, json_each(e.content, '$.sha256') j
            WHERE e.event = 'imported' AND upper(j.value) NOT IN (SELECT hex(sha256) FROM imported_certificate)""",
    ),
    Rule(
        "import.event-missing",
        "an event that records the import",
        f"""SELECT 'imported certificate ' || hex(sha256), 'no event' FROM imported_certificate
            WHERE {_MADE_BY_THIS_VERSION} AND lower(hex(sha256)) NOT IN (SELECT j.value FROM audit_event e,
            json_each(e.content, '$.sha256') j WHERE e.event = 'imported')""",
    ),
)

RULES = (*_STATUS, *_EVENTS, *_APPLICATIONS, *_REPLACED, *_COUNTERS, *_REGISTER, *_OTHERS, *LIST_RULES)
