"""Finds certificates by a serial number, a digest, an Entity Identifier, a Party ID or a name."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from smki.identity import EntityIdentifier, PartyId, SerialNumber
from smki.ledger import ApplicationQuery, CertificateQuery, CertificateRecord, Ledger
from smki.problem import Malformed
from smki.sec.role import CertificateKind

LEAST_PREFIX_DIGITS = 4
"""Minimum number of hexadecimal digits of a partial serial number; fewer would match too many certificates."""

_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+\Z")
_DECIMAL = re.compile(r"[1-9][0-9]{0,48}\Z")
_SHA256_DIGITS = 64
_NAMED_KINDS = tuple(kind for kind in CertificateKind if kind is not CertificateKind.DEVICE)


def readings(text: str) -> dict[str, CertificateQuery]:
    """Return the possible meanings of a text, as queries by what they look for; names and Party IDs are not included.

    A text can have several meanings: 16 digits are an Entity Identifier, or a serial number in hexadecimal or decimal.
    """
    digits = re.sub(r"[\s:-]", "", text)
    found: dict[str, CertificateQuery] = {}
    if _HEXADECIMAL.match(digits) and len(digits) == _SHA256_DIGITS:
        return {"SHA-256": CertificateQuery(sha256=bytes.fromhex(digits))}
    with contextlib.suppress(Malformed):
        found["Entity Identifier"] = CertificateQuery(entity_identifier=EntityIdentifier.parse(text))
    with contextlib.suppress(Malformed):
        found["serial number"] = CertificateQuery(serial_number=SerialNumber.parse(digits))
    if _DECIMAL.match(digits):
        found["serial number in decimal"] = CertificateQuery(serial_number=SerialNumber(int(digits)))
    if _HEXADECIMAL.match(digits) and LEAST_PREFIX_DIGITS <= len(digits) < 32:
        found["beginning of a serial number"] = CertificateQuery(serial_prefix=digits)
    return found


def with_serial_number(ledger: Ledger, serial_number: SerialNumber) -> CertificateRecord | None:
    """Return the certificate issued here with a serial number, or else the first imported one, or None."""
    ours = ledger.certificate(serial_number)
    if ours is not None:
        return ours
    return next((found.record for found in ledger.imports.with_serial_number(serial_number)), None)


def look_up(ledger: Ledger, text: str) -> Iterator[CertificateRecord]:
    """Yield every certificate that a text can mean, each once: by :func:`readings`, by the id of its Party or Testing
    Participant, or by part of its common name, ignoring case.

    Common names are searched only if nothing else matches, because that reads every certificate.
    """
    seen: set[int] = set()
    for query in readings(text).values():
        for record in ledger.search.all_certificates(query):
            if record.id not in seen:
                seen.add(record.id)
                yield record
    if not seen:
        yield from _of_party(ledger, text) or _with_name(ledger, text)


def _of_party(ledger: Ledger, text: str) -> Iterator[CertificateRecord] | None:
    try:
        party = PartyId.parse(text)
    except Malformed:
        return None
    if ledger.register.registrant(party) is None:
        return None
    return _issued_to(ledger, party)


def _issued_to(ledger: Ledger, party: PartyId) -> Iterator[CertificateRecord]:
    for application in ledger.applications(ApplicationQuery(subscriber=str(party), granted=True)):
        record = ledger.certificate(application.serial_number) if application.serial_number else None
        if record is not None:
            yield record


def _with_name(ledger: Ledger, text: str) -> Iterator[CertificateRecord]:
    wanted = text.strip().casefold()
    for record in ledger.search.all_certificates(CertificateQuery(kinds=_NAMED_KINDS)):
        if wanted and wanted in (record.certificate.common_name or "").casefold():
            yield record
