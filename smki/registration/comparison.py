"""Compares a certificate with the request that it was issued for: what a subscriber checks before accepting it (SEC L11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smki.clock import iso
from smki.ledger import ApplicationRecord, CertificateRecord, Reader
from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest, read_request
from smki.pki.x509 import name_text
from smki.problem import Problem, SmkiError
from smki.registration.actor import Actor
from smki.registration.officers import acting_officer, certificate_of


class NotComparable(SmkiError):
    """There is no such certificate, or no request that it was issued for."""


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One field of a request and of the certificate."""

    name: str
    requested: str
    """What the request asks for, as text; empty if it asks for nothing."""
    certified: str
    """What the certificate says, as text; empty if it says nothing."""
    agrees: bool

    def as_json(self) -> dict[str, Any]:
        """Return the field as a JSON object; an empty text is null."""
        return {
            "field": self.name,
            "requested": self.requested or None,
            "certified": self.certified or None,
            "agrees": self.agrees,
        }


@dataclass(frozen=True, slots=True)
class RequestComparison:
    """A certificate beside its request. Nothing is accepted or rejected by it."""

    record: CertificateRecord
    application: ApplicationRecord
    fields: tuple[ComparedField, ...]

    @property
    def agrees(self) -> bool:
        """Whether every field agrees."""
        return all(field.agrees for field in self.fields)

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as a JSON object."""
        deemed = self.record.deemed_accepted
        return {
            "serialNumber": self.record.serial_number.hex,
            "application": self.application.id,
            "agrees": self.agrees,
            "deemedAccepted": iso(deemed) if deemed else None,
            "fields": [field.as_json() for field in self.fields],
        }


def compare(reader: Reader, serial_number: object, actor: Actor) -> RequestComparison:
    """Compare a certificate with its request, for an officer of its subscriber or the operator of the home.

    :raises NotComparable: if there is no such certificate, or it was issued without a request.
    :raises NotYours: if the actor is not an officer of its subscriber.
    """
    record = certificate_of(reader, serial_number, NotComparable)
    application = reader.application(record.application_id)
    encoded = application.application.request if application else None
    if application is None or encoded is None:
        raise NotComparable(
            Problem(
                code="certificate.no-request",
                subject=f"certificate {record.serial_number}",
                seen=f"{record.kind.title_with_article}, issued without a certification request",
                expected="an Organisation or a Device Certificate",
            )
        )
    if not actor.is_operator:
        acting_officer(reader, record, actor)
    asked = application.application.kind
    kind = ComparedField("kind", asked.title, record.kind.title, asked is record.kind)
    return RequestComparison(record, application, (kind, *compared_fields(record.certificate, _request(encoded))))


def differences_from_request(reader: Reader, record: CertificateRecord) -> tuple[Problem, ...]:
    """Return the differences between a certificate and its request; empty if there are none, or there is no request."""
    application = reader.application(record.application_id)
    encoded = application.application.request if application else None
    return differences(record.certificate, _request(encoded)) if encoded else ()


def differences(certificate: Certificate, request: CertificationRequest) -> tuple[Problem, ...]:
    """Return the parts in which a certificate differs from a request; empty if there are none."""
    return tuple(
        Problem(
            code="certificate.differs-from-request",
            subject=field.name,
            seen=field.certified or "none",
            expected=field.requested or "none",
        )
        for field in _copied(certificate, request)
        if not field.agrees
    )


def compared_fields(certificate: Certificate, request: CertificationRequest) -> list[ComparedField]:
    """Return what a request asks for, beside what the certificate says: first what it means, then what is copied byte for
    byte."""
    meanings = (
        ("Entity Identifier", request.entity_identifier, certificate.entity_identifier),
        ("role", request.role.label if request.role else "", certificate.role.label if certificate.role else ""),
        ("usage", request.usage.label, certificate.usage.label if certificate.usage else ""),
    )
    fields = [ComparedField(name, str(asked), str(given or ""), asked == given) for name, asked, given in meanings]
    return [*fields, *_copied(certificate, request)]


def _copied(certificate: Certificate, request: CertificationRequest) -> list[ComparedField]:
    parts: tuple[tuple[str, bytes | None, bytes | None, Callable[[bytes], str]], ...] = (
        ("subject", request.subject, certificate.subject, name_text),
        ("public key", request.public_key_info, certificate.public_key_info, bytes.hex),
        ("keyUsage", request.key_usage, certificate.extension_values.get(Oid.KEY_USAGE), bytes.hex),
        ("subjectAltName", request.subject_alt_name, certificate.extension_values.get(Oid.SUBJECT_ALT_NAME), bytes.hex),
    )
    fields = []
    for name, asked, given, as_text in parts:
        requested, certified = ("" if part is None else as_text(part) for part in (asked, given))
        fields.append(ComparedField(name, requested, certified, asked == given))
    return fields


def _request(encoded: bytes) -> CertificationRequest:
    return CertificationRequest.of(read_request(encoded))
