"""schemathesis over the whole OpenAPI document, every check on, against the real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from smki import CertificateKind
from smki.ledger import CertificateQuery
from tests.repository.rest_support import PARTY, filled, token_for
from tests.repository.support import serving
from tests.support import DEVICE, DS, KA, PROJECT, SOAK

EXAMPLES = 3 * SOAK
"""Cases that are thrown for each operation beside the systematic ones."""


def configuration(token: str, known: dict[str, list[str]]) -> str:
    """schemathesis.toml: half of the serial numbers and the like are of things that there are."""
    lines = [
        "[auth.openapi.officerToken]", f"bearer = {json.dumps(token)}",
        "[generation]", 'mode = "all"', 'database = "none"',
        # 422 is for what is well formed: no schema can say which requests a lint or a provision refuses.
        "[checks.positive_data_acceptance]", 'expected-statuses = ["2xx", "401", "403", "404", "409", "422"]',
    ]  # fmt: skip
    for name, values in known.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines += ["[parameters]"]
    lines += [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.5 }}' for name in known]
    return "\n".join(lines) + "\n"


def test_no_check_fails(made_home: Path, tmp_path: Path) -> None:
    shutil.copytree(made_home, tmp_path / "pki")
    samples = tmp_path / "samples"
    samples.mkdir()
    with filled(tmp_path / "pki") as smki:
        records = list(smki.ledger.certificates(CertificateQuery()))
        samples.joinpath("new.csr").write_bytes(smki.make_device_request(DEVICE, DS)[1])
        samples.joinpath("another.csr").write_bytes(smki.make_device_request(DEVICE, KA)[1])
        samples.joinpath("device.pem").write_text(records[-1].certificate.as_pem())
        samples.joinpath("authority.cer").write_bytes(records[0].der)
        latest = smki.lists(CertificateKind.ISSUING_OCA).current()
        samples.joinpath("organisation.crl").write_bytes(latest.der)
        known = {
            "serial": [record.serial_number.hex for record in (*records[:2], *records[-4:])],
            "eui": [DEVICE.hex],
            "party": [PARTY, "DCC"],
        }
        (tmp_path / "schemathesis.toml").write_text(configuration(token_for(smki, PARTY), known))
    program = Path(sys.executable).with_name("schemathesis")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMKI_")}
    environment |= {"SAMPLES": str(samples), "PYTHONPATH": str(PROJECT)}
    environment |= {"SCHEMATHESIS_HOOKS": "tests.repository.schemathesis_hooks"}
    with serving(tmp_path / "pki") as served:
        command: list[str | Path] = [program, "--config-file", tmp_path / "schemathesis.toml", "run", f"{served.url}/api/openapi.json",
                   "--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1"]  # fmt: skip
        run = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120 * SOAK, check=False
        )
    assert run.returncode == 0, run.stdout + run.stderr
    for phase in ("Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in run.stdout, run.stdout
