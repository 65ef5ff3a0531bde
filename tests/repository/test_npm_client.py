"""The DCC's published client, unmodified, against our Repository: npm's @smartdcc/dccboxed-keystore."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from smki import Certificate
from smki.pki.pem import decode_input
from tests.repository.support import Served
from tests.support import DEVICE, DS, INTEROP, KA, published_client, tool


@pytest.fixture(scope="module")
def client() -> list[str]:
    """The command that runs the client."""
    published_client()
    return [tool("node"), str(INTEROP / "client.mjs")]


@pytest.fixture(scope="module")
def answers(served: Served, client: list[str]) -> dict[str, Any]:
    assert served.smki
    serials = []
    for usage in (DS, KA):
        _, request = served.smki.make_device_request(DEVICE, usage)
        serials.append(served.smki.issue_device(request).record.serial_number.hex)
    words = [*client, served.address, str(DEVICE), *serials]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found | {"serials": serials}


@pytest.mark.parametrize(("usage", "bit", "index"), [("ds", 0, 0), ("ka", 4, 1)])
def test_a_device_certificate_by_entity_identifier(answers: dict[str, Any], usage: str, bit: int, index: int) -> None:
    (found,) = answers[usage]
    assert found["eui"] == "00db1234567890a0"
    assert found["serial"] == answers["serials"][index]
    assert found["keyUsage"] == [bit]
    certificate = Certificate.from_der(decode_input(found["pem"].encode())[0].der)
    assert certificate.entity_identifier == DEVICE


def test_a_device_certificate_by_serial_number(answers: dict[str, Any]) -> None:
    assert [found[0]["serial"] for found in answers["bySerial"]] == answers["serials"]
    assert [found[0]["keyUsage"] for found in answers["bySerial"]] == [[0], [4]]


def test_an_organisation_certificate(answers: dict[str, Any]) -> None:
    (found,) = answers["organisation"]
    assert (found["eui"], found["role"], found["keyUsage"]) == ("90b3d51f30000002", 4, [4])


def test_nothing_for_the_unknown(answers: dict[str, Any]) -> None:
    assert answers["unknownEui"] is None
    assert answers["unknownSerial"] is None


def test_an_error_for_the_malformed(answers: dict[str, Any]) -> None:
    assert answers["malformedEui"] == "invalid search parameters"
    assert answers["malformedSerial"] == "invalid search parameters"
