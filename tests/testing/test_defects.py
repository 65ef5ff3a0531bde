"""Every defect is one thing, and is found by exactly what the manifest says; its valid counterpart by nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from smki import Certificate, SmkiError, lint
from smki.pki.certificate import read_certificate
from smki.pki.der import Node
from smki.pki.request import read_request
from smki.pki.revocation_list import read_revocation_list
from smki.problem import errors_among
from smki.profile.catalogue import CATALOGUE
from smki.profile.lint import lint_any
from smki.testing.defects import DEFECTS, Base, Defect, Expected, Openssl, SamplePki
from tests.profile.support import codes

BY_NAME = {defect.name: defect for defect in DEFECTS}


@pytest.fixture(scope="module")
def manifest(written: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((written / "manifest.json").read_text())
    return values


def issuer_in(directory: Path, file: str | None) -> Certificate | None:
    return Certificate.from_der((directory / file).read_bytes()) if file else None


def test_there_are_at_least_seventy_of_every_sort() -> None:
    assert len(DEFECTS) >= 70
    assert len(BY_NAME) == len(DEFECTS)
    counts = Counter(defect.base for defect in DEFECTS)
    assert set(counts) >= set(Base) - {Base.ROOT_DCA}
    assert counts[Base.DEVICE] >= 20
    assert counts[Base.ORGANISATION] >= 20


@pytest.mark.parametrize("name", BY_NAME)
def test_it_is_found_by_exactly_its_codes(name: str, written: Path, manifest: dict[str, Any]) -> None:
    """From the files and the manifest alone, as somebody else would."""
    (row,) = [row for row in manifest["defects"] if row["name"] == name]
    wanted = row["lint"]
    issuer = issuer_in(written, wanted["issuer"])
    findings = lint((written / row["file"]).read_bytes(), issuer=issuer, kind=wanted["kind"])
    assert codes(findings) == set(wanted["codes"])


@pytest.mark.parametrize("base", Base)
def test_its_good_twin_is_found_by_nothing(base: Base, written: Path, manifest: dict[str, Any]) -> None:
    file = written / manifest["good"][base.value]
    issuer = issuer_in(written, manifest["good"][base.issuer.value]) if base.issuer else None
    result = lint_any(file.read_bytes(), issuer=issuer)
    assert result.findings == []
    assert result.kind.startswith(base.value)


@pytest.mark.parametrize("name", [defect.name for defect in DEFECTS if defect.base.is_authority])
def test_what_stands_below_a_defective_authority(name: str, written: Path, manifest: dict[str, Any]) -> None:
    """Good ones below it, given it as the issuer: the lint says what the issuer may not do."""
    (row,) = [row for row in manifest["defects"] if row["name"] == name]
    defect = BY_NAME[name]
    try:
        issuer = issuer_in(written, row["file"])
    except SmkiError:
        pytest.fail("every defective authority of the catalogue can be read")
    own = written / f"{name}-below.der"
    if own.exists():
        files = [own]
    else:
        files = [written / manifest["good"][base.value] for base in Base if base.issuer is defect.base is not base]
    assert files
    found = set().union(*(codes(lint(file.read_bytes(), issuer=issuer)) for file in files))
    assert found == set(row["lint"]["codesBelow"])


def parts_of(data: bytes, base: Base) -> dict[str, list[bytes]]:
    """Every part of what is signed, and the algorithm beside the signature, by name."""
    if base.is_request:
        request = read_request(data)
        named: list[tuple[str, Node | None]] = [
            ("version", request.version),
            ("subject", request.subject),
            ("key", request.public_key),
            ("algorithm", request.algorithm),
        ]
        extensions, outer = request.extensions, request.outer
    elif base.is_list:
        revoked = read_revocation_list(data)
        named = [
            ("version", revoked.version),
            ("algorithm", revoked.inner_algorithm),
            ("issuer", revoked.issuer),
            ("thisUpdate", revoked.this_update),
            ("nextUpdate", revoked.next_update),
            ("entries", revoked.entries),
            ("algorithm", revoked.outer_algorithm),
        ]
        extensions, outer = revoked.extensions, revoked.outer
    else:
        certificate = read_certificate(data)
        named = [
            ("version", certificate.version),
            ("serialNumber", certificate.serial_number),
            ("algorithm", certificate.inner_algorithm),
            ("issuer", certificate.issuer),
            ("validity", certificate.validity),
            ("subject", certificate.subject),
            ("key", certificate.public_key),
            ("algorithm", certificate.outer_algorithm),
        ]
        extensions, outer = certificate.extensions, certificate.outer
    found: dict[str, list[bytes]] = {}
    for name, node in named:
        found.setdefault(name, []).append(node.encoded if node else b"")
    for extension in extensions:
        found.setdefault(extension.name, []).append(extension.node.encoded)
    found["extensions"] = [extension.oid.encode() for extension in extensions]
    found["size"] = [str(outer is not None and outer.end == len(data)).encode()]
    return found


ONE_THING = (
    {"key", "subjectKeyIdentifier"},  # the key identifier follows from the key
    {"issuer", "authorityKeyIdentifier"},  # another issuer has another key
    {"issuer", "authorityKeyIdentifier", "subject"},  # and what it issued another name
    {"thisUpdate", "nextUpdate"},
    {"subject", "keyUsage"},  # a role and the usage that it does not have
)
"""Parts that can only change together."""


@pytest.mark.parametrize("name", BY_NAME)
def test_it_differs_from_its_twin_in_one_thing(name: str, pki: SamplePki) -> None:
    defect = BY_NAME[name]
    data, twin = defect.make(pki), pki.good_bytes(defect.base)
    if defect.verdict is Expected.AUTHORITY_OFFERED:
        assert data == twin  # it is offered as what it is not
        return
    assert data != twin
    if any(CATALOGUE[code].code.startswith("structure.") for code in defect.codes):
        return  # taken apart no further than to what is wrong
    ours, theirs = parts_of(data, defect.base), parts_of(twin, defect.base)
    changed = {part for part in {*ours, *theirs} if ours.get(part) != theirs.get(part)}
    if "extensions" in changed:
        changed = {"extensions"}  # one more, one less, or another order
    assert len(changed) <= 1 or changed in ONE_THING, changed


def test_no_two_are_the_same(pki: SamplePki) -> None:
    made = Counter(defect.make(pki) for defect in DEFECTS)
    assert max(made.values()) == 1


@pytest.mark.parametrize("name", BY_NAME)
def test_what_a_relying_party_decides_follows_from_what_the_lint_finds(name: str, pki: SamplePki) -> None:
    """Check 1 holds or not by what the lint finds without knowing the issuer; the rest of the verdicts need more."""
    defect = BY_NAME[name]
    alone = errors_among(lint(defect.make(pki)))
    first = {Expected.PROFILE, Expected.LIST_PROFILE}
    if defect.base.is_request:
        assert defect.verdict is Expected.NOT_APPLICABLE
    elif alone:
        assert defect.verdict in first
    else:
        assert defect.verdict not in first
    if defect.verdict is Expected.TRUSTED:
        assert not errors_among(lint(defect.make(pki), kind=defect.asked))


def test_every_verdict_and_every_opinion_of_openssl_occurs() -> None:
    assert {defect.verdict for defect in DEFECTS} == set(Expected)
    assert {defect.openssl for defect in DEFECTS} == set(Openssl)


def test_every_row_says_what_is_wrong_and_by_which_clause() -> None:
    for defect in DEFECTS:
        assert defect.wrong, defect.name
        assert defect.clause.split()[0] in ("X.680", "X.690", "RFC", "GBCS", "SEC", "FIPS", "a"), defect.name
        assert set(defect.codes) | set(defect.below) <= set(CATALOGUE), defect.name


def test_the_manifest_names_files_that_are_there(written: Path, manifest: dict[str, Any]) -> None:
    named = set(manifest["good"].values())
    for row in manifest["defects"]:
        party = row["relyingParty"]
        named |= {row["file"], row["twin"]}
        if "certificate" in party:
            named |= {party["certificate"], party["trustAnchor"], *party["chain"]}
            named |= {file for file in (party["crl"], party["arl"]) if file}
            presented = {party["certificate"], party["trustAnchor"], *party["chain"], party["crl"], party["arl"]}
            assert row["file"] in presented, row["name"]
    there = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()} - {"manifest.json"}
    assert named == there


def test_the_same_seed_makes_the_same_bytes_and_another_one_others(pki: SamplePki) -> None:
    again, other, drawn = SamplePki(pki.moment, "tests"), SamplePki(pki.moment, "other"), SamplePki(pki.moment)
    device: Defect = BY_NAME["device-key-usage-missing"]
    assert device.make(again) == device.make(pki)
    assert device.make(other) != device.make(pki)
    assert device.make(drawn) not in (device.make(pki), device.make(SamplePki(pki.moment)))


def test_defects_hold_at_any_time() -> None:
    """Dates are relative to the moment: what is found is the same in any year, leap days included."""
    from datetime import UTC, datetime

    for moment in (datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), datetime(2035, 12, 31, tzinfo=UTC)):
        pki = SamplePki(moment, "time")
        for base in Base:
            assert lint(pki.good_bytes(base)) == [], base
        for defect in DEFECTS:
            issuer = Certificate.from_der(pki.good_bytes(defect.issuer)) if defect.issuer else None
            assert codes(lint(defect.make(pki), issuer=issuer, kind=defect.asked)) == set(defect.codes), defect.name
