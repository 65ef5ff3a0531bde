"""Certificates by whatever somebody has at hand: a serial number, a digest, an Entity Identifier, a name."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from smki.identity import EntityIdentifier, PartyId, SerialNumber
from smki.ledger import ApplicationQuery, CertificateQuery, CertificateRecord, Ledger
from smki.problem import Malformed
from smki.sec.role import CertificateKind

LEAST_PREFIX_DIGITS = 4
"""A beginning of a serial number has to have so many hexadecimal digits: fewer are too many certificates'."""

_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+\Z")
_DECIMAL = re.compile(r"[1-9][0-9]{0,48}\Z")
_SHA256_DIGITS = 64
_NAMED_KINDS = tuple(kind for kind in CertificateKind if kind is not CertificateKind.DEVICE)


def readings(text: str) -> dict[str, CertificateQuery]:
    """What a text can be read as: queries by what they look for; a name or a Party ID is not among them.

    A text can be several things at once: 16 digits are an Entity Identifier, or a serial number in either base.
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
    """Ours, or else the first imported one: certificates of other issuers can have the same serial number."""
    ours = ledger.certificate(serial_number)
    if ours is not None:
        return ours
    return next((found.record for found in ledger.imports.with_serial_number(serial_number)), None)


def look_up(ledger: Ledger, text: str) -> Iterator[CertificateRecord]:
    """Every certificate that a text can mean, each once: by what :func:`readings` makes of it, by the Party or Testing
    Participant whose id it is, or by a part of its common name in any case.

    Only where nothing shorter finds any are the certificates gone through for a common name.
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
