"""Key stores: what is written is read again, by us and by the published client; what is wrong is named."""

from __future__ import annotations

import functools
import http.server
import io
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki.interchange import CertificateWithKey, key_store_json, org_crypto_zip, read_key_store, write_key_store
from smki.interchange.key_store_entries import key_store_entries
from smki.keys.private_key import SystemRandomness
from smki.problem import Malformed
from tests.interchange.conftest import organisations
from tests.support import INTEROP, published_client, tool


def same(one: list[CertificateWithKey], other: list[CertificateWithKey]) -> bool:
    def facts(pair: CertificateWithKey) -> tuple[bytes, int | None, str]:
        key = pair.key.private_numbers().private_value if pair.key else None
        return pair.certificate.der, key, pair.name

    return sorted(map(facts, one), key=str) == sorted(map(facts, other), key=str)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_again(pairs: list[CertificateWithKey], data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(pairs), unique_by=lambda pair: pair.certificate.der))
    names = data.draw(st.lists(st.text(max_size=20), min_size=len(some), max_size=len(some)))
    keyless = data.draw(st.sets(st.sampled_from(range(len(pairs)))))
    held = [
        CertificateWithKey(each.certificate, None if index in keyless else each.key, name)
        for index, (each, name) in enumerate(zip(some, names, strict=True))
    ]
    text = key_store_json(held)
    assert same(read_key_store(text), held)
    assert key_store_json(reversed(read_key_store(text.encode()))) == text


def test_it_has_the_form_of_the_published_one(pairs: list[CertificateWithKey]) -> None:
    """The rules of the published schema, and the members of the published file."""
    published = json.loads((published_client() / "keystore.json").read_text())
    ours = json.loads(key_store_json(pairs))
    assert forms(published) | {"Device"} == forms(ours)


def forms(store: dict[str, Any]) -> set[str]:
    """Which kinds of entry a key store has, by the rules of its schema: nothing else may be in it."""
    found = set()
    for eui, usages in store.items():
        assert len(eui) == 16
        assert set(eui) <= set("0123456789abcdef")
        assert set(usages) <= {"digitalSignature", "keyAgreement"}
        for entry in (entry for serials in usages.values() for entry in serials.values()):
            assert entry["certificate"].startswith("-----BEGIN CERTIFICATE-----\n")
            assert entry["privateKey"].startswith("-----BEGIN PRIVATE KEY-----\n")
            assert isinstance(entry["name"], str)
            assert set(entry) <= {"certificate", "privateKey", "name", "role"}
            found.add("Organisation" if isinstance(entry.get("role"), int) else "Device")
    return found


def test_the_published_client_reads_it(pairs: list[CertificateWithKey], tmp_path: Path) -> None:
    published_client()
    file = tmp_path / "keystore.json"
    file.write_text(key_store_json(pairs))
    words = [tool("node"), str(INTEROP / "key_store.mjs"), str(file)]
    found = json.loads(subprocess.run(words, capture_output=True, check=True, timeout=60).stdout)
    assert {entry["serial"] for entry in found} == {pair.certificate.serial_number.hex for pair in pairs}
    expected = {pair.certificate.serial_number.hex: pair for pair in pairs}
    for entry in found:
        pair = expected[entry["serial"]]
        assert entry["keyFits"] is True
        assert entry["alsoByEui"] is True
        assert entry["name"] == pair.name
        assert entry["role"] == (pair.certificate.role.decimal if pair.certificate.role else None)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def files_served(directory: Path) -> Iterator[str]:
    """A static server over a directory; its host:port."""
    handler = functools.partial(_Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_the_published_client_builds_a_key_store_from_the_archive(
    pairs: list[CertificateWithKey], tmp_path: Path
) -> None:
    published_client()
    held = organisations(pairs)
    (tmp_path / "assets" / "crypto").mkdir(parents=True)
    archive = org_crypto_zip(held)
    (tmp_path / "assets" / "crypto" / "org-crypto.zip").write_bytes(archive)
    output = tmp_path / "built.json"
    with files_served(tmp_path) as address:
        words = [tool("node"), str(INTEROP / "build_db.mjs"), address, str(output)]
        result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["head"] == {"status": 200, "type": "application/zip", "length": len(archive)}
    assert said["warnings"] == []
    assert len(said["pairs"]) == len(held)
    assert same(read_key_store(output.read_bytes()), held)


def test_the_published_key_store_is_read_whole() -> None:
    content = (published_client() / "keystore.json").read_bytes()
    entries = list(key_store_entries(content))
    assert len(entries) == 33
    assert [problem for entry in entries for problem in entry.problems] == []
    assert all(entry.key is not None for entry in entries)
    assert same(read_key_store(key_store_json(read_key_store(content))), read_key_store(content))


def changed(store: str, change: Callable[[Any], Any]) -> str:
    """The key store with its first entry changed."""
    value = json.loads(store)
    eui = next(iter(value))
    usage = next(iter(value[eui]))
    serial = next(iter(value[eui][usage]))
    value[eui][usage][serial] = change(value[eui][usage][serial])
    return json.dumps(value)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda entry: entry | {"role": 3}, "key-store.role"),
        (lambda entry: entry | {"role": "2"}, "key-store.role"),
        (lambda entry: entry | {"role": None}, "key-store.role"),
        (lambda entry: entry | {"comment": ""}, "key-store.member"),
        (lambda entry: entry | {"name": 5}, "key-store.name"),
        (lambda entry: entry | {"privateKey": "-----BEGIN PRIVATE KEY-----"}, "key.unreadable"),
        (lambda entry: entry | {"privateKey": 5}, "key-store.private-key"),
        (lambda entry: entry | {"certificate": None}, "key-store.certificate"),
        (lambda entry: entry | {"certificate": entry["certificate"] * 2}, "key-store.certificate"),
        (lambda entry: entry | {"certificate": "\ud800"}, "input.not-encoded"),
        (lambda entry: [entry], "key-store.form"),
    ],
)
def test_an_entry_that_is_wrong(pairs: list[CertificateWithKey], change: Callable[[Any], Any], code: str) -> None:
    store = key_store_json(pair for pair in pairs if pair.certificate.role is not None)
    with pytest.raises(Malformed) as caught:
        read_key_store(changed(store, change))
    assert code in {problem.code for problem in caught.value.problems}


def test_an_entry_in_the_wrong_place(pairs: list[CertificateWithKey]) -> None:
    value = json.loads(key_store_json(pairs[:1]))
    (eui, usages), *_ = value.items()
    (usage, serials), *_ = usages.items()
    (serial, entry), *_ = serials.items()
    other = "keyAgreement" if usage == "digitalSignature" else "digitalSignature"
    for moved, code in (
        ({"00db123456789001": usages}, "key-store.entity-identifier"),
        ({eui: {other: serials}}, "key-store.usage"),
        ({eui: {usage: {str(int(serial) + 1): entry}}}, "key-store.serial-number"),
    ):
        with pytest.raises(Malformed) as caught:
            read_key_store(json.dumps(moved))
        assert [problem.code for problem in caught.value.problems] == [code]


def test_a_key_of_another_certificate(pairs: list[CertificateWithKey]) -> None:
    other = SystemRandomness().private_key("")
    with pytest.raises(Malformed, match="does not belong"):
        CertificateWithKey(pairs[0].certificate, other, "x")
    exchanged = changed(
        key_store_json(pairs[:1]),
        lambda entry: entry | {"privateKey": json.loads(key_store_json(pairs[-1:]))["00db1234567890a0"]["keyAgreement"][
            str(pairs[-1].certificate.serial_number.value)]["privateKey"]},
    )  # fmt: skip
    with pytest.raises(Malformed) as caught:
        read_key_store(exchanged)
    assert caught.value.code == "key.of-another-certificate"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "json.malformed"),
        ("[]", "json.not-an-object"),
        ("5", "json.not-an-object"),
        (b"\xff\xfe\x00", "json.malformed"),
        ("[" * 100_000, "json.malformed"),
        ('{"a":' * 100_000, "json.malformed"),
        ('{"a": 1, "a": 2}', "json.malformed"),
        ('{"a": ' + "9" * 100_000 + "}", "json.malformed"),
        ('{"a": ' + "9" * 100_000 + ".5}", "json.malformed"),
        ('{"a": NaN}', "json.malformed"),
        ('{"a": 1e999}', "key-store.form"),
        ('{"90B3D51F30010000": {}}', "key-store.form"),
        ('{"90b3d51f30010000": []}', "key-store.form"),
        ('{"90b3d51f30010000": {"keyCertSign": {}}}', "key-store.form"),
        ('{"90b3d51f30010000": {"keyAgreement": {"0x5": {}}}}', "key-store.form"),
        ('{"90b3d51f30010000": {"keyAgreement": {"05": {}}}}', "key-store.form"),
    ],
)
def test_no_key_store(text: str | bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_key_store(text)
    assert caught.value.code == code


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(st.binary(max_size=200), st.recursive(
    st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.dictionaries(st.sampled_from(
        ["90b3d51f30010000", "digitalSignature", "5", "certificate", "privateKey", "role", "name"]), inner, max_size=4),
).map(json.dumps)))  # fmt: skip
def test_hostile_text_is_refused_by_name(text: str | bytes) -> None:
    try:
        held = read_key_store(text)
    except Malformed as error:
        assert all(problem.code and problem.seen for problem in error.problems)
    else:
        assert held == []


def test_it_is_written_in_order_only(pairs: list[CertificateWithKey]) -> None:
    by_entity = sorted(pairs, key=lambda pair: str(pair.certificate.entity_identifier))
    with pytest.raises(ValueError, match="order"):
        write_key_store(io.BytesIO(), reversed(by_entity))
    with pytest.raises(Malformed) as caught:
        key_store_json([pairs[0], pairs[0]])
    assert caught.value.code == "key-store.ambiguous"


def test_an_authority_has_no_place_in_it(smki: Any) -> None:
    authority = smki.authorities()[0].certificate
    with pytest.raises(Malformed) as caught:
        key_store_json([CertificateWithKey(authority, None, "root")])
    assert caught.value.code == "key-store.no-entity-identifier"


def test_a_repr_shows_no_key(pairs: list[CertificateWithKey]) -> None:
    text = repr(pairs) + repr(list(key_store_entries(key_store_json(pairs))))
    assert "PRIVATE" not in text
    assert "EllipticCurve" not in text
