"""Compresses certification requests to half their size, with a typical request as the dictionary.

The keys and signatures in requests are random and cannot be compressed; the rest is nearly the same in all of them.
"""

from __future__ import annotations

import base64
import zlib

from smki.pki.pem import MAX_INPUT_BYTES

_AS_IT_IS, _DEFLATED = b"\x00", b"\x01"

_LIKE_MOST_OF_THEM = base64.b64decode(
    "MIIBEzCBugIBADAAMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEzaluURPJcB5L96nh+NzhQUgU5kkMxNf6QWU/tFGY5KjfpXI"
    "2Bv8TK57w+0pRG+wZEoVd8pIZd0DB6nnSCm/Y6BYMFYGCSqGSIb3DQEJDjFJMEcwDgYDVR0PAQH/BAQDAgeAMDUGA1UdEQEB/wQr"
    "MCmgJwYIKwYBBQUHCASgGzAZBg0qhjoAAYSPuQ8BAgIBBAgAAAAAAAAAADAKBggqhkjOPQQDAgNIADBFAiBzCxr9pvvjtVUKrvAD"
    "Qfhqq9c2Zk08Mp8C+WI+ct3ZuAIhAIBBKQV5UmMs0sAJZHqskzAvTENYFPenwAty4CDz8qpI"
)
"""A Device's request. It must never change, because compressed requests can only be read with it."""

_WINDOW_BITS, _MEMORY_LEVEL = -10, 5
"""Raw deflate with a window of one kilobyte: as good as a larger one, and twice as fast."""


def pack(request: bytes) -> bytes:
    """Return the stored form of a certification request, or of what was submitted as one."""
    packer = zlib.compressobj(
        6, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, _LIKE_MOST_OF_THEM
    )
    packed = packer.compress(request) + packer.flush()
    return _DEFLATED + packed if len(packed) < len(request) else _AS_IT_IS + request


def unpack(kept: bytes) -> bytes:
    """Return the original request; of one that an altered ledger makes larger than any input, only the beginning."""
    if kept[:1] == _AS_IT_IS:
        return kept[1:]
    return zlib.decompressobj(_WINDOW_BITS, _LIKE_MOST_OF_THEM).decompress(kept[1:], MAX_INPUT_BYTES)
