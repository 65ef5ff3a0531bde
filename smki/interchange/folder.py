"""A folder of certificates in the published naming: ``00db123456789001-ds.pem``, the private key beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from smki.file import new_directory
from smki.interchange.certificate_with_key import CertificateWithKey
from smki.interchange.naming import Names
from smki.keys.private_key import key_to_pem, write_private_file


def write_folder(path: Path, pairs: Iterable[CertificateWithKey], passphrase: bytes | None = None) -> int:
    """Write every certificate as ``NAME.pem`` and its private key, where it has one, as ``NAME.key`` (mode 0600).

    The folder appears when it is whole. Holdings are taken one at a time.

    :param path: a directory that does not exist yet, or is empty.
    :param passphrase: with which the private keys (PKCS#8) are encrypted; None to leave them in the clear.
    :returns: how many certificates it has.
    :raises NotReady: when there is something at *path* already.
    :raises OSError: when nothing can be written there.
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
