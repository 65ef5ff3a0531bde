"""The option ``--smki-keep``: write the certificates, lists and keys of failed tests to files."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from smki.file import replace_file
from smki.home.smki import Smki
from smki.ledger import CertificateQuery, CertificateRecord
from smki.sec.role import CertificateKind
from smki.testing.assertions import HasCredentials
from smki.testing.credential import Credential
from smki.testing.defective import DefectiveCertificate
from smki.testing.marks import SMKI_OF_TEST

_LISTS = {CertificateKind.ISSUING_OCA: "organisation.crl", CertificateKind.ROOT_OCA: "organisation.arl"}
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_LENGTH = 80


class KeepCertificates:
    """The part of the pytest plugin that is registered when ``--smki-keep`` is given.

    :param directory: where to write; made if necessary.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Write the certificates of a test that failed, and add the folder to its report."""
        report: pytest.TestReport = yield  # type: ignore[assignment]
        arguments: dict[str, object] = getattr(item, "funcargs", {})
        found = item.stash.get(SMKI_OF_TEST, None)
        if found is None:  # a fixture of the user's own may have made one
            found = next((value for value in arguments.values() if isinstance(value, Smki)), None)
        if report.failed and call.when != "teardown" and found is not None:
            try:
                text = f"certificates in {keep(self._directory, item.nodeid, found, arguments)}"
            except OSError as error:  # the failure of the test is what the report is about
                text = f"certificates could not be written to {self._directory}: {error}"
            report.sections.append(("smki", text))
        return report  # type: ignore[return-value]


def keep(directory: Path, test: str, smki: Smki, arguments: Mapping[str, object]) -> Path:
    """Write the certificates of an SMKI as PEM, its lists, and the keys and defects among a test's fixtures.

    :param test: the node id of the test.
    :param arguments: the values of the test's fixtures by name.
    :returns: the folder, below *directory*; each test has one of its own.
    :raises OSError: when it cannot be written.
    """
    digest = hashlib.sha256(test.encode()).hexdigest()[:8]  # two tests may have the same name once it is shortened
    folder = directory / f"{_NOT_IN_FILE_NAMES.sub('_', test)[-_NAME_LENGTH:].strip('_')}-{digest}"
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
            replace_file(folder / f"{_name(found)}.key", credential.pkcs8_pem.encode(), follow_links=False)
    for value in arguments.values():
        if isinstance(value, DefectiveCertificate):
            for name, content in value.files().items():
                (folder / name).write_bytes(content)
    seed = smki.configuration.seed or ""
    text = (
        f"{test}\nseed {seed}, begins {smki.configuration.created}, now {smki.clock.now():%Y-%m-%dT%H:%M:%SZ}\n"
        "Test Certificates; the .key files are private keys (PKCS#8, unencrypted).\n"
        f"To run the test again: pytest --smki-seed={shlex.quote(seed)} {shlex.quote(test)}\n"
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
    owner = record.entity_identifier.hex if record.entity_identifier else "unknown"
    role = f"-{record.role.label}" if record.role else ""
    usage = f"-{record.usage.code.lower()}" if record.usage else ""
    return f"{record.kind.value}{role}-{owner}{usage}-{record.serial_number.hex[:8]}"
