"""ZIP archives written as a stream, for instance to a pipe, with any number of entries and constant memory.

The standard library keeps half a kilobyte per entry until the archive is closed; here the central directory goes to a
temporary file. The output depends only on the entries, without times or owners.
"""

from __future__ import annotations

import re
import struct
import tempfile
import zlib
from types import TracebackType
from typing import IO

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\Z")
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_ZIP64_EXTRA = struct.Struct("<2HQ")
_ZIP64_END = struct.Struct("<4sQ2H2I4Q")
_ZIP64_LOCATOR = struct.Struct("<4sIQI")
_END = struct.Struct("<4s4H2IH")
_DATE_1980_01_01 = 0x21
_DEFLATED = 8
_MADE_BY_UNIX = 3 << 8
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF
_SPOOLED_BYTES = 1 << 20


class ZipWriter:
    """Writes a ZIP archive (PKWARE APPNOTE 6.3) entry by entry. Close it, or use it in a ``with`` statement.

    :param file: the output, which is only written sequentially.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._directory: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES)  # noqa: SIM115
        self._offset = 0
        self._directory_bytes = 0
        self.entries = 0

    def add(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Add a file.

        :param name: with ``/`` between folders.
        :param mode: the file mode after unpacking.
        :raises ValueError: for a name that would be unpacked outside the target folder.
        """
        if not _NAME.match(name):
            raise ValueError(f"not the name of a file in an archive: {name!r}")
        encoded = name.encode("ascii")
        compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
        deflated = compressor.compress(content) + compressor.flush()
        version = 45 if self._offset >= _MAX_32 else 20
        common = (
            version,
            0,
            _DEFLATED,
            0,
            _DATE_1980_01_01,
            zlib.crc32(content),
            len(deflated),
            len(content),
            len(encoded),
        )
        self._write(_LOCAL.pack(b"PK\x03\x04", *common, 0) + encoded + deflated, entry=(encoded, common, mode))

    def _write(self, data: bytes, entry: tuple[bytes, tuple[int, ...], int]) -> None:
        encoded, common, mode = entry
        extra = _ZIP64_EXTRA.pack(1, 8, self._offset) if self._offset >= _MAX_32 else b""
        external = (0o100000 | mode) << 16
        tail = (len(extra), 0, 0, 0, external, min(self._offset, _MAX_32))
        record = _CENTRAL.pack(b"PK\x01\x02", _MADE_BY_UNIX | common[0], *common, *tail) + encoded + extra
        self._directory.write(record)
        self._directory_bytes += len(record)
        self._file.write(data)
        self._offset += len(data)
        self.entries += 1

    def close(self) -> None:
        """Write the central directory, which completes the archive."""
        with self._directory as directory:
            directory.seek(0)
            while chunk := directory.read(1 << 16):
                self._file.write(chunk)
        size, at, count = self._directory_bytes, self._offset, self.entries
        if count >= _MAX_16 or at >= _MAX_32 or size >= _MAX_32:
            self._file.write(_ZIP64_END.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, at))
            self._file.write(_ZIP64_LOCATOR.pack(b"PK\x06\x07", 0, at + size, 1))
        short = (min(count, _MAX_16), min(count, _MAX_16), min(size, _MAX_32), min(at, _MAX_32))
        self._file.write(_END.pack(b"PK\x05\x06", 0, 0, *short, 0))

    def __enter__(self) -> ZipWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._directory.close()
