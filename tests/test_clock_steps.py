"""Clocks that are set ahead, set back or stand still, and the revocation lists issued then: OpenSSL is asked too."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from smki import CertificateKind, FixedClock, HomeClock, RemotePartyRole, Smki
from smki.clock import TravellingClock
from smki.identity import SerialNumber
from smki.keys.private_key import RECORD_KEY
from smki.ledger import EventKind, ListRecord
from smki.pki.revocation_list import RevocationList
from smki.relying_party import RelyingParty, RepositoryClient
from tests.commands import revoke
from tests.older_ledger import WITHOUT_A_RECORD
from tests.repository.support import ask, serving
from tests.support import DS, KA, SUPPLIER, run_cli, run_here

OCA, ROOT = CertificateKind.ISSUING_OCA, CertificateKind.ROOT_OCA
OpenSsl = Callable[..., CompletedProcess[str]]


class Home:
    """A home under the real command line, with a certificate to revoke."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with Smki.open(home) as smki:
            self.serial_numbers = [organisation(smki), organisation(smki)]

    def __call__(self, *words: str) -> str:
        result = run_here(*words, "--home", self.home)
        assert result.returncode == 0, (words, result.stdout, result.stderr)
        return result.stdout.decode()

    def revoke(self, number: int = 0) -> None:
        self("revoke", self.serial_numbers[number].hex, "--reason", "key-compromised", "--party", "LARGE-SUPPLIER")

    def latest(self, kind: CertificateKind = OCA) -> ListRecord:
        with Smki.open(self.home) as smki:
            record = smki.lists(kind).latest()
        assert record is not None
        return record

    def is_repaired(self, number: int, *serial_numbers: SerialNumber) -> None:
        """The latest CRL has that number, the present time and these entries; the check finds nothing."""
        record, now = self.latest(), HomeClock(self.home / "clock.json").now()
        assert record.number == number
        assert now - timedelta(minutes=1) <= record.this_update <= now
        entries = list(RevocationList.from_der(record.der).entries())
        assert {entry.serial_number for entry in entries} == set(serial_numbers)
        assert all(entry.revoked_at <= record.this_update for entry in entries)
        with Smki.open(self.home) as smki:  # whatever has expired at that time
            assert smki.check().problems == ()


def organisation(smki: Smki) -> SerialNumber:
    _, request = smki.make_organisation_request(
        SUPPLIER, RemotePartyRole.SUPPLIER, KA if smki.clock.now().second % 2 else DS
    )
    return smki.issue_organisation(request).record.serial_number


@pytest.fixture
def cli(home: Path) -> Home:
    return Home(home)


def openssl_says(openssl: OpenSsl, cli: Home, directory: Path) -> str:
    """What openssl verify says of the first certificate, at the machine's time, with the latest lists."""
    cli("export", "authorities", "--out", str(directory / "authorities.pem"))
    cli("crl", "show", "--out", str(directory / "crl.pem"))
    with Smki.open(cli.home) as smki:
        record = smki.ledger.certificate(cli.serial_numbers[0])
        assert record is not None
        (directory / "leaf.pem").write_text(record.certificate.as_pem())
    result = openssl("verify", "-x509_strict", "-crl_check", "-CAfile", directory / "authorities.pem", "-CRLfile",
                     directory / "crl.pem", directory / "leaf.pem")  # fmt: skip
    return result.stdout + result.stderr


# --- the commands that the list did not survive ---------------------------------------------------------------------


def test_a_clock_that_was_set_ahead_once(cli: Home, tmp_path: Path, openssl: OpenSsl) -> None:
    with serving(cli.home) as served:
        cli("clock", "set", "2040-01-01T00:00:00Z")
        assert RevocationList.from_der(ask(f"{served.url}/crl/organisation.crl").body).this_update.year == 2040
        cli("clock", "real")
        ahead = cli.latest().number
        cli.revoke()
        said = cli("crl", "publish")
        number = int(re.findall(r"CRL (\d+): 1 revoked", said)[0])
        assert number > ahead
        read = RevocationList.from_der(ask(f"{served.url}/crl/organisation.crl").body)
        assert read.number == number
        # A server renews its lists every 20 seconds, so the ARL may be dated 2040 as well until then.
        end = time.monotonic() + 60
        while ask(f"{served.url}/readyz").status != 200:
            assert time.monotonic() < end
            time.sleep(0.5)
    cli.is_repaired(number, cli.serial_numbers[0])
    assert "certificate revoked" in openssl_says(openssl, cli, tmp_path)


def test_a_clock_that_was_shifted_and_put_back(cli: Home, tmp_path: Path, openssl: OpenSsl) -> None:
    cli("clock", "shift", "90d")
    cli("crl", "publish")
    cli("crl", "show", "--out", str(cli.home / "crl.pem"))
    cli("clock", "real")
    assert "(in the future)" in cli("crl", "show")
    assert (
        "is not valid yet" in run_here("crl", "verify", str(cli.home / "crl.pem"), "--home", cli.home).stdout.decode()
    )
    cli("crl", "publish")
    cli.is_repaired(3)
    assert "leaf.pem: OK" in openssl_says(openssl, cli, tmp_path)
    cli.revoke()
    cli("crl", "publish")
    cli.is_repaired(4, cli.serial_numbers[0])
    assert "certificate revoked" in openssl_says(openssl, cli, tmp_path)


def test_a_revocation_made_while_the_clock_was_ahead_stays(cli: Home, tmp_path: Path, openssl: OpenSsl) -> None:
    """Whether or not a list was issued then."""
    cli("clock", "shift", "90d")
    cli.revoke(0)
    cli("crl", "publish")
    cli.revoke(1)
    cli("clock", "real")
    cli("crl", "publish")
    cli.is_repaired(3, *cli.serial_numbers)
    assert "certificate revoked" in openssl_says(openssl, cli, tmp_path)
    # Once that time has come, the entries have the date of the revocation.
    cli("clock", "shift", "91d")
    cli("crl", "publish")
    cli.is_repaired(4, *cli.serial_numbers)
    dates = [entry.revoked_at for entry in RevocationList.from_der(cli.latest().der).entries()]
    assert all(timedelta(days=89) < date - datetime.now(UTC) < timedelta(days=91) for date in dates)


def test_an_entry_returns_where_its_certificate_has_not_expired_after_all(cli: Home) -> None:
    cli.revoke()
    cli("crl", "publish")
    cli("clock", "set", "2040-01-01")
    cli("crl", "publish")
    cli.is_repaired(3)
    cli("clock", "real")
    cli("crl", "publish")
    cli.is_repaired(4, cli.serial_numbers[0])


def test_a_delayed_revocation_that_was_on_a_list_stays(cli: Home) -> None:
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat(timespec="seconds")
    cli("revoke", cli.serial_numbers[0].hex, "--reason", "superseded", "--by", "SMKI PMA", "--delay-until", until)
    cli("crl", "publish")
    cli.is_repaired(2)
    cli("clock", "shift", "4d")
    cli("crl", "publish")
    cli.is_repaired(3, cli.serial_numbers[0])
    cli("clock", "real")
    cli("crl", "publish")
    cli.is_repaired(4, cli.serial_numbers[0])


def test_a_delayed_revocation_waits_if_only_the_clock_was_ahead(cli: Home) -> None:
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat(timespec="seconds")
    cli("revoke", cli.serial_numbers[0].hex, "--reason", "superseded", "--by", "SMKI PMA", "--delay-until", until)
    cli("clock", "shift", "4d")
    cli("clock", "real")
    cli("crl", "publish")
    cli.is_repaired(2)


def test_the_arl_and_an_authority_revoked_while_the_clock_was_ahead(cli: Home) -> None:
    cli("authority", "renew", "issuing-oca")
    cli("clock", "shift", "400d")
    cli("authority", "revoke", "T1", "--reason", "superseded")
    ahead = cli.latest(ROOT)
    assert ahead.entries == 1
    cli("clock", "real")
    cli("arl", "publish")
    record = cli.latest(ROOT)
    assert (record.number, record.entries) == (ahead.number + 1, 1)
    assert abs(record.this_update - datetime.now(UTC)) < timedelta(minutes=1)
    assert cli("check").endswith(" 0 problems\n")


def test_lists_while_the_clock_stands_still(cli: Home) -> None:
    cli("clock", "set", datetime.now(UTC).isoformat(timespec="seconds"))
    for number in (2, 3, 4):
        cli("crl", "publish")
        assert (cli.latest().number, cli.latest().this_update) == (number, HomeClock(cli.home / "clock.json").now())
    cli.revoke()
    cli("crl", "publish")
    cli.is_repaired(5, cli.serial_numbers[0])


def test_a_clock_set_back_before_the_first_list(cli: Home) -> None:
    cli("clock", "shift", "-2h")
    cli.revoke()
    cli("crl", "publish")
    cli.is_repaired(2, cli.serial_numbers[0])


# --- without being told to ------------------------------------------------------------------------------------------


def test_a_server_replaces_lists_that_are_dated_after_the_present(cli: Home) -> None:
    cli("clock", "shift", "400d")
    for name in ("crl", "arl"):
        cli(name, "publish")
    cli("clock", "real")
    with serving(cli.home) as served:
        for name, kind in (("crl", OCA), ("arl", ROOT)):
            read = RevocationList.from_der(ask(f"{served.url}/crl/organisation.{name}").body)
            assert read.number == 3
            assert read.this_update <= datetime.now(UTC)
            assert cli.latest(kind).number == 3


def test_ready_means_that_every_list_is_current(cli: Home) -> None:
    clock = HomeClock(cli.home / "clock.json")
    with serving(cli.home) as served:

        def is_unready(reason: str) -> bool:
            answer = ask(f"{served.url}/readyz")
            return answer.status == 503 and re.search(reason, json.loads(answer.body)["reason"]) is not None

        ask(f"{served.url}/crl/organisation.crl")
        assert ask(f"{served.url}/readyz").status == 200
        clock.shift(timedelta(days=-1))
        assert is_unready("dated after the present: organisation-crl of T1 \\(number 1")
        ask(f"{served.url}/crl/organisation.crl")
        ask(f"{served.url}/crl/organisation.arl")
        assert ask(f"{served.url}/readyz").status == 200


def test_ready_means_that_revocations_are_on_the_list_in_time(smki: Smki, home: Path) -> None:
    from smki_repository.app import create_app

    begin = smki.clock.now()
    revoke(smki, organisation(smki), "key-lost")
    for later, status in ((timedelta(minutes=59), 200), (timedelta(minutes=70), 503)):
        with Smki.open(home, FixedClock(begin + later)) as other:
            answer = create_app(other).test_client().get("/readyz")
            assert answer.status_code == status
    assert "a revocation is missing: organisation-crl of T1 (number 1" in answer.get_json()["reason"]


# --- those who read the lists ---------------------------------------------------------------------------------------


def test_a_relying_party_that_saw_the_list_of_2040(cli: Home, tmp_path: Path) -> None:
    with Smki.open(cli.home) as smki:
        record = smki.ledger.certificate(cli.serial_numbers[0])
        anchors = [each.certificate for each in smki.authorities()]
    assert record is not None
    clock = HomeClock(cli.home / "clock.json")
    with serving(cli.home) as served:

        def verdict() -> tuple[bool, str]:
            for directory in (tmp_path / "kept", None):  # one that remembers what it saw, and one that begins anew
                client = RepositoryClient(served.url, cache=directory)
                found = RelyingParty(anchors, client, clock=clock).verify(record.certificate)
                answers.append((found.trusted, "" if found.reason is None else found.reason.code))
            assert answers[-1] == answers[-2]
            return answers[-1]

        answers: list[tuple[bool, str]] = []
        clock.set(datetime(2034, 1, 1, tzinfo=UTC))
        assert verdict() == (True, "")
        clock.real()
        assert verdict() == (True, "")
        cli.revoke()
        cli("crl", "publish")
        assert verdict() == (False, "revocation.revoked")
        clock.set(datetime(2034, 1, 2, tzinfo=UTC))
        assert verdict() == (False, "revocation.revoked")


def test_verify_in_the_same_home(cli: Home, tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.pem"
    with Smki.open(cli.home) as smki:
        record = smki.ledger.certificate(cli.serial_numbers[0])
    assert record is not None
    leaf.write_text(record.certificate.as_pem())

    def says() -> str:
        return run_cli("verify", leaf, "--home", cli.home).stdout.decode().splitlines()[-1]

    cli("clock", "shift", "90d")
    cli("crl", "publish")
    cli("arl", "publish")
    cli("clock", "real")
    # Never an earlier list in place of the latest, because a revocation could be missing from it.
    assert "revocation.list-not-yet-current" in run_cli("verify", leaf, "--home", cli.home).stdout.decode()
    cli("arl", "publish")
    cli("crl", "publish")
    assert says().endswith(": trusted")
    cli.revoke()
    cli("crl", "publish")
    assert "revocation.revoked" in run_cli("verify", leaf, "--home", cli.home).stdout.decode()


def test_which_list_was_the_newest_at_a_moment(cli: Home) -> None:
    """The one with the highest number among those dated up to then, whatever the clock did in between."""
    begin = datetime.now(UTC).replace(microsecond=0)
    clock = HomeClock(cli.home / "clock.json")
    for moment in (begin + timedelta(days=10), begin + timedelta(days=1), begin + timedelta(days=5)):
        clock.set(moment)
        cli("crl", "publish")
    with Smki.open(cli.home) as smki:
        lists = smki.lists(OCA)
        found = {days: lists.as_of(begin + timedelta(days=days, hours=1)) for days in (-1, 0, 1, 4, 5, 10)}
    numbers = {days: record.number if record is not None else None for days, record in found.items()}
    assert numbers == {-1: None, 0: 1, 1: 3, 4: 3, 5: 4, 10: 4}


# --- times of commands ----------------------------------------------------------------------------------------------


def test_times_are_in_the_order_of_the_events(home: Path) -> None:
    """A command that waited for others has the time at which it was carried out."""
    moments = iter(range(10_000))
    lock = threading.Lock()

    class Ticking:
        def now(self) -> datetime:
            with lock:
                return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=next(moments))

    with Smki.open(home, Ticking()) as smki:
        lists = smki.lists(OCA)
        threads = [threading.Thread(target=lists.publish) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        made = lists.all()[1:]
        events = [event.at for event in smki.ledger.events() if event.kind is EventKind.LIST_ISSUED][-16:]
    assert [record.number for record in made] == list(range(2, 18))
    assert [record.this_update for record in made] == events == sorted(events)


def test_a_command_has_the_time_of_its_own_request_whoever_commits_it(home: Path) -> None:
    travelling = TravellingClock(FixedClock(datetime(2030, 1, 1, tzinfo=UTC)), may_write=True)
    with Smki.open(home, travelling) as smki:
        lists = smki.lists(OCA)

        def publish(year: int) -> None:
            travelling.travel(datetime(year, 1, 1, tzinfo=UTC))
            numbers[year] = lists.publish().number

        numbers: dict[int, int] = {}
        threads = [threading.Thread(target=publish, args=(year,)) for year in range(2031, 2047)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for year, number in numbers.items():
            record = lists.numbered(number)
            assert record is not None
            assert record.this_update.year == year


# --- the check ------------------------------------------------------------------------------------------------------


def changed(home: Path, sql: str) -> None:
    with closing(sqlite3.connect(home / "ledger.sqlite")) as connection, connection:
        connection.execute(sql)


def forget_the_record(home: Path) -> None:
    """Make the ledger one of a version without the record, which is migrated when it is opened."""
    for statement in WITHOUT_A_RECORD:
        changed(home, statement)
    shutil.rmtree(home / "checkpoints")
    (home / "keys" / f"{RECORD_KEY}.key").unlink()


def codes(home: Path) -> set[str]:
    with Smki.open(home) as smki:
        return {problem.code for problem in smki.check().problems}


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("UPDATE revocation_list SET this_update = this_update - 60 WHERE number = 2", "list.time"),
        ("UPDATE revocation_list SET this_update = this_update + 60 WHERE number = 3", "list.time"),
        ("UPDATE revocation_list SET number = 9 WHERE number = 3", "list.order"),
        ("UPDATE revocation SET effective = effective + 10 * 86400", "list.entry-unfounded"),
        ("DELETE FROM revocation", "list.entry-unfounded"),
        ("UPDATE revocation SET reason = 'superseded'", "list.entry-differs"),
    ],
)
def test_the_check_compares_lists_and_revocations(cli: Home, sql: str, code: str) -> None:
    cli.revoke()
    cli("crl", "publish")
    cli("crl", "publish")
    assert codes(cli.home) == set()
    changed(cli.home, sql)
    assert code in codes(cli.home)


def test_the_check_finds_a_revocation_that_the_latest_list_lacks(cli: Home) -> None:
    cli("crl", "publish")
    cli.revoke()
    assert codes(cli.home) == set()  # the next list is not due yet
    changed(cli.home, "UPDATE revocation_list SET last_revocation = 1 WHERE number = 2")
    assert "list.entry-missing" in codes(cli.home)


def test_the_check_finds_a_list_of_an_earlier_version_that_is_dated_ahead(cli: Home) -> None:
    """As version 0.1 left it: dated like the list before it, although the clock had been set back."""
    cli("clock", "set", "2040-01-01T00:00:00Z")
    cli("crl", "publish")
    cli("crl", "publish")
    cli("clock", "real")
    now = int(datetime.now(UTC).timestamp())
    changed(
        cli.home,
        f"UPDATE audit_event SET at = {now} WHERE event = 'list issued' AND json_extract(content, '$.number') = 3",
    )
    forget_the_record(cli.home)
    assert codes(cli.home) == {"list.time"}
    cli("crl", "publish")
    cli.is_repaired(4)
