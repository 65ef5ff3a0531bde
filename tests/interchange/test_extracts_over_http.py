"""Extracts over HTTP from the real server: listed, fetched whole and in ranges, and put together again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from smki import Smki
from smki.interchange.extracts import Extract, apply, read_extract
from tests.repository.support import Answer, Served, ask, serving
from tests.support import DEVICE, DS, KA


@pytest.fixture(scope="module")
def published(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, list[Extract]]]:
    """A Repository with a full extract, a delta and another full one."""
    import shutil

    home = tmp_path_factory.mktemp("published") / "pki"
    shutil.copytree(made_home, home)
    with Smki.open(home) as smki:
        made = [smki.extracts.full()]
        for usage in (DS, KA):
            smki.issue_device(smki.make_device_request(DEVICE, usage)[1])
        made += [smki.extracts.delta(), smki.extracts.full()]
    with serving(home) as served:
        yield served, made


def fetch(published: tuple[Served, list[Extract]], file: str, method: str = "GET", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = ask(f"{published[0].url}/extracts/{file}", method=method, headers=named)
    return replace(answer, headers={name.title(): value for name, value in answer.headers.items()})


def test_they_are_listed(published: tuple[Served, list[Extract]]) -> None:
    answer = fetch(published, "", Accept="application/json")
    assert answer.headers["Content-Type"] == "application/json"
    listed = json.loads(answer.body)["extracts"]
    assert [(each["type"], each["sha256"]) for each in listed] == [
        (extract.type.value, extract.contents.sha256) for extract in published[1]
    ]
    page = fetch(published, "", Accept="text/html")
    assert page.headers["Content-Type"].startswith("text/html")
    links = re.findall(r'href="([^"]+)"', page.body.decode())
    for link in [*links, *(each["href"] for each in listed), *(each["manifest"] for each in listed)]:
        assert fetch(published, link).status == 200
    assert fetch(published, "", If_None_Match=fetch(published, "").headers["Etag"]).status == 304


def test_a_file_and_its_head(published: tuple[Served, list[Extract]]) -> None:
    extract = published[1][0]
    answer = fetch(published, extract.path.name)
    assert answer.body == extract.path.read_bytes()
    head = fetch(published, extract.path.name, "HEAD")
    assert head.body == b""
    for name in ("Content-Length", "Etag", "Last-Modified", "Accept-Ranges", "Content-Type"):
        assert head.headers[name] == answer.headers[name]
    assert answer.headers["Content-Length"] == str(extract.contents.size)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Etag"] == f'"{extract.contents.sha256}"'
    assert "immutable" in answer.headers["Cache-Control"]
    manifest = fetch(published, extract.manifest_path.name)
    assert json.loads(manifest.body) == extract.as_json()


@pytest.mark.parametrize(
    ("wanted", "start", "end"), [("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-50", -50, None)]
)
def test_a_range(published: tuple[Served, list[Extract]], wanted: str, start: int, end: int | None) -> None:
    extract = published[1][0]
    content = extract.path.read_bytes()
    answer = fetch(published, extract.path.name, Range=wanted)
    assert answer.status == 206
    assert answer.body == content[start:end]
    first = start % len(content)
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(answer.body) - 1}/{len(content)}"


def test_a_range_that_is_not_there(published: tuple[Served, list[Extract]]) -> None:
    extract = published[1][0]
    answer = fetch(published, extract.path.name, Range=f"bytes={extract.contents.size}-")
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{extract.contents.size}"


def test_a_range_of_the_same_file_only(published: tuple[Served, list[Extract]]) -> None:
    name = published[1][0].path.name
    tag = fetch(published, name, "HEAD").headers["Etag"]
    assert fetch(published, name, Range="bytes=0-9", If_Range=tag).status == 206
    assert fetch(published, name, Range="bytes=0-9", If_Range='"another"').status == 200


def test_conditional_requests(published: tuple[Served, list[Extract]]) -> None:
    name = published[1][0].path.name
    head = fetch(published, name, "HEAD").headers
    assert fetch(published, name, If_None_Match=head["Etag"]).status == 304
    assert fetch(published, name, If_Modified_Since=head["Last-Modified"]).status == 304
    assert fetch(published, name, If_None_Match='"another"').status == 200


def test_a_download_that_broke_off_is_gone_on_with_and_put_together(
    published: tuple[Served, list[Extract]], tmp_path: Path
) -> None:
    for extract in published[1][:2]:
        half = extract.contents.size // 2
        first = fetch(published, extract.path.name, Range=f"bytes=0-{half - 1}")
        rest = fetch(published, extract.path.name, Range=f"bytes={half}-", If_Range=first.headers["Etag"])
        (tmp_path / extract.path.name).write_bytes(first.body + rest.body)
        manifest = fetch(published, extract.manifest_path.name).body
        (tmp_path / extract.manifest_path.name).write_bytes(manifest)
    chain = [read_extract(tmp_path / extract.path.name) for extract in published[1][:2]]
    applied = apply(chain, tmp_path / "new.jsonl")
    assert applied.path.read_bytes() == published[1][2].path.read_bytes()


@pytest.mark.parametrize(
    "file",
    ["../ledger.sqlite", "..%2Fledger.sqlite", "%2e%2e/smki.json", ".lock", ".making/journal.json", "x", "%00",
     "999999-full-20260101T000000Z.jsonl", "000001-full-20260101T000000Z.jsonl/", "000001-full-20260101T000000Z"],
)  # fmt: skip
def test_nothing_else_can_be_fetched(published: tuple[Served, list[Extract]], file: str) -> None:
    assert fetch(published, file).status == 404


def test_only_reading(published: tuple[Served, list[Extract]]) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert fetch(published, published[1][0].path.name, method).status == 405


def test_without_any(home: Path) -> None:
    with serving(home) as served:
        assert json.loads(ask(f"{served.url}/extracts/").body) == {"extracts": []}
        page = ask(f"{served.url}/extracts/", headers={"Accept": "text/html"})
        assert b"There are no extracts yet" in page.body
