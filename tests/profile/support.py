"""Good examples of every profile, and what a lint run looks like to a test."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from smki import Finding, KeyUsage, RemotePartyRole
from smki.cli.defects import SEEDED_MOMENT
from smki.keys.private_key import SeededRandomness
from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.pki.pem import decode_input
from smki.pki.request import make_device_request, make_organisation_request, organisation_subject
from smki.pki.x509 import key_identifier, key_usage_bit_string
from smki.problem import errors_among
from smki.sec.role import ORGANISATION_ROLES
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.edits import added, both, extension, put
from tests.support import DEVICE, PROJECT, SUPPLIER

GOLDEN = PROJECT / "fixtures" / "golden"
PKI = SamplePki(SEEDED_MOMENT, "tests")


def codes(findings: Iterable[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def error_codes(findings: Iterable[Finding]) -> set[str]:
    return codes(errors_among(findings))


@cache
def golden() -> dict[str, bytes]:
    """Every golden certificate (DER) by the name of its file without suffix."""
    return {file.stem: decode_input(file.read_bytes())[0].der for file in sorted(Path(GOLDEN).glob("*.pem"))}


@cache
def golden_issuer(data: bytes) -> Certificate:
    """The certificate of the authority that issued a golden one."""
    name = Certificate.from_der(data).issuer
    (issuer,) = [each for each in map(Certificate.from_der, golden().values()) if each.subject == name]
    return issuer


@cache
def examples() -> dict[str, list[bytes]]:
    """Good ones (DER) for every profile, by its name."""
    key = SeededRandomness("examples").private_key("")
    found: dict[str, list[bytes]] = {"organisation": [], "organisation-request": []}
    for name, data in golden().items():
        kind = name.rsplit("-", 1)[0] if name.startswith(("organisation", "device")) else name
        found.setdefault(kind, []).append(data)
        if kind.startswith("organisation"):
            found["organisation"].append(data)
    for role in ORGANISATION_ROLES:
        for usage in role.usages:
            data = make_organisation_request(key, SUPPLIER, role, usage, "Name")
            found.setdefault(f"organisation-request-{role.label}", []).append(data)
            found["organisation-request"].append(data)
            if role is ORGANISATION_ROLES[1]:
                found.setdefault("device-request", []).append(make_device_request(key, DEVICE, usage))
            found[f"organisation-{role.label}"].append(_organisation(role, usage))
    for base in (Base.CRL, Base.ARL):
        found[base.value] = [PKI.good_bytes(base)]
    for base in (Base.ROOT_OCA, Base.ROOT_DCA):
        found[base.value].append(_root_with_authority_key_identifier(base))
    return found


def _organisation(role: RemotePartyRole, usage: KeyUsage) -> bytes:
    """One with a common name, which is optional."""
    edit = both(
        put(subject=organisation_subject(role, SUPPLIER, "Name")),
        extension(Oid.KEY_USAGE, key_usage_bit_string(usage)),
    )
    data: bytes = edit(PKI.good(Base.ORGANISATION), PKI).encoded()
    return data


def _root_with_authority_key_identifier(base: Base) -> bytes:
    """One with an authorityKeyIdentifier, which a root may have."""
    identifier = der.element(0x80, key_identifier(PKI.point(base.value)))
    edit = added(Oid.AUTHORITY_KEY_IDENTIFIER, der.sequence(identifier))
    data: bytes = edit(PKI.good(base), PKI).encoded()
    return data
