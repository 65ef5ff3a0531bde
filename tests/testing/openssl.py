"""OpenSSL's opinion of a defect, from the files and the manifest alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

OpenSsl = Callable[..., CompletedProcess[str]]

_COMMANDS = {".der": "x509", ".csr": "req", ".crl": "crl"}


def opinion(openssl: OpenSsl, directory: Path, row: dict[str, Any], moment: str) -> str:
    """``cannot-parse``, ``sees`` or ``blind``, as in the manifest's terms."""
    file = directory / row["file"]
    parsed = openssl(_COMMANDS[file.suffix], "-inform", "DER", "-in", file, "-noout", "-text")
    if parsed.returncode != 0:
        return "cannot-parse"
    return "blind" if _accepts(openssl, directory, row, moment) else "sees"


def _accepts(openssl: OpenSsl, directory: Path, row: dict[str, Any], moment: str) -> bool:
    party = row["relyingParty"]
    if "certificate" not in party:
        result = openssl("req", "-inform", "DER", "-in", directory / row["file"], "-noout", "-verify")
        return result.returncode == 0 and "failure" not in result.stderr + result.stdout
    words: list[str | Path] = ["verify", "-x509_strict", "-policy_check"]
    words += ["-attime", str(int(datetime.fromisoformat(moment).timestamp()))]
    words += ["-trusted", directory / party["trustAnchor"]]
    for file in party["chain"]:
        words += ["-untrusted", directory / file]
    if party["crl"]:
        words += ["-crl_check_all", "-CRLfile", directory / party["crl"], "-CRLfile", directory / party["arl"]]
    return openssl(*words, directory / party["certificate"]).returncode == 0
