"""smki defects."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from smki import Smki
from smki.cli.defects import defects
from smki.keys.private_key import read_key
from smki.pki.certificate import Certificate
from smki.pki.request import public_point
from smki.testing.defects import DEFECTS, Base
from tests.support import run_cli


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_list() -> None:
    text = CliRunner().invoke(defects, ["list"]).stdout
    rows = json.loads(CliRunner().invoke(defects, ["list", "--json"]).stdout)
    assert [row["name"] for row in rows] == [defect.name for defect in DEFECTS]
    for defect in DEFECTS:
        assert f"{defect.name}: {defect.wrong}" in text
    only = json.loads(CliRunner().invoke(defects, ["list", "--json", "--only", "role.*"]).stdout)
    assert {code.split(".")[0] for row in only for code in row["lint"]["codes"]} >= {"role"}
    assert 3 <= len(only) < 15


def test_write_is_reproducible_with_a_seed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = run_cli("defects", "write", tmp_path / name, "--seed", "demo")
        assert done.returncode == 0, done.stderr
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert run_cli("defects", "write", tmp_path / "three", "--seed", "other").returncode == 0
    same = {name for name, encoded in files(tmp_path / "one").items() if files(tmp_path / "three")[name] == encoded}
    assert same <= {"manifest.json"}  # which names files and what to expect, no bytes


def test_write_some_and_write_again(tmp_path: Path) -> None:
    directory = tmp_path / "defects"
    assert run_cli("defects", "write", directory, "--only", "device-key-*").returncode == 0
    manifest = json.loads((directory / "manifest.json").read_text())
    names = [row["name"] for row in manifest["defects"]]
    assert names
    assert all(name.startswith("device-key-") for name in names)
    assert run_cli("defects", "write", directory, "--only", "root-oca-*").returncode == 0
    there = {name for name in files(directory) if not name.startswith("good/")}
    assert there == {"manifest.json", "root-oca-path-length-0.der", "root-oca-names-another.der"}


def test_what_is_written_without_a_seed_is_current(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from smki.clock import RealClock
    from smki.pki.revocation_list import RevocationList

    assert run_cli("defects", "write", tmp_path / "now", "--only", "device-expires").returncode == 0
    revoked = RevocationList.from_der((tmp_path / "now" / "good" / "organisation-crl.crl").read_bytes())
    assert revoked.next_update is not None
    assert revoked.this_update < RealClock().now() < revoked.next_update
    assert (
        run_cli("defects", "write", tmp_path / "then", "--at", "2031-05-05", "--only", "device-expires").returncode == 0
    )
    then = RevocationList.from_der((tmp_path / "then" / "good" / "organisation-crl.crl").read_bytes())
    assert then.this_update == datetime(2031, 5, 4, 23, tzinfo=UTC)


def test_bad_words(tmp_path: Path) -> None:
    assert b"[defect.unknown]" in run_cli("defects", "write", tmp_path / "x", "--only", "nothing-*").stderr
    (tmp_path / "mine").write_text("mine")
    done = run_cli("defects", "write", tmp_path)
    assert done.returncode == 2
    assert b"[directory.occupied]" in done.stderr
    assert files(tmp_path) == {"mine": b"mine"}
    assert run_cli("defects", "write", tmp_path / "mine").returncode == 2
    assert run_cli("defects", "write", tmp_path / "y", "--at", "yesterday").returncode == 2


def test_the_keys_of_a_home_sign_no_defect(tmp_path: Path) -> None:
    """Not even of a home that was made from the same seed."""
    Smki.create(tmp_path / "pki", seed="same").close()
    assert run_cli("defects", "write", tmp_path / "defects", "--seed", "same").returncode == 0
    keys = [file for file in (tmp_path / "pki" / "keys").rglob("*.key") if file.name != "record.key"]
    points = [public_point(read_key(file).public_key()) for file in keys]
    assert len(points) > 4
    written = b"".join(files(tmp_path / "defects").values())
    for point in points:
        assert point[1:33] not in written
    ours = {
        Certificate.from_der((tmp_path / "defects" / "good" / f"{base.value}.der").read_bytes()).point
        for base in Base
        if base.is_authority
    }
    assert len(ours) == 4
    assert not ours & set(points)


def test_a_defect_from_the_manifest_with_the_command_line(tmp_path: Path) -> None:
    """As a person would: write them, lint one with its issuer, read the code."""
    run_cli("defects", "write", tmp_path / "d", "--seed", "demo")
    done = run_cli(
        "lint", "d/device-signature-flipped.der", "--issuer", "d/good/issuing-dca.der", "--json", cwd=tmp_path
    )
    assert done.returncode == 1
    (found,) = json.loads(done.stdout)["objects"]
    assert [finding["code"] for finding in found["findings"]] == ["signature.does-not-verify"]
    assert run_cli("lint", "d/good", cwd=tmp_path).returncode == 0
    assert run_cli("lint", "d", cwd=tmp_path).returncode == 2  # some of them cannot be read at all
