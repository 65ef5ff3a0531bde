"""Private keys from files, looked up by public key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from smki.keys.private_key import RECORD_KEY, Passphrase, read_key
from smki.pki.request import public_point
from smki.pki.x509 import encode_public_key
from smki.problem import IntegrityError, NotFound, Problem, SmkiError

KEY_SUFFIX = ".key"
_MAX_KEY_BYTES = 64 * 1024


class KeyRing:
    """Private keys in files (PKCS#8 in PEM, as written by ``smki issue``).

    :param places: files, or folders in which every ``*.key`` is read, recursively, except the key of the record.
    :param passphrase: decrypts the encrypted ones.
    :ivar problems: the files that are not a private key on P-256, or cannot be opened.
    :raises NotFound: if a place does not exist.
    """

    def __init__(self, places: Iterable[Path], passphrase: Passphrase | None = None) -> None:
        self._passphrase = passphrase
        self._files: dict[bytes, Path] = {}
        self.problems: list[Problem] = []
        for place in places:
            for file in _files_of(place):
                self._take(file)

    def _take(self, file: Path) -> None:
        try:
            if file.stat().st_size > _MAX_KEY_BYTES:
                raise IntegrityError(
                    Problem(
                        code="key.unreadable",
                        subject=str(file),
                        seen="a file that is too large",
                        expected="a P-256 private key in PKCS#8",
                    )
                )
            self._files.setdefault(_info(read_key(file, self._passphrase)), file)
        except SmkiError as error:
            self.problems += error.problems
        except OSError as error:
            self.problems.append(Problem(code="file.unusable", subject=str(file), seen=error.strerror or str(error)))

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the public keys (SubjectPublicKeyInfo, DER) that have a private key."""
        return iter(self._files)

    def __contains__(self, public_key_info: bytes) -> bool:
        return public_key_info in self._files

    def key(self, public_key_info: bytes) -> ec.EllipticCurvePrivateKey | None:
        """Return the private key for a public key (SubjectPublicKeyInfo, DER), or None."""
        file = self._files.get(public_key_info)
        return read_key(file, self._passphrase) if file is not None else None


def _info(key: ec.EllipticCurvePrivateKey) -> bytes:
    return encode_public_key(public_point(key.public_key()))


def _files_of(place: Path) -> Iterator[Path]:
    if place.is_dir():
        files = sorted(place.rglob(f"*{KEY_SUFFIX}"))
        # The key that signs checkpoints is beside those of the authorities, and belongs to no certificate.
        yield from (file for file in files if file.is_file() and file.stem != RECORD_KEY)
    elif place.exists():
        yield place
    else:
        raise NotFound(
            Problem(code="file.missing", subject=str(place), seen="no such file or folder", expected="private keys")
        )
