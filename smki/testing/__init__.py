"""Helpers for testing software that uses SMKI certificates: Parties and Devices with certificates and keys, defective
certificates, assertions that explain their failure, conformance vectors. Nothing here requires pytest.

    >>> from smki import Smki
    >>> from smki.testing import DeviceUnderTest, assert_trusted
    >>> smki = Smki.in_memory(seed="my meter")
    >>> esme = DeviceUnderTest.make(smki, "ESME")
    >>> assert_trusted(esme.digital_signature, for_="device/ds")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smki.testing.assertions import assert_conformant, assert_refused, assert_trusted
    from smki.testing.bundle import Bundle
    from smki.testing.clock import ClockControl
    from smki.testing.credential import Credential, WrongKeyUsage
    from smki.testing.defective import DefectiveCertificate, defective_certificate, select_defects
    from smki.testing.devices import DeviceFactory, DeviceUnderTest, device_id_of
    from smki.testing.faults import Fault, FaultKind, Faults, RemoteFaults
    from smki.testing.organisations import Dcc, Manufacturer, Organisation
    from smki.testing.reliance import relying_party
    from smki.testing.repository import Repository, serving
    from smki.testing.revocation import revoke
    from smki.testing.template import SmkiFactory, SmkiTemplate
    from smki.testing.trust_anchor_cells import CELLS, CellUsage, TrustAnchorCell

_EXPORTS = {
    "Bundle": "bundle",
    "CELLS": "trust_anchor_cells",
    "CellUsage": "trust_anchor_cells",
    "ClockControl": "clock",
    "Credential": "credential",
    "Dcc": "organisations",
    "DefectiveCertificate": "defective",
    "DeviceFactory": "devices",
    "DeviceUnderTest": "devices",
    "Fault": "faults",
    "FaultKind": "faults",
    "Faults": "faults",
    "Manufacturer": "organisations",
    "Organisation": "organisations",
    "RemoteFaults": "faults",
    "Repository": "repository",
    "SmkiFactory": "template",
    "SmkiTemplate": "template",
    "TrustAnchorCell": "trust_anchor_cells",
    "WrongKeyUsage": "credential",
    "assert_conformant": "assertions",
    "assert_refused": "assertions",
    "assert_trusted": "assertions",
    "defective_certificate": "defective",
    "device_id_of": "devices",
    "relying_party": "reliance",
    "revoke": "revocation",
    "select_defects": "defective",
    "serving": "repository",
}

__all__ = [
    "CELLS",
    "Bundle",
    "CellUsage",
    "ClockControl",
    "Credential",
    "Dcc",
    "DefectiveCertificate",
    "DeviceFactory",
    "DeviceUnderTest",
    "Fault",
    "FaultKind",
    "Faults",
    "Manufacturer",
    "Organisation",
    "RemoteFaults",
    "Repository",
    "SmkiFactory",
    "SmkiTemplate",
    "TrustAnchorCell",
    "WrongKeyUsage",
    "assert_conformant",
    "assert_refused",
    "assert_trusted",
    "defective_certificate",
    "device_id_of",
    "relying_party",
    "revoke",
    "select_defects",
    "serving",
]


def __getattr__(name: str) -> object:
    # Imported on first use: pytest imports this package, for the plugin, wherever it is installed.
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"smki.testing.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module 'smki.testing' has no attribute {name!r}")
