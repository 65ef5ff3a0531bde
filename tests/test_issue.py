"""smki issue: every way in and out, and what is refused, with nothing written."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from smki import Certificate, KeyUsage, RemotePartyRole, Smki
from smki.keys.private_key import read_key
from smki.ledger import CertificateQuery
from smki.pki import der
from smki.pki.certificate import to_pem
from smki.pki.oid import Oid
from smki.pki.pem import decode_input
from smki.pki.request import (
    HARDWARE_TYPE,
    hardware_module_alt_name,
    make_device_request,
    make_organisation_request,
    organisation_subject,
)
from smki.pki.x509 import ECDSA_WITH_SHA256_ALGORITHM, encode_extension, key_usage_bit_string
from tests.commands import apply
from tests.support import DEVICE, DS, KA, SUPPLIER, run_cli

KEY = ec.derive_private_key(0x5EED, ec.SECP256R1())
REQUEST = make_device_request(KEY, DEVICE, DS)
ORGANISATION_REQUEST = make_organisation_request(KEY, SUPPLIER, RemotePartyRole.SUPPLIER, DS)


def pem(data: bytes, label: str = "CERTIFICATE REQUEST") -> bytes:
    return to_pem(label, data).encode()


@pytest.mark.parametrize("form", ["pem", "new", "base64", "der", "crlf"])
def test_every_form_of_a_request(home: Path, tmp_path: Path, form: str) -> None:
    data = {
        "pem": pem(REQUEST), "new": pem(REQUEST, "NEW CERTIFICATE REQUEST"), "base64": base64.b64encode(REQUEST),
        "der": REQUEST, "crlf": pem(REQUEST).replace(b"\n", b"\r\n"),
    }[form]  # fmt: skip
    (tmp_path / "meter.csr").write_bytes(data)
    result = run_cli("issue", "device", "--home", home, "--csr", tmp_path / "meter.csr")
    assert result.returncode == 0, result.stderr
    certificate = Certificate.from_der(decode_input(result.stdout)[0].der)
    assert certificate.entity_identifier == DEVICE
    assert certificate.usage is DS


def test_standard_input_and_der_by_suffix(home: Path, tmp_path: Path) -> None:
    result = run_cli(
        "issue", "device", "--home", home, "--csr", "-", "--out", tmp_path / "meter.der", stdin=pem(REQUEST)
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == b""
    certificate = Certificate.from_der((tmp_path / "meter.der").read_bytes())
    with Smki.open(home) as smki:
        record = smki.ledger.certificate(certificate.serial_number)
    assert record is not None
    assert record.der == certificate.der


@pytest.mark.parametrize("usage", ["ds", "ka"])
def test_a_key_made_for_a_device(
    home: Path, tmp_path: Path, openssl: Callable[..., CompletedProcess[str]], usage: str
) -> None:
    out = tmp_path / "meter.pem"
    result = run_cli("issue", "device", "--home", home, "--eui", str(DEVICE), "--usage", usage, "--out", out)
    assert result.returncode == 0, result.stderr
    certificate = Certificate.from_der(decode_input(out.read_bytes())[0].der)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["meter.csr", "meter.key", "meter.pem", "pki"]
    assert (tmp_path / "meter.key").stat().st_mode & 0o777 == 0o600
    numbers = read_key(tmp_path / "meter.key").public_key().public_numbers()
    assert certificate.point == b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert openssl("req", "-in", tmp_path / "meter.csr", "-noout", "-verify").returncode == 0
    assert openssl("pkey", "-in", tmp_path / "meter.key", "-noout").returncode == 0


def test_a_key_made_for_an_organisation(home: Path, tmp_path: Path) -> None:
    words = ("--eui", SUPPLIER.hex, "--role", "supplier", "--usage", "ka", "--name", "GITTESTSUPPLIER")
    result = run_cli("issue", "organisation", "--home", home, *words, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    certificate = Certificate.from_der(decode_input(result.stdout)[0].der)
    assert (certificate.role, certificate.usage, certificate.common_name) == (
        RemotePartyRole.SUPPLIER,
        KA,
        "GITTESTSUPPLIER",
    )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["90b3d51f30010000-supplier-ka.csr", "90b3d51f30010000-supplier-ka.key", "pki"]


def test_a_key_is_never_overwritten(home: Path, tmp_path: Path) -> None:
    (tmp_path / "meter.key").write_text("precious")
    words = ("--eui", DEVICE.hex, "--usage", "ds", "--out", tmp_path / "meter.pem")
    result = run_cli("issue", "device", "--home", home, *words)
    assert result.returncode == 2
    assert b"file.exists" in result.stderr
    assert (tmp_path / "meter.key").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["meter.key", "pki"]
    assert_nothing_issued(home)


def test_requested_extensions_that_are_not_taken_over_are_named(home: Path) -> None:
    extended = sign(
        info(
            extensions=[
                usage_extension(DS),
                alt_name_extension(),
                encode_extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.2")), critical=False),
            ]
        )
    )
    result = run_cli("issue", "device", "--home", home, "--csr", "-", stdin=extended)
    assert result.returncode == 0
    assert b"extension.not-carried-over" in result.stderr
    assert b"extKeyUsage" in result.stderr
    assert "2.5.29.37" not in Certificate.from_der(decode_input(result.stdout)[0].der).extension_values


@pytest.mark.parametrize("critical", [True, False])
def test_a_request_is_not_refused_for_its_criticality_flags(smki: Smki, critical: bool) -> None:
    request = sign(info(extensions=[usage_extension(KA, critical=critical), alt_name_extension(critical=critical)]))
    certificate = smki.issue_device(request).record.certificate
    assert (
        der.sequence(der.oid(Oid.KEY_USAGE), der.boolean(True), der.octet_string(key_usage_bit_string(KA)))
        in certificate.der
    )


def test_key_usage_and_alternative_name_are_carried_over_byte_for_byte(smki: Smki) -> None:
    alt_name = hardware_module_alt_name(DEVICE, "1.3.6.1.4.1.99999.7.128.16384")
    request = sign(
        info(extensions=[usage_extension(KA), encode_extension(Oid.SUBJECT_ALT_NAME, alt_name, critical=True)])
    )
    certificate = smki.issue_device(request).record.certificate
    assert certificate.extension_values[Oid.SUBJECT_ALT_NAME] == alt_name
    assert certificate.extension_values[Oid.KEY_USAGE] == key_usage_bit_string(KA)
    assert certificate.public_key_info in request


# --- what is refused ------------------------------------------------------------------------------------------------


def usage_extension(*usages: KeyUsage, critical: bool = True) -> bytes:
    return encode_extension(Oid.KEY_USAGE, key_usage_bit_string(*usages), critical=critical)


def alt_name_extension(value: bytes | None = None, *, critical: bool = True) -> bytes:
    return encode_extension(Oid.SUBJECT_ALT_NAME, value or hardware_module_alt_name(DEVICE), critical=critical)


def public_key_info(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def info(
    *, subject: bytes = b"\x30\x00", key_info: bytes | None = None, extensions: list[bytes] | None = None
) -> bytes:
    extensions = [usage_extension(DS), alt_name_extension()] if extensions is None else extensions
    attribute = der.sequence(der.oid(Oid.EXTENSION_REQUEST), der.set_of(der.sequence(*extensions)))
    return der.sequence(der.integer(0), subject, key_info or public_key_info(KEY), der.explicit(0, attribute))


def sign(request_info: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    signature = key.sign(request_info, ec.ECDSA(hashes.SHA256()))
    return der.sequence(request_info, ECDSA_WITH_SHA256_ALGORITHM, der.bit_string(signature))


def rsa_request() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    builder = builder.add_extension(x509.KeyUsage(True, *[False] * 8), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def compressed() -> bytes:
    point = KEY.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    algorithm = der.sequence(der.oid(Oid.EC_PUBLIC_KEY), der.oid(Oid.P256))
    return sign(info(key_info=der.sequence(algorithm, der.bit_string(point))))


def p384_request() -> bytes:
    key = ec.derive_private_key(0x5EED, ec.SECP384R1())
    return sign(info(key_info=public_key_info(key)), key)


def two_names() -> bytes:
    name = der.read(hardware_module_alt_name(DEVICE)).children()[0].encoded
    return sign(info(extensions=[usage_extension(DS), alt_name_extension(der.sequence(name, name))]))


def seven_bytes() -> bytes:
    module_name = der.sequence(der.oid(HARDWARE_TYPE), der.octet_string(DEVICE.encoded[:7]))
    name = der.sequence(der.element(0xA0, der.oid(Oid.HARDWARE_MODULE_NAME), der.explicit(0, module_name)))
    return sign(info(extensions=[usage_extension(DS), alt_name_extension(name)]))


def wrong_role(text: str, tag: int = der.UTF8_STRING) -> bytes:
    rdns = [node.encoded for node in der.read(organisation_subject(RemotePartyRole.SUPPLIER, SUPPLIER)).children()]
    rdns[0] = der.set_of(der.sequence(der.oid(Oid.ORGANIZATIONAL_UNIT_NAME), der.element(tag, text.encode())))
    return sign(info(subject=der.sequence(*rdns), extensions=[usage_extension(DS)]))


flipped = bytearray(REQUEST)
flipped[-1] ^= 1
other_key = make_device_request(ec.derive_private_key(2, ec.SECP256R1()), DEVICE, DS)

DEVICE_REFUSALS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "input.empty"),
    "text": (b"please give me a certificate", "input.not-encoded"),
    "a certificate in PEM": (b"CERTIFICATE", "request.is-other"),
    "a certificate in DER": (b"DER", "request.is-certificate"),
    "an RSA key": (rsa_request(), "public-key.algorithm"),
    "a P-384 key": (p384_request(), "public-key.curve"),
    "a compressed point": (compressed(), "public-key.point-form"),
    "a point off the curve": (sign(info(key_info=public_key_info(KEY)[:-1] + b"\0")), "public-key.not-on-curve"),
    "a bad self-signature": (bytes(flipped), "signature.request-does-not-verify"),
    "signed by another key": (
        sign(info(), ec.derive_private_key(2, ec.SECP256R1())),
        "signature.request-does-not-verify",
    ),
    "both key usages": (sign(info(extensions=[usage_extension(DS, KA), alt_name_extension()])), "key-usage.wrong"),
    "another key usage": (
        sign(info(extensions=[usage_extension(KeyUsage.NON_REPUDIATION), alt_name_extension()])),
        "key-usage.wrong",
    ),
    "no key usage": (sign(info(extensions=[alt_name_extension()])), "key-usage.missing"),
    "no alternative name": (sign(info(extensions=[usage_extension(DS)])), "subject-alt-name.missing"),
    "two alternative names": (two_names(), "subject-alt-name.count"),
    "a DNS name": (
        sign(info(extensions=[usage_extension(DS), alt_name_extension(der.sequence(der.element(0x82, b"meter")))])),
        "subject-alt-name.name-type",
    ),
    "a serial number of 7 bytes": (seven_bytes(), "hardware-module-name.serial-length"),
    "an Organisation's request": (ORGANISATION_REQUEST, "kind.unexpected"),
    "bytes after the end": (REQUEST + b"\0", "der.trailing-octets"),
    "cut short": (REQUEST[:-3], "structure.unreadable"),
    "two requests": (pem(REQUEST) + pem(other_key), "input.several"),
    "key usage twice": (
        sign(info(extensions=[usage_extension(DS), usage_extension(DS), alt_name_extension()])),
        "extension.duplicate",
    ),
}

ORGANISATION_REFUSALS: dict[str, tuple[bytes, str]] = {
    "a Device's request": (REQUEST, "kind.unexpected"),
    "a role in decimal": (wrong_role("137"), "role.malformed"),
    "a role in lower case": (wrong_role("7f"), "role.malformed"),
    "an unknown role": (wrong_role("42"), "role.unknown"),
    "an authority's role": (wrong_role("07"), "role.by-ceremony"),
    "a role in another string type": (wrong_role("02", der.PRINTABLE_STRING), "name.string-type"),
    "key agreement for recovery": (
        make_organisation_request(KEY, SUPPLIER, RemotePartyRole.RECOVERY, KA),
        "role.usage",
    ),
    "a common name of 65 characters": (
        make_organisation_request(KEY, SUPPLIER, RemotePartyRole.SUPPLIER, DS, "x" * 65),
        "common-name.length",
    ),
    "an empty common name": (
        make_organisation_request(KEY, SUPPLIER, RemotePartyRole.SUPPLIER, DS, ""),
        "common-name.length",
    ),
}


def assert_refused(result: CompletedProcess[bytes], code: str) -> None:
    text = result.stderr.decode()
    assert result.returncode == 2, text
    assert result.stdout == b""
    assert f"[{code}]" in text
    assert "Traceback" not in text
    assert text.startswith("smki: ")


def assert_nothing_issued(home: Path) -> None:
    with Smki.open(home) as smki:
        assert smki.ledger.count_certificates() == 10
        assert smki.ledger.unfinished_applications() == []


@pytest.mark.parametrize("name", DEVICE_REFUSALS)
def test_device_requests_that_are_refused(home: Path, tmp_path: Path, name: str) -> None:
    data, code = DEVICE_REFUSALS[name]
    if data in (b"CERTIFICATE", b"DER"):
        with Smki.open(home) as smki:
            certificate = smki.authorities()[0].certificate
        data = certificate.as_pem().encode() if data == b"CERTIFICATE" else certificate.der
    result = run_cli("issue", "device", "--home", home, "--csr", "-", "--out", tmp_path / "x.pem", stdin=data)
    assert_refused(result, code)
    assert [path.name for path in tmp_path.iterdir()] == ["pki"]
    assert_nothing_issued(home)


@pytest.mark.parametrize("name", ORGANISATION_REFUSALS)
def test_organisation_requests_that_are_refused(home: Path, tmp_path: Path, name: str) -> None:
    data, code = ORGANISATION_REFUSALS[name]
    result = run_cli("issue", "organisation", "--home", home, "--csr", "-", "--out", tmp_path / "x.pem", stdin=data)
    assert_refused(result, code)
    assert [path.name for path in tmp_path.iterdir()] == ["pki"]
    assert_nothing_issued(home)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("issue", "device", "--csr", "nowhere.csr"), "file.missing"),
        (("issue", "device", "--csr", "."), "file.directory"),
        (("issue", "device", "--eui", "90B3D51F3001000", "--usage", "ds"), "entity-identifier.malformed"),
        (("issue", "device", "--eui", "90B3D51F30010000", "--usage", "cs"), "key-usage.unknown"),
        (("issue", "organisation", "--eui", "90B3D51F30010000", "--usage", "ds", "--role", "king"), "role.unknown"),
        (("issue", "device", "--eui", "90B3D51F30010000", "--usage", "ds", "--out", "no/such/dir.pem"), "file.missing"),
        (("list", "--status", "X"), "status.unknown"),
        (("list", "--eui", "12"), "entity-identifier.malformed"),
        (("show", "nothing"), "file.missing"),
        (("show", "1234"), "certificate.unknown"),
    ],
)
def test_bad_words(home: Path, tmp_path: Path, words: tuple[str, ...], code: str) -> None:
    assert_refused(run_cli(*words, "--home", home, cwd=tmp_path), code)
    assert [path.name for path in tmp_path.iterdir()] == ["pki"]
    assert_nothing_issued(home)


@pytest.mark.parametrize(
    "words",
    [
        ("issue", "device"),
        ("issue", "device", "--eui", "90B3D51F30010000"),
        ("issue", "device", "--csr", "-", "--usage", "ds"),
        ("issue", "organisation", "--eui", "90B3D51F30010000", "--usage", "ds"),
        ("unheard-of",),
        ("issue", "device", "--colour", "red"),
    ],
)
def test_words_that_do_not_go_together(home: Path, words: tuple[str, ...]) -> None:
    result = run_cli(*words, env={"SMKI_HOME": str(home)}, stdin=REQUEST)
    assert result.returncode == 2
    assert b"Usage: smki" in result.stderr
    assert b"Error: " in result.stderr
    assert_nothing_issued(home)


@pytest.mark.parametrize(
    "command",
    [("list",), ("check",), ("serve",), ("export", "authorities"), ("issue", "device", "--csr", "-"), ("show", "12AB")],
)
def test_a_home_that_was_not_initialised(tmp_path: Path, command: tuple[str, ...]) -> None:
    result = run_cli(*command, "--home", tmp_path / "pki", stdin=REQUEST)
    assert_refused(result, "home.not-initialised")
    assert f"smki init --home {tmp_path / 'pki'}" in result.stderr.decode()
    assert list(tmp_path.iterdir()) == []


def test_refusals_as_json(home: Path) -> None:
    result = run_cli("show", "1234", "--json", "--home", home)
    assert result.returncode == 2
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem["code"] == "certificate.unknown"
    assert set(problem) >= {"code", "subject", "seen", "expected", "remedy"}


def test_the_refusal_says_what_was_seen_and_expected(smki: Smki) -> None:
    from smki import Application, CertificateKind, Refusal

    outcome = apply(smki, Application(kind=CertificateKind.DEVICE, request=compressed()))
    assert isinstance(outcome, Refusal)
    (problem,) = outcome.problems
    assert problem.code == "public-key.point-form"
    assert "compressed point (0" in problem.seen
    assert problem.expected == "an uncompressed point (04)"
    assert problem.clause == "GBCS 12"
    assert not list(smki.ledger.certificates(CertificateQuery(entity_identifier=DEVICE)))
