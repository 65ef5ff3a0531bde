"""No private key, seed, passphrase, API key or token in any answer or log that was not asked for."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from smki_repository.app import create_app
from smki_repository.faults import Faults
from smki_repository.options import Options
from werkzeug.routing import Rule

from smki import Smki
from smki.clock import HomeClock, TravellingClock
from smki.home.smki import CLOCK_FILE
from smki.keys.private_key import key_to_pem, read_key
from tests.repository.support import Answer, Served, ask, free_port, serve_command, wait_until_ready
from tests.support import DEVICE, DS, run_cli

PASSPHRASE = "a passphrase that nobody would print"
SEED = "a seed that is as good as every key"
ORG_CRYPTO = "/assets/crypto/org-crypto.zip"


def written_forms(encoded: bytes) -> Iterator[bytes]:
    """How somebody might write bytes down: raw, in hexadecimal, in decimal, in base64 of whatever stands around them."""
    digits = encoded.hex()
    yield encoded
    yield from (digits.encode(), digits.upper().encode())
    yield from (":".join(digits[i : i + 2] for i in range(0, len(digits), 2)).encode(), encoded.hex("-").encode())
    yield str(int.from_bytes(encoded, "big")).encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            # Only the characters that depend on nothing but the bytes.
            body = encoded[(3 - offset) % 3 :]
            yield encode(body[: len(body) // 3 * 3])


def secret_number(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_numbers().private_value.to_bytes(32, "big")


def contents(encoded: bytes) -> Iterator[bytes]:
    """What there is to look through: the bytes, without line breaks too, and what is packed in them."""
    yield encoded
    yield encoded.replace(b"\\n", b"").replace(b"\r", b"").replace(b"\n", b"").replace(b" ", b"")
    if encoded.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(encoded)) as archive:
            for name in archive.namelist():
                yield from contents(archive.read(name))


def leaks(encoded: bytes, secrets: dict[str, bytes]) -> list[str]:
    """The names of the secrets that are in there in any form."""
    looked_through = list(contents(encoded))
    found = [
        name
        for name, secret in secrets.items()
        if any(form in content for form in written_forms(secret) for content in looked_through)
    ]
    return found + ["a private key in PEM"] * any(b"PRIVATE KEY" in content for content in looked_through)


@dataclass
class Looked:
    """A server that was asked everything, and what it said."""

    secrets: dict[str, bytes]
    published: set[str]
    answers: dict[str, Answer] = field(default_factory=dict)
    output: bytes = b""
    is_logged: bool = False
    """Whether there is a line for each request in the output."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a seed, its keys under a passphrase, and published keys."""
    directory = tmp_path_factory.mktemp("secrets")
    environment = {"SMKI_KEY_PASSPHRASE": PASSPHRASE}
    for words in (
        ("init", "--seed", SEED),
        ("issue", "device", "--eui", str(DEVICE), "--usage", DS.code, "--out", "meter.pem"),
        ("demo", "z1", "--out", "z1"),
        ("apikey", "add", "reader"),
        ("officer", "token", "--party", "LARGE-SUPPLIER"),
    ):
        result = run_cli(*words, cwd=directory, env=environment)
        assert result.returncode == 0, result.stderr
        # The last word of what the commands print that make one.
        (directory / f"{words[0]}.credential").write_bytes(result.stdout.split()[-1] if result.stdout else b"")
    return directory / "pki"


def secrets_of(home: Path) -> tuple[dict[str, bytes], set[str]]:
    """By name: the secret number of every key of the home, its seed, its passphrase; and the names of published ones."""
    files = sorted(file for file in (home / "keys").rglob("*.key") if file.name != "record.key")
    found = {str(file.relative_to(home)): secret_number(read_key(file, PASSPHRASE.encode())) for file in files}
    meter = read_key(home.parent / "meter.key", PASSPHRASE.encode())
    published = {name for name in found if name.startswith("keys/published/")}
    others = {"meter.key": secret_number(meter), "seed": SEED.encode(), "pass": PASSPHRASE.encode()}
    credentials = {name: (home.parent / f"{name}.credential").read_bytes() for name in ("apikey", "officer")}
    assert all(len(credential) > 20 for credential in credentials.values())
    return found | others | credentials, published


def paths_of(smki: Smki) -> list[str]:
    """A path for every GET route of the application, with something that is there for each of its arguments."""
    faults = Faults()
    app = create_app(smki, Options(publish_test_keys=True), faults=faults)
    faults.close()
    serial = next(record.serial_number.hex for record in smki.authorities())
    examples: dict[str, object] = {
        "kind": "crl", "number": 1, "fault_id": 1, "issuer": "T1", "party": "LARGE-SUPPLIER", "eui": DEVICE.hex,
    }  # fmt: skip

    def paths(rule: Rule) -> Iterator[str]:
        for format_ in ("json", "pem", "der", "jsonl", "csv") if "format" in rule.arguments else ("",):
            values = {name: examples.get(name, serial) for name in rule.arguments} | {"format": format_}
            with app.test_request_context():
                built = app.url_map.bind("").build(rule.endpoint, {name: values[name] for name in rule.arguments})
            yield str(built)

    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.endpoint != "static"]
    return sorted({path for rule in rules for path in paths(rule)})


@contextlib.contextmanager
def served_with_passphrase(home: Path, *options: str) -> Iterator[tuple[Served, Path]]:
    """The real server, with the passphrase in its environment; and the file that it prints into."""
    port = free_port()
    command = serve_command(home, port, *options)
    environment = dict(os.environ) | {"SMKI_KEY_PASSPHRASE": PASSPHRASE}
    with (home.parent / f"output{port}").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        served = Served(f"http://127.0.0.1:{port}", home, None, process)
        try:
            wait_until_ready(served)
            yield served, Path(output.name)
        finally:
            process.terminate()
            process.wait(15)


@pytest.fixture(scope="module", params=["by default", "with everything on"])
def looked(request: pytest.FixtureRequest, home: Path) -> Looked:
    """Every GET route asked, and some things that go wrong."""
    with_everything = request.param == "with everything on"
    switches = ["--faults", "--time-travel", "--publish-test-keys", "--access-log", "--read", "api-key"]
    options = switches if with_everything else []
    looked = Looked(*secrets_of(home), is_logged=with_everything)
    # Credentials come with every request, in each of the ways there are, and stay out of the log.
    query = f"?apikey={looked.secrets['apikey'].decode()}" if with_everything else ""
    bearer = {"Authorization": f"Bearer {looked.secrets['officer'].decode()}"}

    def asked(path: str, body: bytes | None = None, method: str | None = None) -> Answer:
        return ask(served.url + path + query, body, method, bearer if with_everything else None)

    with Smki.open(home, TravellingClock(HomeClock(home / CLOCK_FILE))) as smki:
        paths = paths_of(smki)
    with served_with_passphrase(home, "--workers", "1", *options) as (served, printed_into):
        for path in paths:
            looked.answers[f"GET {path}"] = asked(path)
        for path in ("/services/certificatesearch", "/services/retrievecertificate", "/api/v1/eligibility/device"):
            for body in (b"", b"<x/>", b"{}", b"\xff" * 100):
                looked.answers[f"POST {path} {body[:8]!r}"] = asked(path, body)
        for method in ("PUT", "DELETE", "PATCH"):
            looked.answers[method] = asked("/", b"x", method)
        for path in (
            "/keys/root-oca.key",
            "/../keys/root-oca.key",
            "/%2e%2e/smki.json",
            "/static/../smki.json",
            "/smki.json",
        ):
            looked.answers[f"GET {path}"] = asked(path)
            assert looked.answers[f"GET {path}"].status in (400, 404)
    looked.output = printed_into.read_bytes()
    return looked


def test_every_route_was_looked_at(looked: Looked) -> None:
    assert len(looked.secrets) > 23 + 4
    statuses = [answer.status for answer in looked.answers.values()]
    assert statuses.count(200) >= 4
    assert not [name for name, answer in looked.answers.items() if answer.status == 500]


def test_no_answer_tells_a_secret(looked: Looked) -> None:
    for name, answer in looked.answers.items():
        told = b"\n".join(f"{key}: {value}".encode() for key, value in answer.headers.items()) + b"\n\n"
        found = leaks(told, looked.secrets) + leaks(answer.body, looked.secrets)
        if name == f"GET {ORG_CRYPTO}" and answer.status == 200:
            # Those that were made for it, all of them and no others.
            assert set(found) == looked.published | {"a private key in PEM"}
        else:
            assert not found, name


def test_no_log_tells_a_secret(looked: Looked) -> None:
    assert b"Serving the SMKI" in looked.output
    assert (b'"GET /healthz" 200' in looked.output) == looked.is_logged
    assert b"Traceback" not in looked.output
    assert not leaks(looked.output, looked.secrets)


COMMANDS = [
    (("list", "--json"), PASSPHRASE),
    (("show", "--json", "meter.pem"), PASSPHRASE),
    (("applications", "list", "--json"), PASSPHRASE),
    (("party", "list"), PASSPHRASE),
    (("check",), PASSPHRASE),
    (("crl", "publish"), PASSPHRASE),
    (("init",), PASSPHRASE),
    (("issue", "device", "--eui", str(DEVICE), "--usage", "ds", "--out", "meter.pem"), PASSPHRASE),
    (("issue", "device", "--eui", str(DEVICE), "--usage", "ds"), "a wrong one"),
    (("crl", "publish"), ""),
]


@pytest.mark.parametrize(("words", "passphrase"), COMMANDS, ids=[" ".join(words) for words, _ in COMMANDS])
def test_no_command_tells_a_secret(home: Path, words: tuple[str, ...], passphrase: str) -> None:
    result = run_cli(*words, cwd=home.parent, env={"SMKI_KEY_PASSPHRASE": passphrase})
    said = result.stdout + result.stderr
    assert said
    assert b"Traceback" not in said
    assert not leaks(said, secrets_of(home)[0])


@pytest.mark.parametrize(
    "write",
    [
        key_to_pem,
        lambda key: json.dumps({"privateKey": key_to_pem(key).decode()}).encode(),
        lambda key: key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        lambda key: b"x" + base64.b64encode(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        lambda key: key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        lambda key: str(key.private_numbers().private_value).encode(),
        lambda key: b"d=" + secret_number(key).hex().encode(),
        lambda key: secret_number(key).hex(":").encode(),
        lambda key: base64.urlsafe_b64encode(b"." + secret_number(key)),
    ],
    ids=["PEM", "JSON", "DER", "base64", "SEC 1", "decimal", "hexadecimal", "colons", "base64url"],
)
def test_a_secret_would_be_found(write: Callable[[ec.EllipticCurvePrivateKey], bytes]) -> None:
    for _ in range(20):
        key = ec.generate_private_key(ec.SECP256R1())
        assert "it" in leaks(b"before " + write(key) + b" after", {"it": secret_number(key)})
        assert not leaks(write(key)[:20], {"it": secret_number(key)}) or b"PRIVATE KEY" in write(key)[:40]
