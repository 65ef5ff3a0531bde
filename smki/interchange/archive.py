"""ZIP archives of certificates in PEM or DER, and the ``org-crypto.zip`` of a test PKI, whose keys are public."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import IO

from smki.file import PRIVATE_MODE
from smki.interchange.certificate_with_key import CertificateWithKey
from smki.interchange.naming import Names
from smki.interchange.zip_file import ZipWriter
from smki.keys.private_key import key_to_pem
from smki.problem import Malformed, Problem

ORG_CRYPTO_FOLDER = "org-crypto"
"""The folder that contains ``cert/`` and ``key/``: the published client looks for ``/cert/`` with a leading slash."""


def write_archive(file: IO[bytes], pairs: Iterable[CertificateWithKey], *, der: bool = False) -> int:
    """Write a ZIP archive of certificates, ``NAME.pem`` or ``NAME.der``, one at a time and without private keys.

    :param der: write DER instead of PEM.
    :returns: the number of certificates.
    """
    with ZipWriter(file) as archive, Names() as names:
        for pair in pairs:
            name = names.take(pair.name, pair.certificate)
            certificate = pair.certificate
            if der:
                archive.add(f"{name}.der", certificate.der)
            else:
                archive.add(f"{name}.pem", certificate.as_pem().encode())
    return archive.entries


def org_crypto_zip(pairs: Iterable[CertificateWithKey]) -> bytes:
    """Return the ``/assets/crypto/org-crypto.zip`` of the published test PKI, with Organisation Certificates and keys.

    ``org-crypto/cert/NAME.pem`` and ``org-crypto/key/NAME.key`` (PKCS#8, PEM, not encrypted), as the published client
    expects. The same input always gives the same bytes.

    :raises Malformed: for a certificate that is not an Organisation's, or has no private key.
    """
    content = io.BytesIO()
    with ZipWriter(content) as archive, Names() as names:
        for pair in pairs:
            if pair.key is None or pair.certificate.role is None or pair.certificate.is_authority:
                raise Malformed(
                    Problem(
                        code="org-crypto.unfit",
                        subject=pair.name,
                        seen=f"{pair.certificate.kind.title} {'with' if pair.key else 'without'} its private key",
                        expected="Organisation Certificates with their private keys",
                    )
                )
            name = names.take(pair.name, pair.certificate)
            archive.add(f"{ORG_CRYPTO_FOLDER}/cert/{name}.pem", pair.certificate.as_pem().encode())
            archive.add(f"{ORG_CRYPTO_FOLDER}/key/{name}.key", key_to_pem(pair.key), PRIVATE_MODE)
    return content.getvalue()
