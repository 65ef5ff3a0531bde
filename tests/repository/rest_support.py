"""A home with certificates of every kind, its REST interface, and an officer's token for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from smki_repository.app import create_app
from werkzeug.test import TestResponse

from smki import DeviceType, RemotePartyRole, Smki
from tests.commands import make_token, revoke
from tests.support import DEVICE, DS, KA, SUPPLIER

API = "/api/v1"
PARTY = "LARGE-SUPPLIER"


@dataclass
class Api:
    """The REST interface of a home, asked in this process."""

    smki: Smki
    client: FlaskClient
    token: str

    def get(self, path: str, **headers: str) -> TestResponse:
        """GET below /api/v1; in a header's name _ stands for -."""
        return self.client.get(f"{API}{path}", headers=_named(headers))

    def json(self, path: str) -> Any:
        """The JSON of a GET that goes well."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json

    def as_officer(self, method: str, path: str, token: str = "", **options: Any) -> TestResponse:
        """A request with an officer's token."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self.client.open(f"{API}{path}", method=method, headers=headers, **options)

    def pages(self, path: str) -> list[Any]:
        """Every item of a list, by its links."""
        found: list[Any] = []
        following: str | None = f"{API}{path}"
        while following is not None:
            answer = self.client.get(following)
            assert answer.status_code == 200, answer.text
            assert answer.json is not None
            found += answer.json["items"]
            following = answer.json.get("next")
            assert answer.headers.get("Link") == (f'<{following}>; rel="next"' if following else None)
        return found


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def token_for(smki: Smki, party: str) -> str:
    """A token for the first officer of a Party."""
    return make_token(smki, party)


def filled(home: Path) -> Smki:
    """The home with Device and Organisation Certificates, one of them revoked."""
    smki = Smki.open(home)
    for usage in (DS, KA):
        smki.issue_device(smki.make_device_request(DEVICE, usage)[1], device_type=DeviceType.ESME)
        request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, usage)[1]
        record = smki.issue_organisation(request).record
    revoke(smki, record.serial_number, "superseded")
    smki.renew_lists()
    smki.lists(record.kind.ISSUING_OCA).publish()
    return smki


def api_of(home: Path) -> Api:
    """The REST interface of a filled home."""
    smki = filled(home)
    return Api(smki, create_app(smki).test_client(), token_for(smki, PARTY))
