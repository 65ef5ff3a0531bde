"""OpenSSL reads what it is said to read, and notices what it is said to notice."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from smki.testing.defects import Base
from tests.testing.openssl import OpenSsl, opinion

MEASURED = "OpenSSL 3.0."
"""The version whose opinion the catalogue holds."""


def test_the_good_ones_pass(openssl: OpenSsl, written: Path) -> None:
    manifest = json.loads((written / "manifest.json").read_text())
    good = manifest["good"]
    for row in (
        {
            "file": good["device"],
            "relyingParty": {
                "certificate": good["device"],
                "chain": [good["issuing-dca"]],
                "trustAnchor": good["root-dca"],
                "crl": None,
                "arl": None,
            },
        },
        {
            "file": good["organisation"],
            "relyingParty": {
                "certificate": good["organisation"],
                "chain": [good["issuing-oca"]],
                "trustAnchor": good["root-oca"],
                "crl": good["organisation-crl"],
                "arl": good["organisation-arl"],
            },
        },
        {"file": good["device-request"], "relyingParty": {}},
        {"file": good["organisation-request"], "relyingParty": {}},
    ):
        assert opinion(openssl, written, row, manifest["moment"]) == "blind"
    for base in (Base.CRL, Base.ARL):
        assert openssl("crl", "-inform", "DER", "-in", written / good[base.value], "-noout").returncode == 0


def test_every_defect_is_parsed_and_seen_as_said(openssl: OpenSsl, written: Path) -> None:
    manifest = json.loads((written / "manifest.json").read_text())

    def judge(row: dict[str, Any]) -> tuple[str, str, str]:
        said = row["openssl"]
        expected = "cannot-parse" if not said["parses"] else "sees" if said["sees"] else "blind"
        return row["name"], opinion(openssl, written, row, manifest["moment"]), expected

    with ThreadPoolExecutor(2) as pool:
        judged = list(pool.map(judge, manifest["defects"]))
    assert len(judged) >= 70
    version = openssl("version").stdout
    if not version.startswith(MEASURED):
        # Another version may see more or less than the one the catalogue was measured with, and read the same.
        judged = [(name, *(word == "cannot-parse" for word in words)) for name, *words in judged]  # type: ignore[misc]
    assert [(name, seen, said) for name, seen, said in judged if seen != said] == [], version
