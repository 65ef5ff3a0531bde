"""What every peer has to offer to be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from smki.pki import certificate


class NotMeasuredError(Exception):
    """A peer cannot be installed, or does not do what is measured; the message is the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a figure has to say about a peer, so that it can be compared with others."""

    name: str
    stores: str
    """What is kept of an issued certificate, and when it is durable."""
    keeps: bool
    """Whether anything is kept."""
    at_once: int
    """Number of requests that it has in hand at a time: 1, as many as there are connections or processes, or all."""
    most: int | None = None
    """Maximum number of requests it is given, because it is slow; None if it is given all."""
    has_own_keys: bool = False
    """Whether it generates the keys of the certificates itself and takes no requests."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Issued:
    """What a peer made of the requests."""

    certificates: Sequence[bytes]
    """DER, one for each request, in their order."""
    issuer: bytes
    """The certificate (DER) of the authority that signed them."""
    seconds: float
    """From the first request, in the form that the peer reads, to the last certificate handed out."""
    stored: int
    """Number of certificates found where the peer stores them, afterwards; 0 if it stores nothing."""


class Peer(Protocol):
    """A certificate authority that can be installed and issues for many requests."""

    @property
    def facts(self) -> Facts:
        """What to say about it."""

    def install(self) -> str:
        """Install it below ``build/peers`` if it is not there yet; return its version.

        :raises NotMeasuredError: if it cannot be installed.
        """

    def issue(self, warm_up: bytes, requests: Sequence[bytes], folder: Path) -> Issued:
        """Set up a new authority in an empty folder, and issue a certificate for each request (DER).

        :param warm_up: a further request, for which a certificate may be issued before the clock starts.
        :raises NotMeasuredError: if the peer fails.
        """


def to_pem(request: bytes) -> str:
    """Return a certification request (DER) as PEM."""
    return certificate.to_pem("CERTIFICATE REQUEST", request)


def from_pem(encoded: bytes) -> bytes:
    """Return the DER of the first certificate in PEM."""
    return x509.load_pem_x509_certificate(encoded).public_bytes(Encoding.DER)
