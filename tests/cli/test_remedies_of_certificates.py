"""What a refusal says to do about a certificate can be typed as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from smki import DeviceType, RemotePartyRole, Smki
from smki.identity import PartyId, SerialNumber
from smki.problem import SmkiError
from smki.registration.acceptance import Accept
from smki.registration.identifiers import ReleaseIdentifier
from smki.registration.revocation import Revoke
from smki.remedies import Interface
from tests.commands import TEST
from tests.support import DEVICE, DS, SUPPLIER, run_cli


def issued(smki: Smki) -> SerialNumber:
    request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]
    return smki.issue_organisation(request).record.serial_number


def refusal(smki: Smki, command: object) -> str:
    with pytest.raises(SmkiError) as caught:
        smki.registration.execute(command, TEST)  # type: ignore[arg-type]
    return caught.value.problems[0].remedy_for(Interface.CLI)


def carry_out(remedy: str, home: Path) -> None:
    found = re.search(
        r"smki ((revoke|reject) .*?)[).]", remedy.replace("…", "superseded").replace("PARTY", "LARGE-SUPPLIER")
    )
    assert found, remedy
    told = run_cli(*shlex.split(found[1]), "--home", str(home))
    assert told.returncode == 0, told.stderr


def test_release_an_identifier(home: Path) -> None:
    with Smki.open(home) as smki:
        issued(smki)
        command = ReleaseIdentifier(PartyId("LARGE-SUPPLIER"), SUPPLIER)
        remedy = refusal(smki, command)
        carry_out(remedy, home)
        smki.registration.execute(command, TEST)


def test_accept_what_is_in_use(home: Path) -> None:
    with Smki.open(home) as smki:
        remedy = refusal(smki, Accept(issued(smki)))
    carry_out(remedy, home)


def test_revoke_a_device_certificate(home: Path) -> None:
    with Smki.open(home) as smki:
        request = smki.make_device_request(DEVICE, DS)[1]
        serial = smki.issue_device(request, device_type=DeviceType.ESME).record.serial_number
        subscriber = smki.ledger.application(smki.ledger.certificate(serial).application_id).application.subscriber  # type: ignore[union-attr]
        remedy = refusal(smki, Revoke(serial_number=serial, reason="superseded"))
    carry_out(remedy.replace("PARTY", subscriber), home)


def test_choices_that_are_missing_are_listed_on_one_line() -> None:
    told = run_cli("authority", "add")
    assert b"Choose from: issuing-oca, issuing-dca" in told.stderr
