"""What a failed test leaves behind: its certificates, lists and keys, and how to run it again."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from smki.file import replace_file
from smki.home.smki import Smki
from smki.ledger import CertificateQuery, CertificateRecord
from smki.sec.role import CertificateKind
from smki.testing.assertions import HasCredentials
from smki.testing.credential import Credential
from smki.testing.defective import DefectiveCertificate

_LISTS = {CertificateKind.ISSUING_OCA: "organisation.crl", CertificateKind.ROOT_OCA: "organisation.arl"}
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_LENGTH = 80


def keep(directory: Path, test: str, smki: Smki, arguments: Mapping[str, object]) -> Path:
    """Write the certificates of an SMKI in PEM, its lists, and the keys and defects that the test was given.

    :param test: the test's name (node id).
    :param arguments: the values of the test's fixtures by name.
    :returns: the folder below *directory*, one for each test.
    :raises OSError: when it cannot be written there.
    """
    digest = hashlib.sha256(test.encode()).hexdigest()[:8]  # two names may be one once they are made fit
    folder = directory / f"{_UNFIT.sub('_', test)[-_NAME_LENGTH:].strip('_')}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    for record in smki.ledger.certificates(CertificateQuery()):
        (folder / f"{_name(record)}.pem").write_text(record.certificate.as_pem())
    for kind, name in _LISTS.items():
        latest = smki.lists(kind).latest()
        if latest is not None:
            (folder / name).write_bytes(latest.der)
    for credential in _credentials(arguments.values()):
        found = smki.ledger.certificate(credential.serial_number)
        if found is not None:
            replace_file(folder / f"{_name(found)}.key", credential.pkcs8_pem.encode())
    for value in arguments.values():
        if isinstance(value, DefectiveCertificate):
            for name, octets in value.files().items():
                (folder / name).write_bytes(octets)
    seed = smki.configuration.seed or ""
    text = (
        f"{test}\nseed {seed}, begins {smki.configuration.created}, now {smki.clock.now():%Y-%m-%dT%H:%M:%SZ}\n"
        "Test Certificates; the .key files are private keys (PKCS#8, unencrypted).\n"
        f"Again: pytest --smki-seed={shlex.quote(seed)} {shlex.quote(test)}\n"
    )
    (folder / "README.txt").write_text(text)
    return folder


def _credentials(values: Iterable[object]) -> Iterable[Credential]:
    for value in values:
        if isinstance(value, Credential):
            yield value
        elif isinstance(value, HasCredentials):
            yield from value.credentials


def _name(record: CertificateRecord) -> str:
    certificate = record.certificate
    if record.kind.is_authority:
        return f"{record.kind.value}-{certificate.common_name}"
    whose = record.entity_identifier.hex if record.entity_identifier else "nobody"
    role = f"-{record.role.label}" if record.role else ""
    usage = f"-{record.usage.code.lower()}" if record.usage else ""
    return f"{record.kind.value}{role}-{whose}{usage}-{record.serial_number.hex[:8]}"
