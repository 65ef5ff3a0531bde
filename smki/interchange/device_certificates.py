"""Where the certificates of many Devices are written: a folder, a ZIP archive or JSON Lines, with a report of refusals."""

from __future__ import annotations

import json
import tempfile
from base64 import b64encode
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol

from smki.file import PRIVATE_MODE, PUBLIC_MODE, replacing
from smki.interchange.description import certificate_summary
from smki.interchange.key_files import SUFFIX as KEY_SUFFIX
from smki.interchange.key_files import KeyFiles, make_durable
from smki.interchange.zip_file import ZipWriter
from smki.ledger import CertificateRecord
from smki.leftovers import left_beside, remove, temporary_name
from smki.pki.certificate import to_pem
from smki.problem import NotReady, Problem

REPORT_NAME = "refusals.jsonl"
"""Name of the report in a folder or an archive."""

_SPOOLED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCertificate:
    """A certificate for an output."""

    source: str
    """The name of its request in the input."""
    name: str
    """Its name without a suffix, unique in the output."""
    record: CertificateRecord
    key: bytes | None
    """Its private key (PKCS#8 in PEM) if that was made; None otherwise."""


class DeviceOutput(Protocol):
    """An output. It is complete when it was finished; use it in a ``with`` statement, which discards it otherwise."""

    keys: KeyFiles
    """Where keys are kept until the output is complete, and longer if it is a folder."""

    def occupied(self, name: str) -> Problem | None:
        """Return why nothing of that name can be written because something is there already; None otherwise."""

    def write(self, certificate: NamedCertificate, moment: datetime) -> Problem | None:
        """Write a certificate, with its status at a moment. If that is not possible, return why."""

    def finish(self, report: IO[bytes] | None) -> Path | None:
        """Complete the output; return where the report is.

        :param report: the report of refusals, at its beginning; None if it is not to be part of the output.
        """

    def __enter__(self) -> DeviceOutput: ...

    def __exit__(self, *exc_info: Any) -> None: ...


def open_output(path: Path) -> DeviceOutput:
    """Return the output for a path: a ZIP archive or JSON Lines by its suffix, otherwise a folder.

    :raises NotReady: if it is complete already, another process writes to it, or it is no folder.
    """
    if path.suffix.lower() == ".zip":
        return _File(path, _ZipFormat)
    if path.suffix.lower() == ".jsonl":
        return _File(path, _LinesFormat)
    return _Folder(path)


class Refusals:
    """The report of refusals: JSON Lines with ``source`` and ``problems``. Kept in a temporary file."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES)  # noqa: SIM115
        self.count = 0

    def add(self, source: str, problems: Iterable[Problem]) -> None:
        """Add a refusal.

        :param source: the name of what was refused in the input.
        """
        line = {"source": source, "problems": [problem.as_json() for problem in problems]}
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self.count += 1

    @property
    def file(self) -> IO[bytes]:
        """The report, at its beginning."""
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Discard the report."""
        self._file.close()


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while chunk := source.read(1 << 16):
        target.write(chunk)


class _Folder:
    """``NAME.pem`` for each certificate, ``NAME.key`` beside it. What is there already is kept."""

    def __init__(self, path: Path) -> None:
        if path.exists() and not path.is_dir():
            expected = "a folder, or a name that ends in .zip or .jsonl"
            raise NotReady(Problem(code="output.not-a-folder", subject=str(path), seen="a file", expected=expected))
        self._path = path
        path.mkdir(exist_ok=True)
        self.keys = KeyFiles(path)

    def occupied(self, name: str) -> Problem | None:
        path = self._path / f"{name}.pem"
        return _occupied(path) if path.exists() else None

    def write(self, certificate: NamedCertificate, moment: datetime) -> Problem | None:
        path = self._path / f"{certificate.name}.pem"
        content = to_pem("CERTIFICATE", certificate.record.der).encode("ascii")
        # Not made durable: after a crash it is written again from the ledger.
        if path.exists():
            present = path.read_bytes() if path.is_file() else None
            if present == content:
                return None
            if present is None or not content.startswith(present):
                return _occupied(path)
        temporary = path.with_name(temporary_name(path.name))
        temporary.write_bytes(content)
        temporary.replace(path)
        return None

    def finish(self, report: IO[bytes] | None) -> Path | None:
        path = self._path / REPORT_NAME
        if report is None:
            return None
        if not report.read(1):
            path.unlink(missing_ok=True)  # that of a run before
            return None
        report.seek(0)
        with replacing(path, PUBLIC_MODE) as file:
            _copy(report, file)
        return path

    def __enter__(self) -> _Folder:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.keys.close()


def _occupied(path: Path) -> Problem:
    expected = "no file, or the certificate for this request"
    return Problem(code="output.occupied", subject=str(path), seen="another file is there", expected=expected)


class _Format(Protocol):
    def __init__(self, file: IO[bytes]) -> None: ...

    def add(self, certificate: NamedCertificate, moment: datetime) -> None: ...

    def close(self, report: IO[bytes] | None) -> bool:
        """Complete the file; return whether the report is in it."""


class _ZipFormat:
    def __init__(self, file: IO[bytes]) -> None:
        self._archive = ZipWriter(file)

    def add(self, certificate: NamedCertificate, moment: datetime) -> None:
        self._archive.add(f"{certificate.name}.pem", to_pem("CERTIFICATE", certificate.record.der).encode("ascii"))
        if certificate.key is not None:
            self._archive.add(f"{certificate.name}{KEY_SUFFIX}", certificate.key, PRIVATE_MODE)

    def close(self, report: IO[bytes] | None) -> bool:
        content = report.read() if report is not None else b""
        if content:
            self._archive.add(REPORT_NAME, content)
        self._archive.close()
        return bool(content)


class _LinesFormat:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, certificate: NamedCertificate, moment: datetime) -> None:
        record = certificate.record
        line = {"source": certificate.source, "name": certificate.name, **certificate_summary(record, moment)}
        line["certificate"] = b64encode(record.der).decode("ascii")
        if certificate.key is not None:
            line["privateKey"] = certificate.key.decode("ascii")
        self._file.write(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")

    def close(self, report: IO[bytes] | None) -> bool:
        return False


class _File:
    """One file, which appears when it is complete. Keys are in the folder ``FILE.keys`` until then."""

    def __init__(self, path: Path, form: type[_Format]) -> None:
        self.keys = KeyFiles(path.with_name(f"{path.name}.keys"), temporary=True)
        # With the keys still there, the run that made the file did not come to its end: it is made again from them.
        if path.exists() and not self.keys.is_there:
            raise NotReady(
                Problem(code="output.complete", subject=str(path), seen="already exists", expected="a new file")
            )
        for abandoned in left_beside(path):
            remove(abandoned)
        self._path = path
        self._stack = ExitStack()
        try:
            file = self._stack.enter_context(replacing(path, PRIVATE_MODE, follow_links=False))
        except BaseException:
            self.keys.close()
            raise
        self._format = form(file)
        self._with_key: list[str] = []

    def occupied(self, name: str) -> Problem | None:
        return None

    def write(self, certificate: NamedCertificate, moment: datetime) -> Problem | None:
        self._format.add(certificate, moment)
        if certificate.key is not None:
            self._with_key.append(certificate.name)
        return None

    def finish(self, report: IO[bytes] | None) -> Path | None:
        place = self._path if self._format.close(report) else None
        self._stack.close()
        if not self._with_key:
            self._path.chmod(PUBLIC_MODE)
        make_durable(self._path.parent)
        self.keys.remove_all(self._with_key)
        if report is None or place is not None:
            return place
        report.seek(0)
        beside = self._path.with_name(f"{self._path.stem}.{REPORT_NAME}")
        if not report.read(1):
            return None
        report.seek(0)
        with replacing(beside, PUBLIC_MODE) as file:
            _copy(report, file)
        return beside

    def __enter__(self) -> _File:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            # Without an error the output is finished, and this does nothing.
            self._stack.__exit__(kind or KeyboardInterrupt, error, trace)
        finally:
            self.keys.close()
