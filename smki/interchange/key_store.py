"""Reading and writing of the key store file of the published client ``@smartdcc/dccboxed-keystore``.

Nested JSON objects: EUI-64 (16 lower-case hexadecimal digits), then ``digitalSignature`` or ``keyAgreement``, then
serial number (decimal), then ``certificate`` (PEM), ``privateKey`` (PKCS#8, PEM, not encrypted), ``name`` and ``role``
(a number, for Organisations only).
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import IO, Any

from smki.identity import EntityIdentifier
from smki.interchange.certificate_with_key import CertificateWithKey
from smki.interchange.key_store_entries import KeyStoreEntry, key_store_entries
from smki.keys.private_key import key_to_pem
from smki.pki.certificate import Certificate
from smki.problem import Malformed, Problem
from smki.sec.role import KeyUsage

_USAGES = (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)


def key_store_json(pairs: Iterable[CertificateWithKey]) -> str:
    """Return a key store as text, sorted by Entity Identifier, usage and serial number.

    :raises Malformed: for a certificate that a key store cannot contain (see :func:`write_key_store`).
    """
    file = io.BytesIO()
    write_key_store(file, sorted(pairs, key=_order))
    return file.getvalue().decode("ascii")


def write_key_store(file: IO[bytes], pairs: Iterable[CertificateWithKey]) -> int:
    """Write a key store, one Entity Identifier at a time.

    The private keys are not encrypted, as the format requires. Write it where only its owner can read it.

    :param pairs: in the order of their Entity Identifiers; those without a private key are written without one.
    :returns: the number of certificates.
    :raises Malformed: for a certificate without Entity Identifier, with both usages or neither, or with the same Entity
        Identifier, usage and serial number as another.
    :raises ValueError: if they are not in that order.
    """
    count = 0
    before: EntityIdentifier | None = None
    file.write(b"{")
    for entity, group in itertools.groupby(pairs, key=_entity):
        if before is not None and entity <= before:
            raise ValueError("pairs are not in the order of their Entity Identifiers")
        held = list(group)
        text = json.dumps({entity.hex.lower(): _by_usage(held)}, indent=2)
        file.write((b"," if before is not None else b"") + text[1:-2].encode("ascii"))
        before = entity
        count += len(held)
    file.write(b"\n}\n" if count else b"}\n")
    return count


def read_key_store(text: str | bytes, name: str = "key store") -> list[CertificateWithKey]:
    """Return the certificates in a valid key store, with their private keys.

    :param name: the name of the key store in errors.
    :raises Malformed: if it is not a key store, or an entry is inconsistent; :func:`key_store_entries` tolerates that.
    """
    entries = list(key_store_entries(text, name))
    problems = [problem for entry in entries for problem in entry.problems]
    if problems:
        raise Malformed(*problems)
    return [_certificate_with_key(entry) for entry in entries]


def _certificate_with_key(entry: KeyStoreEntry) -> CertificateWithKey:
    if entry.certificate is None:
        raise ValueError("an entry without problems has a certificate")
    return CertificateWithKey(entry.certificate, entry.key, entry.name)


def _by_usage(held: Sequence[CertificateWithKey]) -> dict[str, dict[str, dict[str, Any]]]:
    usages: dict[str, dict[str, dict[str, Any]]] = {}
    for pair in sorted(held, key=_order):
        certificate = pair.certificate
        entries = usages.setdefault(_usage(certificate).label, {})
        serial = str(certificate.serial_number.value)
        if serial in entries:
            seen = f"two certificates with the serial number {certificate.serial_number}"
            raise Malformed(
                Problem(
                    code="key-store.ambiguous",
                    subject=pair.name,
                    seen=seen,
                    expected="one for each position in the key store",
                )
            )
        entries[serial] = _entry(pair)
    return usages


def _entry(pair: CertificateWithKey) -> dict[str, Any]:
    entry: dict[str, Any] = {"certificate": pair.certificate.as_pem()}
    if pair.key is not None:
        entry["privateKey"] = key_to_pem(pair.key).decode("ascii")
    entry["name"] = pair.name
    if pair.certificate.role is not None:
        entry["role"] = pair.certificate.role.decimal
    return entry


def _entity(pair: CertificateWithKey) -> EntityIdentifier:
    entity = pair.certificate.entity_identifier
    if entity is None:
        raise Malformed(
            Problem(
                code="key-store.no-entity-identifier",
                subject=pair.name,
                seen=f"a {pair.certificate.kind.title}",
                expected="an Organisation's or a Device's certificate, which has an Entity Identifier",
            )
        )
    return entity


def _usage(certificate: Certificate) -> KeyUsage:
    if certificate.usage not in _USAGES:
        seen = ", ".join(sorted(usage.label for usage in certificate.key_usages)) or "none"
        raise Malformed(
            Problem(
                code="key-store.usage",
                subject=f"certificate {certificate.serial_number}",
                seen=seen,
                expected="either digitalSignature or keyAgreement",
            )
        )
    return certificate.usage


def _order(pair: CertificateWithKey) -> tuple[EntityIdentifier, int, int]:
    certificate = pair.certificate
    return _entity(pair), _usage(certificate).value, certificate.serial_number.value
