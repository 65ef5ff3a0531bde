"""Writes the defects, their good twins and a manifest that says what to expect of each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from smki.clock import iso
from smki.profile.tables import TEST_POLICY_OID
from smki.testing.defects import DEFECTS
from smki.testing.defects.cast import Base, Cast
from smki.testing.defects.catalogue import Defect
from smki.testing.defects.presentation import GOOD, below_file, good_file, issued_below, presentation
from smki.testing.defects.verdict import Openssl

MANIFEST = "manifest.json"
FORMAT = 1


def write_defects(directory: Path, cast: Cast, defects: Iterable[Defect]) -> int:
    """Write them as DER, the good twins under ``good/``, and the manifest last.

    :returns: how many defects there were.
    :raises OSError: when it cannot be written there.
    """
    (directory / GOOD).mkdir(parents=True, exist_ok=True)
    _remove_former(directory)
    for base in Base:
        (directory / good_file(base)).write_bytes(cast.good_octets(base))
    rows = []
    for defect in defects:
        (directory / defect.file).write_bytes(defect.make(cast))
        below = issued_below(defect, cast)
        if below is not None:
            (directory / below_file(defect)).write_bytes(below)
        rows.append(manifest_row(defect, cast))
    manifest = {
        "format": FORMAT,
        "moment": iso(cast.moment),
        "policy": TEST_POLICY_OID,
        "good": {base.value: good_file(base) for base in Base},
        "defects": rows,
    }
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return len(rows)


def _remove_former(directory: Path) -> None:
    """Take away the defects of an earlier run, which belong to other keys."""
    manifest = directory / MANIFEST
    if not manifest.exists():
        return
    for name in {defect.file for defect in DEFECTS} | {below_file(defect) for defect in DEFECTS}:
        (directory / name).unlink(missing_ok=True)
    manifest.unlink()


def manifest_row(defect: Defect, cast: Cast) -> dict[str, Any]:
    """One defect in the manifest."""
    presented = presentation(defect, cast)
    return {
        "name": defect.name,
        "file": defect.file,
        "twin": good_file(defect.base),
        "wrong": defect.wrong,
        "clause": defect.clause,
        "lint": {
            "codes": list(defect.codes),
            "issuer": good_file(defect.issuer) if defect.issuer else None,
            "kind": defect.asked,
            "codesBelow": list(defect.below) if defect.base.is_authority else None,
        },
        "relyingParty": {"verdict": defect.verdict.code, "check": defect.verdict.check}
        | (_camel_case(asdict(presented)) if presented else {}),
        "openssl": {
            "parses": defect.openssl is not Openssl.CANNOT_PARSE,
            "sees": defect.openssl is not Openssl.BLIND,
        },
    }


def _camel_case(values: dict[str, Any]) -> dict[str, Any]:
    names = {"trust_anchor": "trustAnchor", "key_usage": "keyUsage"}
    return {names.get(name, name): value for name, value in values.items()}
