"""A provisioning bundle: the keys and certificates that a Device gets in the factory, as PEM, DER and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smki.file import replace_file
from smki.identity import EntityIdentifier
from smki.pki.certificate import Certificate
from smki.problem import NotReady, Problem
from smki.profile.designation import TEST_CERTIFICATE, designation_of, policy_of, policy_text
from smki.sec.device import DeviceType
from smki.testing.credential import Credential
from smki.testing.trust_anchor_cells import CellUsage, TrustAnchorCell

MANIFEST = "bundle.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The keys, certificates and trust anchor cells of one Device. The private keys are not encrypted: for tests only."""

    device_id: EntityIdentifier
    device_type: DeviceType
    credentials: tuple[Credential, ...]
    cells: tuple[TrustAnchorCell, ...]
    issuers: tuple[Certificate, ...]
    """The authorities above the Device Certificates, to validate those with; the Device itself holds none of them."""

    def as_der(self) -> dict[str, bytes]:
        """Return every part as DER, by file name: certificates ``.der``, private keys ``.key`` (PKCS#8)."""
        parts: dict[str, bytes] = {}
        for credential in self.credentials:
            name = f"device-{credential.usage.code.lower()}"
            parts[f"{name}.der"] = credential.der
            parts[f"{name}.key"] = credential.pkcs8
        for name, cell in self._named_cells():
            parts[f"{name}.der"] = cell.certificate.der
        for issuer in self.issuers:
            parts[f"{issuer.kind.value}-{issuer.common_name}.der"] = issuer.der
        return parts

    def as_pem(self) -> str:
        """Return every part as PEM in one text, each after a line that describes it (RFC 7468 5.2)."""
        parts = [f"{TEST_CERTIFICATE}s, {policy_text(policy_of(self.issuers[0]))}"] if self.issuers else []
        for credential in self.credentials:
            parts += [f"Device {self.device_id} {credential.usage.label}", credential.pem + credential.pkcs8_pem]
        for cell in self.cells:
            parts += [f"Trust anchor cell {cell}", cell.certificate.as_pem()]
        for issuer in self.issuers:
            parts += [f"{issuer.kind.title} {issuer.common_name}", issuer.as_pem()]
        return "\n".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return every part as JSON: bytes in upper-case hexadecimal, certificates in DER, public keys as X || Y."""
        return {
            "deviceId": str(self.device_id),
            "deviceType": self.device_type.name,
            **designation_of(policy_of(self.issuers[0]) if self.issuers else None, issued_here=True),
            "credentials": [
                {
                    "keyUsage": credential.usage.label,
                    "serialNumber": credential.serial_number.hex,
                    "certificate": credential.der.hex().upper(),
                    "privateKey": {"pkcs8": credential.pkcs8.hex().upper(), "d": credential.d_hex},
                    "publicKey": credential.xy_hex,
                }
                for credential in self.credentials
            ],
            "trustAnchorCells": [
                {
                    "remotePartyRole": cell.role.label,
                    "roleCode": cell.role.decimal,
                    "keyUsage": cell.usage.label,
                    "cellUsage": cell.cell_usage.value,
                    "serialNumber": cell.certificate.serial_number.hex,
                    "certificate": cell.certificate.der.hex().upper(),
                }
                for cell in self.cells
            ],
            "issuers": [issuer.der.hex().upper() for issuer in self.issuers],
        }

    def write(self, directory: Path | str) -> Path:
        """Write every part as DER, and ``bundle.json`` last, to files of mode 0600.

        :param directory: the directory, which is made if necessary; files of the same names are replaced.
        :returns: the directory.
        :raises NotReady: when it cannot be written there.
        """
        directory = Path(directory)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for name, content in self.as_der().items():
                replace_file(directory / name, content, follow_links=False)
            replace_file(directory / MANIFEST, json.dumps(self.as_json(), indent=2).encode() + b"\n")
        except OSError as error:
            seen, remedy = error.strerror or str(error), "Choose a directory where this user may write."
            problem = Problem(
                code="bundle.not-writable",
                subject=str(directory),
                seen=seen,
                expected="a directory to write to",
                remedy=remedy,
            )
            raise NotReady(problem) from error
        return directory

    def _named_cells(self) -> Iterator[tuple[str, TrustAnchorCell]]:
        for cell in self.cells:
            top_up = "-top-up" if cell.cell_usage is CellUsage.PREPAYMENT_TOP_UP else ""
            yield f"cell-{cell.role.label}-{cell.usage.label}{top_up}", cell
