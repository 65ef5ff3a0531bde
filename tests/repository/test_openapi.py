"""The OpenAPI document: valid, complete, and read by people without anything from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import openapi_spec_validator
import pytest
from smki_repository.rest.refusals import STATUSES
from smki_repository.rest.service import OPERATIONS

from tests.repository.rest_support import API, Api
from tests.support import PROJECT


@pytest.fixture(scope="module")
def document(api: Api) -> Any:
    return api.client.get("/api/openapi.json").json


def test_it_is_valid(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    openapi_spec_validator.validate(document)


def test_it_has_every_route_and_no_other(api: Api, document: Any) -> None:
    rules = [rule for rule in api.client.application.url_map.iter_rules() if rule.rule.startswith(API)]
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix(API)))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == served
    assert document["servers"] == [{"url": API}]
    for rule in rules:
        assert rule.endpoint.startswith("rest."), f"{rule} is no operation"


def test_every_operation_says_what_it_needs_and_answers(document: Any) -> None:
    operations = {each["operationId"]: each for methods in document["paths"].values() for each in methods.values()}
    assert len(operations) == len(OPERATIONS)
    officers = {name for name, each in operations.items() if each["security"] == [{"officerToken": []}]}
    assert officers == {
        "apply", "listApplications", "getApplication", "accept", "reject", "revoke", "addParty", "changeParty",
        "setStanding", "assignIdentifier", "releaseIdentifier", "appointOfficer", "dismissOfficer", "addParticipant",
        "changeParticipant", "recordTest", "changeTest", "endTest", "setParticipation", "addDevice", "changeDevice", "setThreshold", "listApiKeys", "makeApiKey", "revokeApiKey",
        "compareWithRequest", "listProduct", "removeProduct", "changeSetting",
        "listTokens", "makeToken", "revokeToken", "listEvents", "listCertificateEvents", "addAuthority",
        "publishRevocationList", "setClock",
    }  # fmt: skip
    for name, each in operations.items():
        assert each["summary"], name
        assert {"400", "401", "503"} <= set(each["responses"]), name
        for parameter in each.get("parameters", ()):
            assert parameter["description"].endswith("."), (name, parameter["name"])
        for link in (link for answer in each["responses"].values() for link in answer.get("links", {}).values()):
            target = operations[link["operationId"]]
            assert link["parameters"].keys() == {
                parameter["name"] for parameter in target["parameters"] if parameter["in"] == "path"
            }


def test_every_schema_is_used(document: Any) -> None:
    named = set(re.findall(r'"#/components/(\w+)/(\w+)"', str(document).replace("'", '"')))
    for part in ("schemas", "headers", "responses"):
        assert {name for kind, name in named if kind == part} == set(document["components"][part])


def test_every_status_of_a_refusal_is_described(document: Any) -> None:
    described = {int(status) for status in document["components"]["responses"]}
    assert {status for _, status in STATUSES if isinstance(status, int)} <= described


class _Page(HTMLParser):
    """What of a page matters here: what it links to, what it loads, its headings and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.anchors: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        if tag == "a":
            self.links.append(values["href"] or "")
        elif "src" in values or "href" in values:
            self.loaded.append(tag)
        if values.get("id"):
            self.anchors.append(str(values["id"]))


def test_the_reader_needs_nothing_from_elsewhere(api: Api) -> None:
    answer = api.client.get("/api/docs")
    assert answer.mimetype == "text/html"
    page = _Page()
    page.feed(answer.text)
    assert page.loaded == []
    assert "script" not in page.tags
    assert not [link for link in page.links if not link.startswith(("#", "/api/"))]
    assert "url(" not in answer.text
    for link in page.links:
        assert link.removeprefix("#") in page.anchors or api.client.get(link).status_code == 200
    for operation in OPERATIONS:
        assert operation.name in page.anchors
    # What a reader of screens goes by: one main heading, a language, named parts, tables with headings.
    assert page.tags.count("h1") == 1
    assert '<html lang="en-GB">' in answer.text
    assert {"main", "nav", "header", "caption"} <= set(page.tags)
    assert len(page.anchors) == len(set(page.anchors))


def test_its_commands_can_be_tried(api: Api) -> None:
    """Every curl line for reading answers, if only that there is no such thing."""
    text = api.client.get("/api/docs").text
    lines = re.findall(r"<code>curl -s http://localhost(\S+)</code>", text)
    assert len(lines) > 10
    for line in lines:
        assert api.client.get(line).status_code in (200, 404), line


def test_below_another_path(api: Api) -> None:
    base = {"SCRIPT_NAME": "/smki"}
    found: Any = api.client.get("/api/openapi.json", environ_overrides=base).json
    assert found["servers"] == [{"url": "/smki/api/v1"}]
    page: Any = api.client.get(f"{API}/certificates?limit=1", environ_overrides=base).json
    assert page["next"].startswith("/smki/api/v1/certificates?limit=1&after=")
    assert 'href="/smki/api/openapi.json"' in api.client.get("/api/docs", environ_overrides=base).text


def test_the_page_on_it_names_every_operation() -> None:
    page = (PROJECT / "docs" / "rest.md").read_text()
    named = set(re.findall(r"^\| `(\w+ /\S*)` \|", page, re.MULTILINE))
    assert named == {f"{each.method} {each.path}" for each in OPERATIONS if not each.path.endswith(".{format}")}
