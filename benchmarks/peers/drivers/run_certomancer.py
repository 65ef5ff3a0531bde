"""Issues with Certomancer; see benchmarks/peers/python_driver.py for what is read and written."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from certomancer.registry.config import CertomancerConfig
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

VALIDITY = {"valid-from": "2025-01-01T00:00:00+0000", "valid-to": "2035-01-01T00:00:00+0000"}
USAGE = {"id": "key_usage", "critical": True, "smart-value": {"schema": "key-usage", "params": ["digital_signature"]}}


def main(folder: Path) -> None:
    """Write the public keys of the requests and a configuration; then make all certificates, as ``mass-summon`` does."""
    keys = folder / "keys"
    keys.mkdir()
    requests = json.loads((folder / "requests.json").read_text())[1:]
    labels = [f"device{number}" for number in range(len(requests))]
    for label, request in zip(labels, requests, strict=True):
        key = x509.load_pem_x509_csr(request.encode()).public_key()
        (keys / f"{label}.pub").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    authority = ec.generate_private_key(ec.SECP256R1())
    pem = authority.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (keys / "ca.key").write_bytes(pem)
    configuration = _configuration(labels)
    begin = time.perf_counter()
    architecture = CertomancerConfig(configuration, key_search_dir=str(keys)).pki_archs
    (only,) = architecture.values()
    only.dump_certs(str(folder / "issued"), flat=True)
    seconds = time.perf_counter() - begin
    stored = {file.name.removesuffix(".cert.pem"): file.read_text() for file in (folder / "issued").iterdir()}
    made = {
        "certificates": [stored[label] for label in labels],
        "issuer": stored["ca"],
        "seconds": seconds,
        "stored": len(stored) - 1,
    }
    (folder / "issued.json").write_text(json.dumps(made))


def _configuration(labels: list[str]) -> dict[str, Any]:
    key_files: dict[str, dict[str, Any]] = {"ca": {"path": "ca.key"}}
    key_files |= {label: {"path": f"{label}.pub", "public-only": True} for label in labels}
    authority = {
        "subject": "ca",
        "issuer": "ca",
        "validity": VALIDITY,
        "profiles": [{"id": "simple-ca", "params": {"max-path-len": 0}}],
    }
    certificates: dict[str, dict[str, Any]] = {"ca": authority}
    for number, label in enumerate(labels):
        certificates[label] = {
            "subject": label,
            "issuer": "ca",
            "serial": number + 4096,
            "validity": VALIDITY,
            "extensions": [USAGE],
        }
    names = {label: {"common-name": label} for label in ("ca", *labels)}
    return {
        "keysets": {"peers": {"keys": key_files}},
        "pki-architectures": {"peers": {"keyset": "peers", "entities": names, "certs": certificates}},
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
