"""``/assets/crypto/org-crypto.zip``: off by default, then HEAD and GET as the published client does, and no other key."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from smki_repository.app import create_app
from smki_repository.options import Options

from smki import CertificateKind, Smki
from smki.keys.private_key import read_key
from smki.ledger import CertificateQuery
from smki.problem import IntegrityError
from smki.testing.demo import make_z1
from smki.testing.published_identities import PUBLISHED_IDENTITIES
from tests.repository.support import Served, ask, serving
from tests.support import DEVICE, DS, INTEROP, SUPPLIER, published_client, run_cli, tool

ORG_CRYPTO = "/assets/crypto/org-crypto.zip"


@contextmanager
def publishing_below(directory: Path, made_home: Path) -> Iterator[Served]:
    """Run a server that hands out the keys made for it, with its home and its key files in ``directory``."""
    shutil.copytree(made_home, directory / "pki")
    with Smki.open(directory / "pki") as smki:
        make_z1(smki, directory / "z1")
        _, request = smki.make_device_request(DEVICE, DS)
        smki.issue_device(request)
        with serving(directory / "pki", "--publish-test-keys") as served:
            yield replace(served, smki=smki)


@pytest.fixture(scope="module")
def publishing(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with publishing_below(tmp_path_factory.mktemp("publishing"), made_home) as served:
        yield served


@pytest.fixture
def own_publishing(made_home: Path, tmp_path: Path) -> Iterator[Served]:
    """For a test that adds to the published keys."""
    with publishing_below(tmp_path, made_home) as served:
        yield served


def test_head_and_get(publishing: Served) -> None:
    head = ask(publishing.url + ORG_CRYPTO, method="HEAD")
    answer = ask(publishing.url + ORG_CRYPTO)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == answer.headers["content-type"] == "application/zip"
    assert int(head.headers["content-length"]) == len(answer.body)
    # What was written beside the certificates is what is handed out.
    assert answer.body == (publishing.home.parent / "z1" / "org-crypto.zip").read_bytes()


def test_conditional_get(publishing: Served) -> None:
    answer = ask(publishing.url + ORG_CRYPTO)
    for headers in (
        {"If-None-Match": answer.headers["etag"]},
        {"If-Modified-Since": answer.headers["last-modified"]},
    ):
        again = ask(publishing.url + ORG_CRYPTO, headers=headers)
        assert (again.status, again.body) == (304, b"")
    assert ask(publishing.url + ORG_CRYPTO, headers={"If-None-Match": '"another"'}).status == 200
    part = ask(publishing.url + ORG_CRYPTO, headers={"Range": "bytes=0-3"})
    assert (part.status, part.body) == (206, b"PK\x03\x04")


def test_the_published_client_makes_its_key_store_of_it(publishing: Served, tmp_path: Path) -> None:
    """As its ``build:db`` does: HEAD, GET, every pair checked and stored, further certificates by serial number."""
    published_client()
    assert publishing.smki
    serials = [
        record.serial_number.hex
        for record in publishing.smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.DEVICE,)))
    ]
    words = [tool("node"), str(INTEROP / "build_db.mjs"), publishing.address, str(tmp_path / "keystore.json"), *serials]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["head"] == {"status": 200, "type": "application/zip", "length": said["octets"]}
    assert said["warnings"] == []
    assert sorted(map(tuple, said["pairs"])) == sorted(
        (one.entity.hex.lower(), 0 if one.usage is DS else 4, one.role.decimal) for one in PUBLISHED_IDENTITIES
    )
    assert said["fetched"] == serials
    assert len(json.loads((tmp_path / "keystore.json").read_text())) == 11


def test_a_new_key_appears_at_once(own_publishing: Served) -> None:
    before = ask(own_publishing.url + ORG_CRYPTO)
    words = ("issue", "organisation", "--home", own_publishing.home, "--eui", str(SUPPLIER), "--role", "supplier")
    out = own_publishing.home.parent / "mine.pem"
    result = run_cli(*words, "--usage", "ds", "--publish-key", "--out", out)
    assert result.returncode == 0, result.stderr
    assert b"keys/published/mine.key" in result.stderr
    after = ask(own_publishing.url + ORG_CRYPTO, headers={"If-None-Match": before.headers["etag"]})
    assert after.status == 200
    with zipfile.ZipFile(io.BytesIO(after.body)) as archive:
        assert archive.read("org-crypto/cert/mine.pem") == out.read_bytes()
        assert archive.read("org-crypto/key/mine.key") == out.with_suffix(".key").read_bytes()
    # One that is not said to be published is not.
    result = run_cli(*words, "--usage", "ka", "--out", own_publishing.home.parent / "own.pem")
    assert result.returncode == 0, result.stderr
    assert ask(own_publishing.url + ORG_CRYPTO).body == after.body


def test_off_by_default(served: Served) -> None:
    answer = ask(served.url + ORG_CRYPTO)
    assert answer.status == 404
    assert b"smki serve --publish-test-keys" in answer.body
    assert ask(served.url + ORG_CRYPTO, method="HEAD").status == 404
    assert b"org-crypto" not in ask(served.url).body


def test_none_to_hand_out(smki: Smki) -> None:
    answer = create_app(smki, Options(publish_test_keys=True)).test_client().get(ORG_CRYPTO)
    assert answer.status_code == 404
    assert b"smki demo z1" in answer.data


@pytest.mark.parametrize("name", ["root-oca", "issuing-oca", "root-dca", "issuing-dca"])
def test_an_authority_key_is_never_published(home: Path, smki: Smki, name: str) -> None:
    """Neither asked for nor put there by hand."""
    key = read_key(home / "keys" / f"{name}.key")
    with pytest.raises(IntegrityError) as caught:
        smki.published_keys.add("supplier", key)
    assert caught.value.code == "published-key.unfit"
    assert not (home / "keys" / "published").exists()
    (home / "keys" / "published").mkdir()
    shutil.copy(home / "keys" / f"{name}.key", home / "keys" / "published")
    answer = create_app(smki, Options(publish_test_keys=True)).test_client().get(ORG_CRYPTO)
    assert answer.status_code == 503
    assert b"PRIVATE KEY" not in answer.data
    result = run_cli("serve", "--home", home, "--port", "1", "--publish-test-keys")
    assert result.returncode == 2
    assert b"[published-key.unfit]" in result.stderr
    assert result.stdout == b""


def test_a_key_of_nobody_or_of_a_device_is_not_published(smki: Smki) -> None:
    key, request = smki.make_device_request(DEVICE, DS)
    with pytest.raises(IntegrityError, match="no certificate"):
        smki.published_keys.add("device", key)
    smki.issue_device(request)
    with pytest.raises(IntegrityError, match="Device"):
        smki.published_keys.add("device", key)
    assert smki.published_keys.certificates() == []
