"""Holdings that the tests of this folder read and write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smki import Smki
from smki.interchange import CertificateWithKey, certificate_name
from smki.sec.role import ORGANISATION_ROLES
from tests.support import DEVICE, DS, KA, entity_of


@pytest.fixture(scope="session")
def pairs(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> list[CertificateWithKey]:
    """An Organisation's certificates in every role and usage and both of a Device, with their private keys."""
    home = tmp_path_factory.mktemp("pairs") / "pki"
    shutil.copytree(made_home, home)
    found = []
    with Smki.open(home) as smki:
        for role in ORGANISATION_ROLES:
            for usage in role.usages:
                key, request = smki.make_organisation_request(entity_of(role), role, usage)
                certificate = smki.issue_organisation(request).record.certificate
                found.append(CertificateWithKey(certificate, key, certificate_name(certificate)))
        for usage in (DS, KA):
            key, request = smki.make_device_request(DEVICE, usage)
            certificate = smki.issue_device(request).record.certificate
            found.append(CertificateWithKey(certificate, key, certificate_name(certificate)))
    return found


def organisations(pairs: list[CertificateWithKey]) -> list[CertificateWithKey]:
    """Those of Organisations."""
    return [pair for pair in pairs if pair.certificate.role is not None]
