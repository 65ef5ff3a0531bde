"""JSON objects for records of the ledger: the only place that names their fields, for all interfaces."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from smki.clock import iso
from smki.ledger import ApplicationRecord, CertificateRecord, CredentialRecord, Event
from smki.ledger.damage import read_stored
from smki.pki.certificate import Certificate
from smki.pki.template import CertificateReader
from smki.profile.designation import designation_of, policy_in, policy_of
from smki.remedies import Interface
from smki.sec.certified_product import CertifiedProduct

SUMMARY_FIELDS = (
    "serialNumber", "kind", "entityIdentifier", "role", "usage", "status", "notBefore", "notAfter", "issued",
    "issuerSerialNumber", "issuedHere", "designation", "policyOid", "policyName",
)  # fmt: skip
"""The fields that the ledger stores for a certificate, and what it is: available without reading all of its DER."""

DETAIL_FIELDS = (
    *SUMMARY_FIELDS,
    "statusSince", "issuer", "subject", "roleCode", "commonName", "keyUsage", "publicKey", "subjectKeyIdentifier",
    "authorityKeyIdentifier", "sha256",
)  # fmt: skip
"""All fields of a certificate, except the certificate itself."""

PEM_FIELD = "pem"
"""The certificate itself, in PEM; included only on request."""


def certificate_summary(record: CertificateRecord, moment: datetime) -> dict[str, Any]:
    """Return the SUMMARY_FIELDS of a certificate, with its status at *moment*: text, ISO 8601, hexadecimal, or None.

    issuedHere is false for imported certificates; designation is ``Test Certificate`` for everything issued here.
    """
    return {
        "serialNumber": record.serial_number.hex,
        "kind": record.kind.value,
        "entityIdentifier": record.entity_identifier.hyphenated if record.entity_identifier else None,
        "role": record.role.label if record.role else None,
        "usage": record.usage.code if record.usage else None,
        "status": record.status_at(moment).value,
        "notBefore": iso(record.not_before),
        "notAfter": iso(record.not_after),
        "issued": iso(record.issued),
        "issuerSerialNumber": record.issuer_serial_number.hex if record.issuer_serial_number else None,
        "issuedHere": record.issued_here,
        **designation_of(_policy_of(record), issued_here=record.issued_here),
    }


def _policy_of(record: CertificateRecord) -> str | None:
    if not record.issued_here:
        return policy_of(record.certificate)
    return read_stored("certificate", record.serial_number, record.der, policy_in)


def certificate_details(
    record: CertificateRecord, moment: datetime, reader: CertificateReader | None = None
) -> dict[str, Any]:
    """Return the DETAIL_FIELDS of a certificate; keyUsage is a list.

    :param reader: reads the certificate, if many of them are described.
    """
    read = Certificate.from_der if reader is None else reader.read
    certificate = read_stored("certificate", record.serial_number, record.der, read)
    return {
        **certificate.as_json(),
        "usage": record.usage.code if record.usage else None,
        "status": record.status_at(moment).value,
        "statusSince": iso(record.status_since_at(moment)),
        "issued": iso(record.issued),
        "issuerSerialNumber": record.issuer_serial_number.hex if record.issuer_serial_number else None,
        "issuedHere": record.issued_here,
        **designation_of(policy_of(certificate), issued_here=record.issued_here),
    }


def certificate_fields(
    record: CertificateRecord, moment: datetime, fields: Sequence[str], reader: CertificateReader | None = None
) -> dict[str, Any]:
    """Return some of DETAIL_FIELDS and PEM_FIELD, in the order given; the DER is read only if one of them needs it."""
    if all(name in SUMMARY_FIELDS for name in fields):
        known = certificate_summary(record, moment)
    else:
        known = certificate_details(record, moment, reader)
        if PEM_FIELD in fields:
            known[PEM_FIELD] = record.certificate.as_pem()
    return {name: known[name] for name in fields}


def csv_line(values: Iterable[Any]) -> str:
    """Return values as a row of CSV (RFC 4180): None is empty, booleans are as in JSON, spaces separate list items."""
    line = io.StringIO()
    csv.writer(line).writerow(map(_csv_cell, values))
    return line.getvalue()


def _csv_cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def application_fields(record: ApplicationRecord, interface: Interface = Interface.CLI) -> dict[str, Any]:
    """Return an application and its outcome as a JSON object."""
    of = record.application
    return {
        "id": record.id,
        "received": iso(of.received),
        "interface": of.interface,
        "subscriber": of.subscriber,
        "officer": of.officer,
        "appliedBy": of.applied_by,
        "kind": of.kind.value,
        "entityIdentifier": str(of.entity_identifier) if of.entity_identifier else None,
        "role": of.role.label if of.role else None,
        "usage": of.usage.code if of.usage else None,
        "statement": of.statement.value if of.statement else None,
        "test": of.test,
        "granted": record.granted,
        "reasons": [reason.as_json(interface) for reason in record.reasons],
        "serialNumber": record.serial_number.hex if record.serial_number else None,
    }


def product_fields(product: CertifiedProduct) -> dict[str, Any]:
    """Return an entry of the Certified Products List as a JSON object."""
    return {"model": product.model, "device_type": product.device_type.name, "listed": iso(product.listed)}


def credential_state(credential: CredentialRecord, now: datetime) -> str:
    """Return the state of a credential as text.

    :param now: the current time of the real clock, which all times of credentials refer to.
    """
    if credential.revoked is not None:
        return f"revoked {iso(credential.revoked)}"
    if not credential.is_valid_at(now):
        return "expired"
    return f"until {iso(credential.expires)}" if credential.expires else "good"


def credential_fields(credential: CredentialRecord, now: datetime) -> dict[str, Any]:
    """Return an API key or a token as a JSON object, without its secret; *now* as for :func:`credential_state`."""
    return {
        "number": credential.id,
        "name": credential.name,
        "party": credential.party,
        "created": iso(credential.created),
        "expires": iso(credential.expires) if credential.expires else None,
        "revoked": iso(credential.revoked) if credential.revoked else None,
        "state": credential_state(credential, now),
    }


def event_fields(event: Event) -> dict[str, Any]:
    """Return an audit event as a JSON object."""
    return {
        "id": event.id,
        "at": iso(event.at),
        "event": event.kind.value,
        "interface": event.interface or None,
        "party": event.party or None,
        "officer": event.officer or None,
        "concerns": event.concerns or None,
        "deviceId": event.device_id.hyphenated if event.device_id else None,
        "serialNumber": event.serial_number.hex if event.serial_number else None,
        "application": event.application_id,
        "detail": event.detail or None,
        "content": event.content,
    }


def event_text(event: Event) -> str:
    """Return an audit event as one line of text."""
    who = f"{event.officer} of {event.party}" if event.officer and event.party else event.officer or event.party
    what = event.serial_number.hex if event.serial_number else event.concerns or str(event.device_id or "")
    parts = (
        iso(event.at),
        f"{event.kind.value:<17}",
        what,
        event.detail,
        f"({who or 'operator'}, {event.interface or '?'})",
    )
    return "  ".join(part for part in parts if part)
