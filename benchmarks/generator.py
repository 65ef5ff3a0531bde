"""Fills a ledger with very many Device Certificates, in minutes: every one really built, linted and signed.

What the registration does one at a time, with a commit before and after each signature, is done here by the thousand:
the rows are those that it would have written.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from smki import CertificateKind, DeviceType, EntityIdentifier, KeyUsage, Smki
from smki.authority.certification_authority import SigningKey
from smki.keys.private_key import SystemRandomness, key_to_pem
from smki.ledger import CertificateRecord, EventKind, NewApplication, NewEvent, Transaction
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest, make_device_request, read_request
from smki.profile import IssuerFacts
from smki.profile.build import CertificateContents, build_tbs_certificate, validity_from
from smki.profile.clearance import clear_for_signature
from smki.profile.tables import profile_of
from smki.sec.device import Device
from smki.sec.role import CertificateStatus

USAGES = (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)
DEVICES_AT_A_TIME = 500
WORKERS = 2
FIRST_DEVICE = 0x00DB_1234_0000_0000


@dataclass(frozen=True, slots=True)
class Issuer:
    """What a worker needs to issue."""

    certificate: bytes
    key: bytes
    policy_oid: str
    moment: datetime


def device_id(number: int) -> EntityIdentifier:
    """The Device with that number, from 0."""
    return EntityIdentifier((FIRST_DEVICE + number).to_bytes(8, "big"))


def fill(home: Path, certificates: int) -> None:
    """Make an SMKI with that many Device Certificates, two for each Device; says on standard error how far it is."""
    with Smki.create(home) as smki:
        began = time.perf_counter()
        record = smki.hierarchy.issuing(smki.ledger, CertificateKind.DEVICE)[0]
        key = load_pem_private_key(next((home / "keys").glob("issuing-dca*.key")).read_bytes(), None)
        issuer = Issuer(
            record.certificate.der,
            key_to_pem(key, None),  # type: ignore[arg-type]
            smki.configuration.policy_oid,
            smki.clock.now(),
        )
        assert isinstance(smki.ledger, SqliteLedger)
        smki.ledger._connections[0].execute("PRAGMA synchronous = OFF")  # what is lost in a crash here is a benchmark
        done = 0
        for made in _batches(issuer, certificates // len(USAGES)):
            _store(smki.ledger, issuer, record.certificate, made)
            done += len(made)
            spent = time.perf_counter() - began
            if sys.stderr.isatty():
                print(f"\r{done:,} certificates, {done / spent:,.0f} a second", end="", file=sys.stderr)
        smki.ledger._connections[0].execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _batches(issuer: Issuer, devices: int) -> Iterator[list[tuple[bytes, bytes]]]:
    """Requests and certificates (DER), some hundred Devices at a time."""
    starts = range(0, devices, DEVICES_AT_A_TIME)
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        waiting = []
        for start in starts:
            count = min(DEVICES_AT_A_TIME, devices - start)
            waiting.append(pool.submit(_make, issuer, start, count))
            if len(waiting) > 2 * WORKERS:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


def _make(issuer: Issuer, first: int, count: int) -> list[tuple[bytes, bytes]]:
    draw, profile = SystemRandomness(), profile_of(CertificateKind.DEVICE)
    facts = IssuerFacts.of(Certificate.from_der(issuer.certificate))
    signing_key = SigningKey(facts.name or b"", lambda: load_pem_private_key(issuer.key, None))  # type: ignore[arg-type,return-value]
    validity = validity_from(issuer.moment, profile.validity.form)
    made = []
    for number in range(first, first + count):
        for usage in USAGES:
            encoded = make_device_request(draw.private_key(""), device_id(number), usage)
            request = CertificationRequest.of(read_request(encoded))
            contents = CertificateContents(
                serial_number=draw.serial_number(request.public_key_info, 0),
                issuer=facts.name or b"",
                not_before=validity[0],
                not_after=validity[1],
                subject=request.subject,
                public_key_info=request.public_key_info,
                issuer_key_identifier=facts.key_identifier,
                policy_oid=issuer.policy_oid,
                carried_over={
                    Oid.KEY_USAGE: request.key_usage,
                    Oid.SUBJECT_ALT_NAME: request.subject_alt_name or b"",
                },
            )
            tbs = build_tbs_certificate(profile, contents)
            cleared = clear_for_signature(tbs, profile, facts, issuer.policy_oid)
            made.append((encoded, signing_key.sign(cleared)))
    return made


def _store(ledger: SqliteLedger, issuer: Issuer, above: Certificate, made: list[tuple[bytes, bytes]]) -> None:
    records = [(request, Certificate.from_der(certificate)) for request, certificate in made]
    entities = {certificate.entity_identifier: None for _, certificate in records if certificate.entity_identifier}
    devices = [Device(entity, DeviceType.ESME) for entity in entities]

    def write(transaction: Transaction) -> None:
        for device in devices:
            transaction.add_device(device)
        for request, certificate in records:
            new = NewApplication(
                received=issuer.moment,
                interface="benchmark",
                subscriber="LARGE-SUPPLIER",
                officer="Large Supplier Officer",
                kind=CertificateKind.DEVICE,
                entity_identifier=certificate.entity_identifier,
                usage=certificate.usage,
                request=request,
            )
            record = CertificateRecord(
                serial_number=certificate.serial_number,
                kind=CertificateKind.DEVICE,
                entity_identifier=certificate.entity_identifier,
                role=None,
                usage=certificate.usage,
                not_before=certificate.not_before,
                not_after=certificate.not_after,
                stored_status=CertificateStatus.IN_USE,
                status_since=issuer.moment,
                deemed_accepted=None,
                issued=issuer.moment,
                issuer_serial_number=above.serial_number,
                application_id=transaction.add_application(new, serial_number=certificate.serial_number),
                der=certificate.der,
            )
            stored = transaction.add_certificate(record)
            transaction.append_event(
                NewEvent(
                    at=issuer.moment,
                    kind=EventKind.ISSUED,
                    application_id=stored.application_id,
                    certificate_id=stored.id,
                )
            )

    ledger.transact(write)
