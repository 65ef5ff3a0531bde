"""Applications for Device Certificates as they stand in an input."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from smki.bounds import MAX_REQUEST_FILE_BYTES
from smki.identity import EntityIdentifier
from smki.pki.der import DerError
from smki.pki.oid import Oid
from smki.pki.request import read_request, single_request
from smki.pki.x509 import hardware_module_name, key_usages
from smki.problem import Malformed, Problem
from smki.sec.device import DeviceType
from smki.sec.role import KeyUsage

SUFFIXES = frozenset([".csr", ".p10", ".req", ".pem", ".der", ".b64", ".base64", ".hex"])
"""The suffixes of files read from a folder or an archive."""

BOTH_USAGES = (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRequest:
    """An application: a certification request, or for whom to make a key and a request."""

    source: str
    """Where it was found: a file, an entry of an archive, a line."""
    name: str
    """Its name for files made for it."""
    request: bytes = b""
    """The certification request (DER); empty if it is to be made."""
    device_id: EntityIdentifier | None = None
    """For whom to make a key and a request; None if there is a request."""
    usage: KeyUsage | None = None
    """The key usage of a request to be made."""
    device_type: DeviceType | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableRequest:
    """Something in an input that is no application."""

    source: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class DeviceRequests:
    """The contents of an input, in an order that depends on the input alone."""

    items: Iterator[DeviceRequest | UnreadableRequest]
    total: int
    """Their number; for rows an estimate."""
    ignored: int = 0
    """Number of files with other suffixes, which are not read."""


def requests_for_range(
    first: EntityIdentifier,
    count: int,
    usages: Sequence[KeyUsage],
    *,
    device_type: DeviceType | None = None,
    model: str = "",
) -> DeviceRequests:
    """Return applications for Devices with consecutive Device IDs, each with a key for every usage.

    :raises Malformed: if there are not so many identifiers from the first one on.
    """
    start = int.from_bytes(first.encoded, "big")
    if start + count > 1 << 64:
        raise Malformed(
            Problem(
                code="entity-identifier.range",
                subject=f"{count} Device IDs from {first}",
                seen=f"only {(1 << 64) - start} identifiers from there on",
                expected="8 bytes for each",
            )
        )

    def items() -> Iterator[DeviceRequest]:
        for number in range(start, start + count):
            device_id = EntityIdentifier(number.to_bytes(8, "big"))
            yield from requests_to_make(f"Device {device_id}", device_id, usages, device_type, model)

    return DeviceRequests(items(), count * len(usages))


def requests_to_make(
    source: str,
    device_id: EntityIdentifier,
    usages: Sequence[KeyUsage],
    device_type: DeviceType | None,
    model: str,
) -> Iterator[DeviceRequest]:
    """Yield an application of a Device for each usage, with keys to be made."""
    for usage in usages:
        yield DeviceRequest(
            source=f"{source}, {usage.code.lower()}",
            name=device_name(device_id, usage),
            device_id=device_id,
            usage=usage,
            device_type=device_type,
            model=model,
        )


def device_name(device_id: EntityIdentifier, usage: KeyUsage) -> str:
    """Return ``00db123456789001-ds``, as published certificates are named."""
    return f"{device_id.hex.lower()}-{usage.code.lower()}"


def name_of_path(path: str) -> str:
    """Return the name of a file, with those of its folders: ``east-meter`` for ``east/meter.csr``."""
    parts = PurePosixPath(path).parts
    return "-".join((*parts[:-1], PurePosixPath(path).stem))


def name_of_request(request: bytes, otherwise: str) -> str:
    """Return a name for a request (DER) by its Device ID and usage, if it has them."""
    try:
        structure = read_request(request)
        alt_name, usage = structure.extension(Oid.SUBJECT_ALT_NAME), structure.extension(Oid.KEY_USAGE)
        if alt_name is None or usage is None:
            return otherwise
        device_id = EntityIdentifier(hardware_module_name(alt_name.value.content)[1])
        (only,) = key_usages(usage.value.content[2:])
    except (DerError, ValueError, Malformed):
        return otherwise
    return device_name(device_id, only) if only in BOTH_USAGES else otherwise


def request_in(content: bytes, source: str, name: str) -> DeviceRequest | UnreadableRequest:
    """Return the application with the one request in the content of a file, or why there is none."""
    try:
        return DeviceRequest(source=source, name=name, request=single_request(content, source))
    except Malformed as error:
        return UnreadableRequest(source, tuple(error.problems))


def read_request_file(path: Path, source: str) -> bytes:
    """Return the content of a file of bounded size. A link, a pipe or a device is not read.

    :raises Malformed: if it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unusable(source, "file.unusable", "not a regular file")
            content = file.read(MAX_REQUEST_FILE_BYTES + 1)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _unusable(source, "file.link", "a symbolic link") from None
        code = "file.missing" if error.errno == errno.ENOENT else "file.unusable"
        raise _unusable(source, code, error.strerror or str(error)) from None
    except ValueError as error:  # a NUL in the name
        raise _unusable(source, "file.unusable", str(error)) from None
    if len(content) > MAX_REQUEST_FILE_BYTES:
        raise _unusable(source, "input.too-large", f"more than {MAX_REQUEST_FILE_BYTES} bytes")
    return content


def _unusable(source: str, code: str, seen: str) -> Malformed:
    expected = "a smaller file" if code == "input.too-large" else "a file with a certification request"
    return Malformed(Problem(code=code, subject=source, seen=seen, expected=expected))
