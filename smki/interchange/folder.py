"""Folders of certificates with names as published: ``00db123456789001-ds.pem``, with the private key beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from smki.file import new_directory
from smki.interchange.certificate_with_key import CertificateWithKey
from smki.interchange.naming import Names
from smki.keys.private_key import Passphrase, key_to_pem, write_private_file


def write_folder(path: Path, pairs: Iterable[CertificateWithKey], passphrase: Passphrase | None = None) -> int:
    """Write each certificate as ``NAME.pem`` and its private key, if available, as ``NAME.key`` (mode 0600).

    The folder appears only when it is complete. Certificates are processed one at a time.

    :param path: a directory that does not exist yet, or is empty.
    :param passphrase: encrypts the private keys (PKCS#8); None to leave them unencrypted.
    :returns: the number of certificates.
    :raises NotReady: if *path* is not empty.
    :raises OSError: if nothing can be written there.
    """
    count = 0
    with new_directory(path) as directory, Names() as names:
        for pair in pairs:
            name = names.take(pair.name, pair.certificate)
            (directory / f"{name}.pem").write_text(pair.certificate.as_pem())
            if pair.key is not None:
                write_private_file(directory / f"{name}.key", key_to_pem(pair.key, passphrase))
            count += 1
    return count
