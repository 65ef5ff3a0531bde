"""The raw limits of this machine: what the cryptography and the disk alone would allow."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.measurement import Measurement, rate

_ECDSA = ec.ECDSA(hashes.SHA256())
_DATA = bytes(340)


@cache
def limits() -> dict[str, float]:
    """Rates a second: sign, verify, generate, verify_and_sign, commit (a durable SQLite transaction)."""
    key = ec.generate_private_key(ec.SECP256R1())
    public, signature = key.public_key(), key.sign(_DATA, _ECDSA)
    sign, verify = rate(lambda: key.sign(_DATA, _ECDSA)), rate(lambda: public.verify(signature, _DATA, _ECDSA))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        connection = sqlite3.connect(Path(directory) / "x.sqlite", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
        content = os.urandom(400)
        commit = rate(lambda: connection.execute("INSERT INTO t (b) VALUES (?)", (content,)))
        connection.close()
    return {
        "sign": sign,
        "verify": verify,
        "generate": rate(lambda: ec.generate_private_key(ec.SECP256R1())),
        "verify_and_sign": 1 / (1 / sign + 1 / verify),
        "commit": commit,
    }


def run() -> list[Measurement]:
    """The limits as figures."""
    found = limits()
    return [
        Measurement("raw: ECDSA P-256 sign", found["sign"], "/s"),
        Measurement("raw: ECDSA P-256 verify", found["verify"], "/s"),
        Measurement("raw: P-256 key generation", found["generate"], "/s"),
        Measurement("raw: verify a request and sign a certificate", found["verify_and_sign"], "/s"),
        Measurement("raw: durable SQLite commit on this disk", found["commit"], "/s"),
    ]
