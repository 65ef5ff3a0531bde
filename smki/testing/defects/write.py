"""Write the defects, the valid certificates they are made from, and a manifest of what to expect of each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from smki.clock import iso
from smki.profile.designation import designation_of
from smki.profile.tables import TEST_POLICY_OID
from smki.testing.defects import DEFECTS
from smki.testing.defects.catalogue import Defect, suffix
from smki.testing.defects.expected import Openssl
from smki.testing.defects.sample_pki import Base, SamplePki

GOOD = "good"
"""The directory of the valid certificates, requests and lists."""
MANIFEST = "manifest.json"
FORMAT = 1


def write_defects(directory: Path, pki: SamplePki, defects: Iterable[Defect]) -> int:
    """Write the defects as DER files, the valid ones under ``good/``, and the manifest last.

    :returns: the number of defects.
    :raises OSError: when the directory cannot be written.
    """
    (directory / GOOD).mkdir(parents=True, exist_ok=True)
    _remove_former(directory)
    for base in Base:
        (directory / good_file(base)).write_bytes(pki.good_bytes(base))
    rows = []
    for defect in defects:
        (directory / defect.file).write_bytes(defect.make(pki))
        below = defect.made_below(pki)
        if below is not None:
            (directory / below_file(defect)).write_bytes(below)
        rows.append(manifest_row(defect, pki))
    manifest = {
        "format": FORMAT,
        "moment": iso(pki.moment),
        "policy": TEST_POLICY_OID,
        **designation_of(TEST_POLICY_OID, issued_here=True),
        "good": {base.value: good_file(base) for base in Base},
        "defects": rows,
    }
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return len(rows)


def _remove_former(directory: Path) -> None:
    """Remove the defects of an earlier run, which belong to other keys."""
    manifest = directory / MANIFEST
    if not manifest.exists():
        return
    for name in {defect.file for defect in DEFECTS} | {below_file(defect) for defect in DEFECTS}:
        (directory / name).unlink(missing_ok=True)
    manifest.unlink()


def good_file(base: Base) -> str:
    """The name of the file with the valid one."""
    return f"{GOOD}/{base.value}{suffix(base)}"


def below_file(defect: Defect) -> str:
    """The name of the file with the certificate issued by a defective authority of another name."""
    return f"{defect.name}-below.der"


def manifest_row(defect: Defect, pki: SamplePki) -> dict[str, Any]:
    """One defect in the manifest."""
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
        "relyingParty": {"verdict": defect.verdict.code, "check": defect.verdict.check} | _presented(defect, pki),
        "openssl": {
            "parses": defect.openssl is not Openssl.CANNOT_PARSE,
            "sees": defect.openssl is not Openssl.BLIND,
        },
    }


def _presented(defect: Defect, pki: SamplePki) -> dict[str, Any]:
    """What is presented to a Relying Party, as names of files; nothing for a request."""
    case = defect.case(pki)
    if case is None:
        return {}
    names = {pki.good_bytes(base): good_file(base) for base in Base}
    names |= {defect.made_below(pki) or b"": below_file(defect), defect.make(pki): defect.file}
    role, _, usage = case.use.partition("/")
    return {
        "certificate": names[case.certificate],
        "chain": [names[each] for each in case.chain],
        "trustAnchor": names[case.trust_anchors[0]],
        "crl": names[case.crls[0]] if case.crls else None,
        "arl": names[case.arls[0]] if case.arls else None,
        "role": None if role == "device" else role,
        "keyUsage": usage,
    }
