"""Roles, key usages, statuses, Device types: every form in which they are written."""

import pytest

from smki import CertificateStatus, DeviceType, KeyUsage, RemotePartyRole
from smki.problem import Malformed

# Written by hand from GBCS 12 and the published certificates.
ROLES = [
    ("root", 0, "00", ""),
    ("recovery", 1, "01", "DS"),
    ("supplier", 2, "02", "DS KA"),
    ("networkOperator", 3, "03", "DS KA"),
    ("accessControlBroker", 4, "04", "DS KA"),
    ("transitionalCoS", 5, "05", "DS"),
    ("wanProvider", 6, "06", "DS KA"),
    ("issuingAuthority", 7, "07", ""),
    ("loadController", 8, "08", "DS KA"),
    ("other", 127, "7F", "DS KA"),
    ("xmlSign", 135, "87", "DS"),
    ("dSPXmlSign", 137, "89", "DS"),
]


def test_the_table_is_complete() -> None:
    assert [role.label for role in RemotePartyRole] == [row[0] for row in ROLES]


@pytest.mark.parametrize(("label", "decimal", "hexadecimal", "usages"), ROLES)
def test_a_role_in_every_form(label: str, decimal: int, hexadecimal: str, usages: str) -> None:
    role = RemotePartyRole.parse(label)
    assert (role.label, role.decimal, role.hexadecimal) == (label, decimal, hexadecimal)
    assert " ".join(usage.code for usage in role.usages) == usages
    assert RemotePartyRole.of_hexadecimal(hexadecimal) is role
    assert RemotePartyRole.of_decimal(decimal) is role
    forms = [label.upper(), hexadecimal.lower(), hexadecimal]
    if len(str(decimal)) != 2:
        forms.append(str(decimal))
    assert {RemotePartyRole.parse(form) for form in forms} == {role}


def test_two_characters_are_hexadecimal() -> None:
    assert RemotePartyRole.parse("87") is RemotePartyRole.XML_SIGN
    assert RemotePartyRole.parse("network-operator") is RemotePartyRole.NETWORK_OPERATOR


@pytest.mark.parametrize("text", ["", "9", "supply", "0x02", "256", "-1", "88"])
def test_unknown_roles(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        RemotePartyRole.parse(text)
    assert caught.value.code == "role.unknown"
    assert "supplier (02)" in caught.value.problems[0].remedy


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        ("ds", KeyUsage.DIGITAL_SIGNATURE),
        ("DS", KeyUsage.DIGITAL_SIGNATURE),
        ("digitalsignature", KeyUsage.DIGITAL_SIGNATURE),
        ("ka", KeyUsage.KEY_AGREEMENT),
        ("keyAgreement", KeyUsage.KEY_AGREEMENT),
    ],
)
def test_key_usages(text: str, usage: KeyUsage) -> None:
    assert KeyUsage.parse(text) is usage


def test_key_usage_bits() -> None:
    names = "digitalSignature nonRepudiation keyEncipherment dataEncipherment keyAgreement keyCertSign cRLSign encipherOnly decipherOnly"
    assert " ".join(usage.label for usage in KeyUsage) == names
    assert [usage.value for usage in KeyUsage] == list(range(9))
    with pytest.raises(Malformed):
        KeyUsage.parse("keyCertSign")


@pytest.mark.parametrize(
    ("letter", "words"), [("P", "pending"), ("I", "in use"), ("N", "not in use"), ("E", "expired"), ("R", "revoked")]
)
def test_statuses(letter: str, words: str) -> None:
    status = CertificateStatus.parse(letter.lower())
    assert (status.value, status.label) == (letter, words)
    assert CertificateStatus.parse(words.replace(" ", "-").upper()) is status


def test_unknown_status() -> None:
    with pytest.raises(Malformed):
        CertificateStatus.parse("X")


def test_device_types() -> None:
    assert [kind.name for kind in DeviceType if not kind.holds_certificates] == ["IHD", "CAD"]
    assert [kind.name for kind in DeviceType if kind.is_type_1] == ["PPMID", "HCALCS", "SAPC"]
    assert DeviceType.parse("esme") is DeviceType.ESME
    with pytest.raises(Malformed) as caught:
        DeviceType.parse("toaster")
    assert "ESME (Electricity Smart Meter)" in caught.value.problems[0].remedy
