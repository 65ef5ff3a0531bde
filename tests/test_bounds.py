"""Numbers too large to print, and other things above the bounds, wherever they are handed in: findings, no traceback."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from smki import Certificate, RelyingParty, RevocationLists, Smki, SmkiError
from smki.clock import FixedClock
from smki.pki import der
from smki.pki.bounds import MAX_FINDINGS
from smki.pki.oid import Oid
from smki.pki.revocation_list import RevocationList
from smki.pki.x509 import issuer_of, parse_name
from smki.problem import Malformed, errors_among
from smki.profile.detect import looks_like_certificate
from smki.profile.lint import lint
from smki.registration.bulk import read_parties
from smki.testing.defects import Base
from smki.testing.defects.edits import extension, put
from smki.testing.defects.sample_pki import Edit
from tests.profile.support import PKI, codes
from tests.repository.rest_support import Api, api_of
from tests.support import run_here

HUGE = der.element(der.INTEGER, b"\x7f" + bytes(2000))
CLOCK = FixedClock(PKI.moment)

INPUTS: dict[str, tuple[Base, Edit]] = {
    "certificate-version": (Base.DEVICE, put(version=der.explicit(0, HUGE))),
    "certificate-serial-number": (Base.ORGANISATION, put(serial_number=HUGE)),
    "authority-version": (Base.ISSUING_OCA, put(version=der.explicit(0, HUGE))),
    "authority-path-length": (
        Base.ISSUING_OCA,
        extension(Oid.BASIC_CONSTRAINTS, der.sequence(der.boolean(True), HUGE)),
    ),
    "list-version": (Base.CRL, put(version=HUGE)),
    "list-number": (Base.CRL, extension(Oid.CRL_NUMBER, HUGE)),
    "request-version": (Base.DEVICE_REQUEST, put(version=HUGE)),
}


def made(name: str) -> bytes:
    base, edit = INPUTS[name]
    content_bytes: bytes = edit(PKI.good(base), PKI).encoded()
    return content_bytes


def relying_party(*crls: bytes) -> RelyingParty:
    anchors = [Certificate.from_der(PKI.good_bytes(base)) for base in (Base.ROOT_OCA, Base.ROOT_DCA)]
    chain = [PKI.good_bytes(base) for base in (Base.ISSUING_OCA, Base.ISSUING_DCA)]
    lists = RevocationLists.of(crls or [PKI.good_bytes(Base.CRL)], [PKI.good_bytes(Base.ARL)])
    return RelyingParty(anchors, lists, chain=chain, clock=CLOCK)


def answered(*words: str | Path) -> CompletedProcess[bytes] | SmkiError:
    """What a command says; its documented errors are answers, anything else is raised."""
    try:
        return run_here(*words)
    except SmkiError as error:
        return error


@pytest.fixture
def api(home: Path) -> Api:
    return api_of(home)


@pytest.mark.parametrize("name", INPUTS)
def test_lint_finds_it(name: str, tmp_path: Path) -> None:
    assert "der.integer-too-long" in codes(lint(made(name)))
    file = tmp_path / "input.der"
    file.write_bytes(made(name))
    result = run_here("lint", file)
    assert result.returncode == 1
    assert b"an INTEGER of at most 64 bytes" in result.stdout


@pytest.mark.parametrize("name", INPUTS)
def test_every_command_that_reads_it_answers(name: str, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "input.der"
    file.write_bytes(made(name))
    for words in (
        ("show", file, "--home", home),
        ("verify", file, "--home", home),
        ("verify", file, "--home", home, "--json"),
        ("crl", "verify", file, "--home", home),
        ("arl", "verify", file, "--home", home),
        ("issue", "device", "--csr", file, "--home", home),
        ("issue", "organisation", "--csr", file, "--home", home),
        ("import", file, "--home", home),
    ):
        answer = answered(*words)
        assert isinstance(answer, SmkiError) or answer.returncode in (0, 1, 2)
        if isinstance(answer, CompletedProcess) and words[0] == "verify":
            assert b"not trusted" in answer.stdout or b'"trusted": false' in answer.stdout


def test_the_interface_over_http_answers(api: Api) -> None:
    for name in INPUTS:
        content_bytes: dict[str, Any] = {"data": made(name), "content_type": "application/octet-stream"}
        linted = api.client.post("/api/v1/lint", **content_bytes)
        assert linted.status_code == 200
        assert "der.integer-too-long" in linted.text
        assert api.client.post("/api/v1/verify", **content_bytes).status_code == 200
        for query in ("kind=device&deviceType=ESME", "kind=organisation"):
            answer = api.as_officer(
                "POST", f"/applications?{query}", data=made(name), content_type="application/pkcs10"
            )
            assert 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize("name", [name for name in INPUTS if not name.startswith("request")])
def test_the_relying_party_gives_a_verdict(name: str) -> None:
    content_bytes = made(name)
    party = relying_party()
    assert not party.verify(content_bytes).trusted
    for base in (Base.ORGANISATION, Base.DEVICE):
        verdict = party.verify(PKI.good_bytes(base), chain=[content_bytes])
        assert verdict.trusted
    if name.startswith("list"):
        verdict = relying_party(content_bytes).verify(PKI.good_bytes(Base.ORGANISATION))
        assert verdict.reason is not None
        assert verdict.reason.code == "revocation.list-profile"


def test_a_list_with_a_number_that_cannot_be_written_is_not_read() -> None:
    with pytest.raises(Malformed, match=r"der\.integer-too-long"):
        RevocationList.from_der(made("list-number"))
    with pytest.raises(Malformed, match=r"der\.integer-too-long"):
        Certificate.from_der(made("authority-path-length"))


@pytest.mark.parametrize("digits", ["9" * 19, "9" * 40, "9" * 5000])
def test_numbers_of_many_digits_in_a_path_name_nothing(api: Api, digits: str) -> None:
    for path in (
        f"/crl/organisation/{digits}.crl",
        f"/crl/organisation/{digits}.arl.pem",
        f"/crl/organisation/any/{digits}.crl",
        f"/api/v1/revocation-lists/{'1' * 32}/{digits}",
        f"/api/v1/certificates?limit={digits}",
    ):
        assert 400 <= api.client.get(path).status_code < 500, path
    assert 400 <= api.as_officer("GET", f"/applications/{digits}").status_code < 500


@pytest.mark.parametrize(
    "words",
    [
        ("applications", "show", "9" * 40),
        ("applications", "list", "--limit", "9" * 40),
        ("list", "--limit", "9" * 40),
        ("crl", "show", "9" * 40),
        ("init", "--deemed-accepted-after", "9" * 40),
    ],
    ids=" ".join,
)
def test_numbers_of_many_digits_on_the_command_line_are_refused(words: tuple[str, ...], home: Path) -> None:
    import click

    with pytest.raises(click.BadParameter, match="not in the range"):
        run_here(*words, "--home", home)


def test_what_parties_are_loaded_from_is_bounded(smki: Smki) -> None:
    for text in (b"[" * 100_000, b'[{"party_id": ' + b"9" * 5000 + b"}]"):
        with pytest.raises(Malformed, match=r"input\.json"):
            read_parties(text, "parties.json")


def entry(number: int, *, extensions: bytes = b"") -> bytes:
    return der.sequence(der.integer((1 << 126) + number), der.element(der.UTC_TIME, b"250101000000Z"), extensions)


def list_of(*entries: bytes) -> bytes:
    content_bytes: bytes = put(entry_list=der.sequence(*entries))(PKI.good(Base.CRL), PKI).encoded()
    return content_bytes


def test_neither_lint_nor_relying_party_takes_an_empty_crl_entry_extensions() -> None:
    content_bytes = list_of(entry(1, extensions=der.sequence()))
    assert codes(lint(content_bytes)) == {"entry.extensions-empty"}
    reason = relying_party(content_bytes).verify(PKI.good_bytes(Base.ORGANISATION)).reason
    assert reason is not None
    assert (reason.code, reason.seen.split()[0]) == ("revocation.list-profile", "entry.extensions-empty")


def test_a_list_of_300_000_entries_with_a_warning_each() -> None:
    unspecified = der.sequence(der.sequence(der.oid(Oid.REASON_CODE), der.octet_string(b"\x0a\x01\x00")))
    content_bytes = list_of(*(entry(number, extensions=unspecified) for number in range(300_000)))
    began = time.thread_time()
    findings = lint(content_bytes)
    assert time.thread_time() - began < 2.5
    assert len(findings) == MAX_FINDINGS + 1
    assert findings[-1].seen == f"{300_000 - MAX_FINDINGS:,} more below error"
    assert not errors_among(findings)


def test_one_entry_of_half_a_million_extensions() -> None:
    content_bytes = list_of(entry(1, extensions=der.sequence(bytes.fromhex("300706035504030400") * 500_000)))
    tracemalloc.start()
    try:
        began = time.thread_time()
        assert codes(lint(content_bytes)) == {"der.too-large"}
        with pytest.raises(Malformed, match=r"der\.too-large"):
            RevocationList.from_der(content_bytes)
        assert time.thread_time() - began < 1
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


def test_ten_million_elements_where_an_issuer_is_looked_for() -> None:
    content_bytes = der.sequence(der.sequence(b"\x30\x00" * 10_000_000))
    began = time.thread_time()
    assert issuer_of(content_bytes) == b"\x30\x00"
    assert not looks_like_certificate(content_bytes)
    assert time.thread_time() - began < 1


def test_nothing_too_large_stays_in_a_cache() -> None:
    name = der.sequence(der.set_of(der.sequence(der.oid(Oid.COMMON_NAME), der.utf8_string("x" * 5000))))
    with pytest.raises(der.TooLarge):
        parse_name(name)
    many = der.sequence(der.set_of(der.sequence(der.oid(Oid.COMMON_NAME), der.utf8_string("x"))) * 33)
    with pytest.raises(der.TooMany):
        parse_name(many)
