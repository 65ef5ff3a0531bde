"""Requests of Devices for the tests of smki issue devices, in every form of input."""

from __future__ import annotations

import base64
import csv
import functools
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from smki import EntityIdentifier
from smki.pki.certificate import to_pem
from smki.pki.request import make_device_request
from tests.support import DS

FIRST = 0x00DB12345678B000


def device(number: int) -> EntityIdentifier:
    return EntityIdentifier((FIRST + number).to_bytes(8, "big"))


@functools.cache
def request_of(number: int) -> bytes:
    """The request (DER) of a Device, always the same."""
    return make_device_request(ec.derive_private_key(0x5EED + number, ec.SECP256R1()), device(number), DS)


def pem_of(number: int) -> bytes:
    return to_pem("CERTIFICATE REQUEST", request_of(number)).encode()


def folder_of(path: Path, count: int) -> Path:
    """A folder with requests in every encoding, one of them in a folder below."""
    forms: list[Callable[[int], bytes]] = [pem_of, request_of, lambda number: base64.b64encode(request_of(number))]
    suffixes = (".csr", ".der", ".b64")
    path.mkdir()
    (path / "east").mkdir()
    for number in range(count):
        place = path / "east" if number == 1 else path
        (place / f"meter{number:04d}{suffixes[number % 3]}").write_bytes(forms[number % 3](number))
    return path


def zip_of(path: Path, count: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            archive.writestr(f"requests/meter{number:04d}.csr", pem_of(number))
    return path


def csv_of(path: Path, count: int) -> Path:
    """Rows with a request in base64, in PEM, and as the name of a file in turn."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["type", "request"])
    for number in range(count):
        given = base64.b64encode(request_of(number)).decode()
        if number % 3 == 1:
            given = pem_of(number).decode()
        if number % 3 == 2:
            given = f"meter{number:04d}.p10"
            (path.parent / given).write_bytes(request_of(number))
        rows.writerow(["ESME", given])
    path.write_text(text.getvalue())
    return path


def lines_of(path: Path, count: int) -> Path:
    rows = [
        {"request": base64.b64encode(request_of(number)).decode(), "deviceType": "ESME", "model": None}
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def pem_file_of(path: Path, count: int) -> Path:
    path.write_bytes(b"".join(map(pem_of, range(count))))
    return path
