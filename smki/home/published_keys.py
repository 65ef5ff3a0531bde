"""Private keys that are public on purpose: made for a test PKI that publishes them, and kept apart from all others.

They are in ``keys/published/`` of a home, unencrypted. Only :meth:`PublishedKeys.add` writes there.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from smki.file import replace_file
from smki.interchange import CertificateWithKey
from smki.interchange.naming import file_name
from smki.keys.private_key import key_to_pem, read_key
from smki.ledger import CertificateRecord, Ledger
from smki.pki.request import public_point
from smki.pki.x509 import encode_public_key
from smki.problem import IntegrityError, Problem
from smki.sec.role import CertificateKind

_SUFFIX = ".key"


class PublishedKeys:
    """The published keys of a home.

    :param directory: the directory of the keys; created with the first one.
    :param ledger: the ledger with their certificates.
    """

    def __init__(self, directory: Path, ledger: Ledger) -> None:
        self._directory = directory
        self._ledger = ledger

    def add(self, name: str, key: ec.EllipticCurvePrivateKey) -> Path:
        """Publish a key. It replaces the key that was published under the same name.

        :param key: the key of an Organisation Certificate of this SMKI, made to be published.
        :returns: the file of the key.
        :raises IntegrityError: if it is any other key, such as an authority's; nothing is written then.
        :raises OSError: if it cannot be written.
        """
        self._certificate_with_key(name, key)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / f"{file_name(name)}{_SUFFIX}"
        replace_file(path, key_to_pem(key), follow_links=False)
        return path

    def certificates(self) -> list[CertificateWithKey]:
        """Each of them with its certificate, in the order of their names.

        :raises IntegrityError: if the directory contains anything else.
        """
        return [self._certificate_with_key(path.stem, read_key(path)) for path in self._files()]

    def state(self) -> tuple[tuple[str, int, int], ...]:
        """Return a value that changes when the keys do: name, time of change (nanoseconds) and inode of each file."""
        return tuple(
            (path.name, status.st_mtime_ns, status.st_ino) for path in self._files() if (status := path.stat())
        )

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob(f"*{_SUFFIX}"))

    def _certificate_with_key(self, name: str, key: ec.EllipticCurvePrivateKey) -> CertificateWithKey:
        records = self._ledger.certificates_of_key(encode_public_key(public_point(key.public_key())))
        if not records or any(record.kind is not CertificateKind.ORGANISATION for record in records):
            raise IntegrityError(
                Problem(
                    code="published-key.unfit",
                    subject=f"key {name} in {self._directory}",
                    seen=f"the key of {_owner(records)}",
                    expected="the key of an Organisation Certificate issued here",
                )
            )
        return CertificateWithKey(records[-1].certificate, key, name)


def _owner(records: list[CertificateRecord]) -> str:
    return f"a {records[0].kind.title} certificate" if records else "no certificate of this SMKI"
