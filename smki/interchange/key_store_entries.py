"""Tolerant reading of a key store: a problem with one entry does not hide the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from smki.interchange.json_text import read_json_object
from smki.keys.private_key import key_from_pem
from smki.pki.certificate import Certificate
from smki.pki.pem import decode_input
from smki.pki.request import public_point
from smki.problem import Malformed, Problem

_EUI = re.compile(r"[0-9a-f]{16}\Z")
_DECIMAL = re.compile(r"[1-9][0-9]{0,48}\Z")
_USAGES = ("digitalSignature", "keyAgreement")
_MEMBERS = ("certificate", "privateKey", "name", "role")


@dataclass(frozen=True)
class KeyStoreEntry:
    """One entry of a key store, parsed as far as possible."""

    place: str
    """Its path: ``90b3d51f30010000/digitalSignature/1055…``."""
    name: str
    """Empty if it has none."""
    der: bytes | None
    """The content of its certificate; None if that is not PEM."""
    certificate: Certificate | None
    """None if it cannot be read as a certificate."""
    key: ec.EllipticCurvePrivateKey | None
    """None if there is none, or it does not belong to the certificate."""
    problems: tuple[Problem, ...]
    """Inconsistencies within the entry, or with the form of key stores."""

    def __repr__(self) -> str:
        # Defined explicitly, so that a repr never puts a key into a log.
        return f"KeyStoreEntry({self.place!r}, {self.name!r})"


def key_store_entries(text: str | bytes, name: str = "key store") -> Iterator[KeyStoreEntry]:
    """Yield every entry of a key store.

    :param name: the name of the key store in errors.
    :raises Malformed: if it is not a key store: not JSON, or without the levels of a key store.
    """
    for eui, usages in read_json_object(text, name).items():
        where = f"{name}, {eui[:40]!r}"
        if not _EUI.match(eui):
            raise Malformed(_misfit(where, "not an EUI-64", "16 lower-case hexadecimal digits"))
        for usage, serials in _object(usages, where).items():
            if usage not in _USAGES:
                raise Malformed(_misfit(where, f"{usage[:40]!r}", "digitalSignature or keyAgreement"))
            for serial, fields in _object(serials, f"{where}, {usage}").items():
                if not _DECIMAL.match(serial):
                    raise Malformed(_misfit(f"{where}, {usage}", f"{serial[:40]!r}", "a serial number in decimal"))
                yield _read_entry((eui, usage, serial), _object(fields, f"{where}, {usage}, {serial}"))


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(_misfit(where, f"a {type(value).__name__}", "an object"))
    return value


def _misfit(where: str, seen: str, expected: str) -> Problem:
    return Problem(code="key-store.form", subject=where, seen=seen, expected=expected)


def _read_entry(place: tuple[str, str, str], fields: dict[str, Any]) -> KeyStoreEntry:
    where = "/".join(place)
    problems = [
        Problem(
            code="key-store.member",
            subject=where,
            seen=f"{member[:40]!r}",
            expected=f"nothing but {', '.join(_MEMBERS)}",
        )
        for member in fields
        if member not in _MEMBERS
    ]
    name = fields.get("name", "")
    if not isinstance(name, str):
        problems.append(Problem(code="key-store.name", subject=where, seen=f"a {type(name).__name__}", expected="text"))
        name = ""
    der, certificate = None, None
    try:
        der = _der_of(fields.get("certificate"), where)
        certificate = Certificate.from_der(der)
        problems += _contradictions(place, certificate, fields.get("role"))
    except Malformed as error:
        problems += error.problems
    key = None
    if "privateKey" in fields:
        try:
            key = _key_of(fields["privateKey"], certificate, where)
        except Malformed as error:
            problems += error.problems
    return KeyStoreEntry(where, name, der, certificate, key, tuple(problems))


def _der_of(value: Any, where: str) -> bytes:
    if not isinstance(value, str):
        raise Malformed(
            Problem(
                code="key-store.certificate",
                subject=where,
                seen=f"a {type(value).__name__}",
                expected="a certificate in PEM",
            )
        )
    pieces = decode_input(value.encode("utf-8", "replace"), where)
    if len(pieces) != 1:
        raise Malformed(
            Problem(
                code="key-store.certificate",
                subject=where,
                seen=f"{len(pieces)} objects",
                expected="one certificate in PEM",
            )
        )
    return pieces[0].der


def _key_of(value: Any, certificate: Certificate | None, where: str) -> ec.EllipticCurvePrivateKey:
    if not isinstance(value, str):
        raise Malformed(
            Problem(
                code="key-store.private-key",
                subject=where,
                seen=f"a {type(value).__name__}",
                expected="a private key in PEM",
            )
        )
    key = key_from_pem(value.encode("utf-8", "replace"), None, f"{where}, privateKey")
    if certificate is None or public_point(key.public_key()) != certificate.point:
        raise Malformed(
            Problem(
                code="key.of-another-certificate",
                subject=f"{where}, privateKey",
                seen="does not belong to the certificate",
                expected="the private key whose public key the certificate holds",
            )
        )
    return key


def _contradictions(place: tuple[str, str, str], certificate: Certificate, role: Any) -> Iterator[Problem]:
    """Yield the ways in which an entry's path and role contradict its certificate."""
    where = "/".join(place)
    entity = certificate.entity_identifier.hex.lower() if certificate.entity_identifier else "none"
    usages = ", ".join(sorted(usage.label for usage in certificate.key_usages)) or "none"
    compared = (
        ("key-store.entity-identifier", place[0], entity),
        ("key-store.usage", place[1], usages),
        ("key-store.serial-number", place[2], str(certificate.serial_number.value)),
        ("key-store.role", role, certificate.role.decimal if certificate.role else None),
    )
    for code, said, is_in in compared:
        if said != is_in or type(said) is not type(is_in):
            yield Problem(
                code=code, subject=where, seen=f"{str(said)[:40]!r}", expected=f"{is_in}, as the certificate says"
            )
