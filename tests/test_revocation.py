"""Revocation: who may ask, what the lists say, and that OpenSSL says so too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from smki import Application, CertificateKind, CertificateStatus, FixedClock, RemotePartyRole, Smki
from smki.keys.private_key import SystemRandomness
from smki.ledger import CertificateQuery, CertificateRecord, EventKind, EventQuery, LedgerUnavailable, NewEvent
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.pki.certificate import Certificate, to_pem
from smki.pki.request import make_device_request, make_organisation_request
from smki.pki.revocation_list import PEM_LABEL, RevocationList
from smki.problem import Malformed, problem_text
from smki.profile.revocation_reasons import CRL_REASONS
from smki.registration.acceptance import NotAcceptable
from smki.registration.revocation import AlreadyRevoked, NotRevocable
from tests.commands import TEST, accept, reject, revoke
from tests.support import DEVICE, DS, KA, SUPPLIER, run_cli

OCA, ROOT = CertificateKind.ISSUING_OCA, CertificateKind.ROOT_OCA
OFFICER = ("--party", "LARGE-SUPPLIER")


def organisation(smki: Smki, usage: object = DS, *, top_up: bool = False) -> CertificateRecord:
    key = SystemRandomness().private_key("")
    request = make_organisation_request(key, SUPPLIER, RemotePartyRole.SUPPLIER, usage)  # type: ignore[arg-type]
    return smki.issue(Application(kind=CertificateKind.ORGANISATION, request=request, top_up=top_up), TEST).record


def device(smki: Smki) -> CertificateRecord:
    return smki.issue_device(make_device_request(SystemRandomness().private_key(""), DEVICE, DS)).record


def listed(smki: Smki, kind: CertificateKind = OCA) -> set[str]:
    return {entry.serial_number.hex for entry in RevocationList.from_der(smki.lists(kind).current().der).entries()}


@pytest.fixture
def at(home: Path) -> Callable[[timedelta], Smki]:
    """Opens the home so long after now."""
    now = datetime.now(UTC).replace(microsecond=0)
    return lambda later: Smki.open(home, FixedClock(now + later))


@pytest.fixture
def pending(tmp_path: Path) -> Iterator[Smki]:
    """An SMKI in which Organisation Certificates are pending for a day."""
    with Smki.create(tmp_path / "pending", deemed_accepted_after=timedelta(days=1)) as smki:
        yield smki


# --- who, what, why -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", CRL_REASONS)
def test_every_reason(smki: Smki, reason: str) -> None:
    record = organisation(smki)
    done = revoke(smki, record.serial_number, reason)
    assert done.record.status_at(smki.clock.now()) is CertificateStatus.REVOKED
    assert done.revocation.asked_by == "Large Supplier Officer"
    (entry,) = RevocationList.from_der(smki.lists(OCA).publish().der).entries()
    assert entry.serial_number == record.serial_number
    assert (entry.reason or 0) == CRL_REASONS[reason]


@pytest.mark.parametrize(("by", "allowed"), [("", True), ("Large Supplier Officer", True), ("DCC Officer", True), ("SMKI PMA", True), ("pma", True),
                                             ("Small Supplier Officer", False), ("Mallory", False)])  # fmt: skip
def test_who_may_ask(smki: Smki, by: str, allowed: bool) -> None:
    record = organisation(smki)
    if allowed:
        assert revoke(smki, record.serial_number, "key-lost", by=by).revocation.asked_by
        return
    with pytest.raises(NotRevocable) as caught:
        revoke(smki, record.serial_number, "key-lost", by=by)
    assert caught.value.code == "revocation.not-yours"
    assert "LARGE-SUPPLIER" in caught.value.problems[0].expected
    assert smki.ledger.revocations.of(record.serial_number) is None


def test_what_is_not_revoked(home: Path) -> None:
    with Smki.open(home) as smki:
        mine, meter = organisation(smki), device(smki)
        root, dca = smki.authorities()[0], smki.authorities()[3]
    for serial, reason, code in (
        ("1234", "key-lost", "certificate.unknown"),
        (meter.serial_number.hex, "key-lost", "revocation.device"),
        (root.serial_number.hex, "key-lost", "revocation.kind"),
        (dca.serial_number.hex, "key-lost", "revocation.kind"),
        (mine.serial_number.hex, "boredom", "revocation.reason"),
        ("xyz", "key-lost", "serial-number.malformed"),
    ):
        result = run_cli("revoke", serial, "--reason", reason, *OFFICER, "--home", home)
        assert result.returncode == 2
        assert f"[{code}]" in result.stderr.decode()
    assert (
        b"smki reject"
        in run_cli("revoke", meter.serial_number.hex, "--reason", "key-lost", *OFFICER, "--home", home).stderr
    )


def test_revoking_twice_names_the_first(smki: Smki) -> None:
    record = organisation(smki)
    revoke(smki, record.serial_number, "key-lost")
    with pytest.raises(AlreadyRevoked) as caught:
        revoke(smki, record.serial_number, "superseded")
    assert "for key-lost, by Large Supplier Officer" in caught.value.problems[0].seen
    assert [event.kind for event in smki.ledger.events(EventQuery(serial_number=record.serial_number))] == [
        EventKind.ISSUED,
        EventKind.REVOKED,
    ]


def test_the_pma_may_delay_one(at: Callable[[timedelta], Smki]) -> None:
    with at(timedelta(0)) as smki:
        record = organisation(smki)
        later = smki.clock.now() + timedelta(days=3)
        with pytest.raises(NotRevocable) as caught:
            revoke(smki, record.serial_number, "key-lost", not_before=later)
        assert caught.value.code == "revocation.delay"
        revoke(smki, record.serial_number, "key-lost", by="SMKI PMA", not_before=later)
        smki.lists(OCA).publish()
        assert listed(smki) == set()
        assert statuses(smki, record) == {"I"}
    with at(timedelta(days=3, hours=1)) as smki:
        smki.renew_lists()
        assert listed(smki) == {record.serial_number.hex}
        assert statuses(smki, record) == {"R"}
        now = smki.clock.now()
        known = smki.ledger.certificate(record.serial_number)
        assert known is not None
        assert known.status_since_at(now) == later.replace(microsecond=0)
        assert known.status_since_at(later - timedelta(hours=1)) == known.issued


def statuses(smki: Smki, record: CertificateRecord) -> set[str]:
    """With which statuses it is found, and the one that its record tells: always the same one."""
    now = smki.clock.now()
    known = smki.ledger.certificate(record.serial_number)
    assert known is not None
    assert record.entity_identifier is not None
    return {known.status_at(now).value} | {
        status.value
        for status in CertificateStatus
        for found in smki.ledger.certificates(
            CertificateQuery(entity_identifier=record.entity_identifier, status=status, moment=now)
        )
        if found.serial_number == record.serial_number
    }


def test_a_rejected_certificate_is_revoked(pending: Smki) -> None:
    record = organisation(pending)
    rejection = reject(pending, record.serial_number)
    assert rejection.record.status_at(pending.clock.now()) is CertificateStatus.REVOKED
    assert rejection.revocation == pending.ledger.revocations.of(record.serial_number)
    events = list(pending.ledger.events(EventQuery(serial_number=record.serial_number)))
    assert [event.kind for event in events] == [EventKind.ISSUED, EventKind.REJECTED]
    assert (events[1].party, events[1].officer) == ("LARGE-SUPPLIER", "Large Supplier Officer")
    pending.lists(OCA).publish()
    assert listed(pending) == {record.serial_number.hex}
    with pytest.raises(AlreadyRevoked):
        revoke(pending, record.serial_number, "key-lost")


@pytest.mark.parametrize("how", ["accepted", "deemed accepted", "accepted at once"])
def test_what_counts_as_accepted_is_revoked_and_not_rejected(smki: Smki, pending: Smki, how: str) -> None:
    of = smki if how == "accepted at once" else pending
    record = organisation(of)
    if how == "accepted":
        accept(of, record.serial_number)
    if how == "deemed accepted":
        of = of.with_clock(FixedClock(of.clock.now() + timedelta(days=1)))
    with pytest.raises(NotAcceptable) as caught:
        reject(of, record.serial_number)
    assert caught.value.code == "certificate.not-pending"
    assert f"smki revoke {record.serial_number}" in problem_text(caught.value.problems[0])
    assert of.ledger.revocations.of(record.serial_number) is None
    assert EventKind.REJECTED not in {event.kind for event in of.ledger.events()}
    revoke(of, record.serial_number, "rejected")


def test_who_acts_is_named_on_the_command_line(home: Path) -> None:
    with Smki.open(home) as smki:
        record = organisation(smki)
    serial = record.serial_number.hex
    for words in (("accept", serial), ("reject", serial, "--because", "x"), ("revoke", serial, "--reason", "key-lost")):
        assert b"--party" in run_cli(*words, "--home", home).stderr
        refused = run_cli(*words, "--party", "OTHER-USER", "--home", home)
        assert refused.returncode == 2
        assert b"not-yours" in refused.stderr
        refused = run_cli(*words, "--party", "LARGE-SUPPLIER", "--officer", "Mallory", "--home", home)
        assert refused.returncode == 2
    revoked = run_cli("revoke", serial, "--reason", "key-lost", "--by", "SMKI PMA", "--home", home)
    assert revoked.returncode == 0, revoked.stderr
    (event,) = map(
        json.loads,
        run_cli("audit", "events", serial, "--kind", "revoked", "--json", "--home", home).stdout.splitlines(),
    )
    assert (event["officer"], event["interface"]) == ("SMKI PMA", "cli")


def test_the_command_line_says_when_the_list_carries_it(home: Path) -> None:
    with Smki.open(home) as smki:
        record = organisation(smki)
    result = run_cli(
        "revoke", record.serial_number.hex, "--reason", "key-compromised", *OFFICER, "--json", "--home", home
    )
    values = json.loads(result.stdout)
    revoked, by = datetime.fromisoformat(values["revoked"]), datetime.fromisoformat(values["onListBy"])
    assert by - revoked == timedelta(hours=1)
    assert run_cli("crl", "publish", "--home", home).returncode == 0
    shown = json.loads(run_cli("crl", "show", "--json", "--home", home).stdout)
    assert shown["number"] == 2
    assert [entry["serialNumber"] for entry in shown["entries"]] == [record.serial_number.hex]
    assert shown["entries"][0]["reason"] == "keyCompromise"
    assert b"keyCompromise, 0 days ago" in run_cli("crl", "show", "--home", home).stdout
    assert len(run_cli("crl", "list", "--home", home).stdout.splitlines()) == 2
    assert run_cli("crl", "verify", "--home", home).returncode == 0
    assert run_cli("arl", "verify", "--home", home).returncode == 0
    assert run_cli("crl", "show", "9", "--home", home).returncode == 2


# --- OpenSSL --------------------------------------------------------------------------------------------------------


class OpenSsl:
    """openssl verify over the lists and authorities of a home."""

    def __init__(self, run: Callable[..., CompletedProcess[str]], directory: Path, smki: Smki) -> None:
        self.run, self.directory, self.smki = run, directory, smki

    def verify(self, certificate: Certificate) -> str:
        authorities = [record for record in self.smki.authorities() if record.kind in (ROOT, OCA)]
        lists = [each.current().der for each in self.smki.all_lists()]
        files = {
            "root.pem": authorities[0].certificate.as_pem(),
            "issuing.pem": "".join(record.certificate.as_pem() for record in authorities[1:]),
            "lists.pem": "".join(to_pem(PEM_LABEL, data) for data in lists),
            "leaf.pem": certificate.as_pem(),
        }
        for name, text in files.items():
            (self.directory / name).write_text(text)
        when = str(int(self.smki.clock.now().timestamp()))
        names = [self.directory / name for name in files]
        result = self.run("verify", "-x509_strict", "-policy_check", "-crl_check_all", "-attime", when, "-CAfile", names[0],
                          "-untrusted", names[1], "-CRLfile", names[2], names[3])  # fmt: skip
        return "OK" if result.returncode == 0 else result.stdout + result.stderr


def test_openssl_accepts_before_and_says_revoked_after(
    smki: Smki, tmp_path: Path, openssl: Callable[..., CompletedProcess[str]]
) -> None:
    opinion = OpenSsl(openssl, tmp_path, smki)
    mine, other = organisation(smki), organisation(smki, KA)
    assert opinion.verify(mine.certificate) == opinion.verify(other.certificate) == "OK"
    revoke(smki, mine.serial_number, "key-compromised")
    smki.lists(OCA).publish()
    assert "certificate revoked" in opinion.verify(mine.certificate)
    assert opinion.verify(other.certificate) == "OK"


def test_openssl_says_revoked_of_one_under_a_revoked_authority(
    home: Path, tmp_path: Path, openssl: Callable[..., CompletedProcess[str]]
) -> None:
    with Smki.open(home) as smki:
        under_the_old = organisation(smki)
    assert run_cli("authority", "renew", "issuing-oca", "--home", home).returncode == 0
    with Smki.open(home) as smki:
        under_the_new = organisation(smki, KA)
        opinion = OpenSsl(openssl, tmp_path, smki)
        assert opinion.verify(under_the_old.certificate) == opinion.verify(under_the_new.certificate) == "OK"
    result = run_cli("authority", "revoke", "T1", "--reason", "superseded", "--home", home)
    assert result.returncode == 0, result.stderr
    assert b"Organisation ARL 2 lists it" in result.stdout
    with Smki.open(home) as smki:
        opinion = OpenSsl(openssl, tmp_path, smki)
        assert "certificate revoked" in opinion.verify(under_the_old.certificate)
        assert opinion.verify(under_the_new.certificate) == "OK"
        assert len(listed(smki, ROOT)) == 1


# --- the lists ------------------------------------------------------------------------------------------------------


def test_a_new_home_has_its_lists(smki: Smki) -> None:
    for kind, hours in ((OCA, 48), (ROOT, 366 * 24)):
        record = smki.lists(kind).latest()
        assert record
        assert (record.number, record.entries) == (1, 0)
        assert record.next_update - record.this_update == timedelta(hours=hours)


def test_a_list_is_renewed_before_it_is_due_and_after_a_revocation(at: Callable[[timedelta], Smki]) -> None:
    def number(later: timedelta) -> int:
        with at(later) as smki:
            smki.renew_lists()
            latest = smki.lists(OCA).latest()
            assert latest
            return latest.number

    assert number(timedelta(hours=5)) == 1
    assert number(timedelta(hours=6, minutes=1)) == 2
    with at(timedelta(hours=7)) as smki:
        record = organisation(smki)
        revoke(smki, record.serial_number, "key-lost")
    assert number(timedelta(hours=8)) == 3
    with at(timedelta(hours=8)) as smki:
        assert listed(smki) == {record.serial_number.hex}
    assert number(timedelta(hours=8)) == 3


def test_a_revocation_in_the_very_second_of_a_list_is_not_forgotten(at: Callable[[timedelta], Smki]) -> None:
    with at(timedelta(hours=1)) as smki:
        smki.lists(OCA).publish()
        record = organisation(smki)
        revoke(smki, record.serial_number, "key-lost")
        assert listed(smki) == set()
    with at(timedelta(hours=2)) as smki:
        smki.renew_lists()
        assert listed(smki) == {record.serial_number.hex}


def test_nobody_gets_a_list_past_its_next_update(at: Callable[[timedelta], Smki]) -> None:
    for days in (3, 30, 4000):
        with at(timedelta(days=days)) as smki:
            for kind in (OCA, ROOT):
                current = smki.lists(kind).current()
                assert current.this_update <= smki.clock.now() < current.next_update


def test_a_clock_that_is_set_back(at: Callable[[timedelta], Smki], caplog: pytest.LogCaptureFixture) -> None:
    with at(timedelta(days=10)) as smki:
        ahead = smki.lists(OCA).publish()
    with at(timedelta(0)) as smki:
        record = organisation(smki)
        revoke(smki, record.serial_number, "key-lost")
        back = smki.lists(OCA).publish()
    assert back.number == ahead.number + 1
    assert ahead.this_update - back.this_update == timedelta(days=10)
    assert back.entries == 1
    assert "the clock was set back" in caplog.text


def test_entries_stay_until_their_certificates_have_expired(at: Callable[[timedelta], Smki]) -> None:
    with at(timedelta(0)) as smki:
        record = organisation(smki)
        revoke(smki, record.serial_number, "key-lost")
    with at(timedelta(days=3650)) as smki:
        assert listed(smki) == {record.serial_number.hex}
    with at(timedelta(days=3654)) as smki:
        smki.lists(OCA).publish()
        assert listed(smki) == set()
        numbers = [made.number for made in smki.lists(OCA).all()]
        assert numbers == list(range(1, len(numbers) + 1))


def fill(smki: Smki) -> None:
    event = NewEvent(at=smki.clock.now(), kind=EventKind.CHANGED, detail="x" * 3000)
    smki.ledger.transact(lambda transaction: transaction.append_event(event))


@pytest.mark.parametrize("what", ["publish", "revoke"])
def test_a_full_disk(smki: Smki, what: str) -> None:
    assert isinstance(smki.ledger, SqliteLedger)
    records = [organisation(smki, usage) for usage in (DS, KA) for _ in range(3)]
    before = smki.lists(OCA).current()
    writer = smki.ledger._connections[0]
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerUnavailable) as caught:
        for number in range(2000):
            if what == "publish":
                smki.lists(OCA).publish()
            else:
                fill(smki)
                if number % 2:
                    revoke(smki, records[number // 2 % 6].serial_number, "key-lost")
    assert "full" in caught.value.problems[0].seen
    latest = smki.lists(OCA).current()
    assert latest.number >= before.number
    assert RevocationList.from_der(latest.der).number == latest.number
    writer.execute("PRAGMA max_page_count = 1073741823")
    assert smki.lists(OCA).publish().number == latest.number + 1
    assert smki.check().problems == ()


# --- statuses -------------------------------------------------------------------------------------------------------


def status(smki: Smki, record: CertificateRecord) -> str:
    found = smki.ledger.certificate(record.serial_number)
    assert found
    now = smki.clock.now()
    value = found.status_at(now)
    query = CertificateQuery(status=value, moment=now, entity_identifier=record.entity_identifier)
    assert record.serial_number in {other.serial_number for other in smki.ledger.certificates(query)}
    others = [each for each in CertificateStatus if each is not value]
    for other in others:
        wrong = replace(query, status=other)
        assert record.serial_number not in {each.serial_number for each in smki.ledger.certificates(wrong)}
    return value.value


def test_a_newer_certificate_puts_the_older_out_of_use(smki: Smki) -> None:
    first, agreement, top_up = organisation(smki), organisation(smki, KA), organisation(smki, KA, top_up=True)
    assert [status(smki, record) for record in (first, agreement, top_up)] == ["I", "I", "I"]
    second = organisation(smki)
    assert [status(smki, record) for record in (first, second, agreement, top_up)] == ["N", "I", "I", "I"]
    newer_top_up = organisation(smki, KA, top_up=True)
    assert [status(smki, record) for record in (agreement, top_up, newer_top_up)] == ["I", "N", "I"]
    meters = [device(smki), device(smki)]
    assert [status(smki, record) for record in meters] == ["N", "I"]


def test_only_a_suppliers_key_agreement_certificate_is_for_top_up(home: Path) -> None:
    words = (
        "issue",
        "organisation",
        "--eui",
        "90B3D51F30010000",
        "--role",
        "supplier",
        "--top-up",
        "--home",
        str(home),
        "--out",
        "x.pem",
    )
    assert b"top-up.not-a-supplier" in run_cli(*words, "--usage", "ds", cwd=home.parent).stderr
    assert run_cli(*words, "--usage", "ka", cwd=home.parent).returncode == 0


def test_pending_certificates_replace_when_they_are_accepted(tmp_path: Path) -> None:
    Smki.create(tmp_path / "pki", deemed_accepted_after=timedelta(days=1)).close()
    now = datetime.now(UTC).replace(microsecond=0)

    def statuses(later: timedelta) -> list[str]:
        with Smki.open(tmp_path / "pki", FixedClock(now + later)) as smki:
            return [status(smki, record) for record in made]

    with Smki.open(tmp_path / "pki", FixedClock(now)) as smki:
        made = [organisation(smki), organisation(smki)]
    assert statuses(timedelta(0)) == ["P", "P"]
    assert statuses(timedelta(days=2)) == ["N", "I"]
    with Smki.open(tmp_path / "pki", FixedClock(now)) as smki:
        accept(smki, made[0].serial_number)
    assert statuses(timedelta(0)) == ["I", "P"]
    with Smki.open(tmp_path / "pki", FixedClock(now)) as smki:
        reject(smki, made[1].serial_number, "no")
    assert statuses(timedelta(0)) == statuses(timedelta(days=2)) == ["I", "R"]
    assert statuses(timedelta(days=4000)) == ["E", "R"]


def test_a_certificate_revoked_while_pending_replaces_none(tmp_path: Path) -> None:
    Smki.create(tmp_path / "pki", deemed_accepted_after=timedelta(days=1)).close()
    now = datetime.now(UTC).replace(microsecond=0)
    with Smki.open(tmp_path / "pki", FixedClock(now)) as smki:
        first = organisation(smki)
        accept(smki, first.serial_number)
        revoke(smki, organisation(smki).serial_number, "superseded")
    with Smki.open(tmp_path / "pki", FixedClock(now + timedelta(days=2))) as smki:
        assert status(smki, first) == "I"
        assert smki.check().problems == ()


# --- the clock and the authorities ----------------------------------------------------------------------------------


def test_the_clock_of_a_home(home: Path, tmp_path: Path) -> None:
    def smki(*words: str) -> str:
        result = run_cli(*words, "--home", home, cwd=tmp_path)
        assert result.returncode == 0, (words, result.stderr)
        return result.stdout.decode()

    assert "(real)" in smki("clock", "show")
    assert smki("clock", "set", "2033-05-01T12:00:00Z") == "2033-05-01T12:00:00Z (fixed)\n"
    smki("issue", "organisation", "--eui", SUPPLIER.hex, "--role", "supplier", "--usage", "ds", "--out", "future.pem")
    assert "2033-05-01T00:00:00Z to 2043-04-30T23:59:59Z" in smki("show", "future.pem")
    smki("clock", "set", "2044-01-01")
    assert "expired (E)" in smki("show", "future.pem")
    assert "(shifted)" in smki("clock", "shift", "-12h")
    assert "(real)" in smki("clock", "real")
    for words, code in ((("clock", "set", "soon"), "time.malformed"), (("clock", "shift", "a bit"), "shift.malformed")):
        result = run_cli(*words, "--home", home)
        assert result.returncode == 2
        assert code in result.stderr.decode()
    (home / "clock.json").write_text("{}")
    assert b"clock.unreadable" in run_cli("list", "--home", home).stderr


def test_several_issuing_authorities(home: Path, tmp_path: Path) -> None:
    assert b"TD02" in run_cli("authority", "add", "issuing-dca", "--home", home).stdout
    with Smki.open(home) as smki:
        issuers = [device(smki).certificate.issuer for _ in range(4)]
        assert len(set(issuers)) == 2
        assert issuers[:2] == issuers[2:]
    named = ("issue", "device", "--eui", DEVICE.hex, "--usage", "ds", "--home", str(home))
    assert run_cli(*named, "--issuer", "TD02", "--out", "a.pem", cwd=tmp_path).returncode == 0
    assert b"CN=TD02" in run_cli("show", tmp_path / "a.pem", "--home", home).stdout
    assert b"authority.unknown" in run_cli(*named, "--issuer", "XX", "--out", "b.pem", cwd=tmp_path).stderr
    listed = run_cli("authority", "list", "--home", home).stdout.decode()
    assert [line.split()[0] for line in listed.splitlines()] == ["TA", "T1", "TD", "TD01", "TD02"]
    assert run_cli("check", "--home", home).returncode == 0
    assert b"authority.unknown" in run_cli("authority", "revoke", "XX", "--reason", "superseded", "--home", home).stderr
    assert b"revocation.kind" in run_cli("authority", "revoke", "TD02", "--reason", "superseded", "--home", home).stderr


def test_the_old_authoritys_lists_go_on(at: Callable[[timedelta], Smki], home: Path) -> None:
    with at(timedelta(0)) as smki:
        old = organisation(smki)
    assert run_cli("authority", "renew", "issuing-oca", "--home", home).returncode == 0
    with at(timedelta(hours=1)) as smki:
        revoke(smki, old.serial_number, "key-lost")
    with at(timedelta(hours=2)) as smki:
        smki.renew_lists()
        lists = [each.current() for each in smki.all_lists()]
        assert [made.entries for made in lists] == [0, 1, 0]
        assert len({made.issuer for made in lists}) == 3


def test_a_reason_that_is_none(smki: Smki) -> None:
    with pytest.raises(Malformed):
        revoke(smki, organisation(smki).serial_number, "")


def test_the_check_reads_the_lists_too(home: Path) -> None:
    import sqlite3

    with Smki.open(home) as smki:
        smki.lists(OCA).publish()
        assert smki.check().problems == ()
    for damage, code in (
        ("UPDATE revocation_list SET number = 7 WHERE number = 2", "list.order"),
        ("UPDATE revocation_list SET der = CAST(substr(der, 1, length(der) - 1) || x'00' AS BLOB)", "signature"),
    ):
        with sqlite3.connect(home / "ledger.sqlite") as connection:
            connection.execute(damage)
        connection.close()
        with Smki.open(home) as smki:
            assert any(problem.code.startswith(code) for problem in smki.check().problems)


def test_a_relying_party_hears_of_a_revocation_from_the_repository(home: Path, tmp_path: Path) -> None:
    """From the certificate to the verdict, over HTTP: trusted before, revoked after."""
    from tests.repository.support import serving

    with Smki.open(home) as smki:
        record = organisation(smki)
    (tmp_path / "supplier.pem").write_text(record.certificate.as_pem())
    run_cli("export", "authorities", "--home", home, "--out", tmp_path / "trust.pem")
    with serving(home) as served:
        words = ("verify", tmp_path / "supplier.pem", "--trust", tmp_path / "trust.pem", "--repository", served.url)
        before = run_cli(*words, "--for", "supplier/ds")
        assert before.returncode == 0, before.stdout + before.stderr
        run_cli("revoke", record.serial_number.hex, "--reason", "key-compromised", *OFFICER, "--home", home)
        run_cli("crl", "publish", "--home", home)
        after = run_cli(*words)
    assert after.returncode == 1
    assert b"revoked" in after.stdout


def test_verify_uses_the_lists_of_the_home(home: Path, tmp_path: Path) -> None:
    with Smki.open(home) as smki:
        record = organisation(smki)
    (tmp_path / "supplier.pem").write_text(record.certificate.as_pem())
    verify = ("verify", tmp_path / "supplier.pem", "--home", home)
    assert run_cli(*verify).returncode == 0
    run_cli("revoke", record.serial_number.hex, "--reason", "key-lost", *OFFICER, "--home", home)
    run_cli("crl", "publish", "--home", home)
    after = run_cli(*verify)
    assert after.returncode == 1
    assert b"revoked" in after.stdout
    # And its clock: three days on, nobody having served it, its list is overdue.
    run_cli("clock", "shift", "3d", "--home", home)
    overdue = run_cli(*verify)
    assert overdue.returncode == 1
    assert b"revocation.list-" in overdue.stdout
