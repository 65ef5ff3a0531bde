"""Every CLI command and every REST operation that writes runs one command in one transaction, and appends one event.

Each is run for real. A command or operation that is in none of the tables below fails the test: add a line for it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from smki_repository.app import create_app
from smki_repository.rest.service import API, OPERATIONS

from smki import DeviceType, RemotePartyRole, Smki
from smki.cli.main import cli
from smki.clock import RealClock
from smki.identity import PartyId
from smki.ledger.sqlite.group_commit import GroupCommit
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.pki.certificate import to_pem
from smki.problem import SmkiError
from smki.registration import Actor, Command, Registration
from smki.registration.credentials import MakeApiKey, MakeToken
from smki.registration.devices import SetThreshold
from smki.registration.parties import Register
from smki.registration.products import ListProduct
from smki.registration.revocation import Revoke
from smki.sec.party import Officer, Party, TestingParticipant
from tests.support import DEVICE, DS, KA, SUPPLIER, run_here

PARTY = "LARGE-SUPPLIER"
ACTOR = Actor(interface="test")

# In braces: names of Prepared. The home is added by --home.
CLI_WRITES = {
    "issue device": "issue device --eui 00-DB-12-34-56-78-90-A1 --usage ds --out {new}/device.pem",
    "issue devices": "issue devices --from 00-DB-12-34-56-78-90-A1 --count 1 --usage ka --type GSME --out {new}/devices",
    "issue organisation": "issue organisation --eui 90-B3-D5-1F-30-01-00-00 --role supplier --usage ka --out {new}/o.pem",
    "accept": "accept {pending} --party LARGE-SUPPLIER",
    "reject": "reject {pending} --because wrong --party LARGE-SUPPLIER",
    "revoke": "revoke {pending} --reason key-lost --party LARGE-SUPPLIER",
    "crl publish": "crl publish",
    "arl publish": "arl publish",
    "clock real": "clock real",
    "clock set": "clock set 2031-01-01",
    "clock shift": "clock shift 90d",
    "party add": "party add NEW --category other --role other-user --eui 90-B3-D5-1F-30-02-00-99 --officer Somebody",
    "party appoint": "party appoint LARGE-SUPPLIER Another",
    "party assign-eui": "party assign-eui LARGE-SUPPLIER",
    "party expel": "party expel OTHER-USER",
    "party load": "party load {parties}",
    "party reinstate": "party reinstate OTHER-USER",
    "party suspend": "party suspend OTHER-USER",
    "party withdraw": "party withdraw OTHER-USER",
    "participant add": "participant add NEW --purpose device-and-user-system-tests --officer Somebody",
    "device add": "device add 00-DB-12-34-56-78-91-01 --type ESME",
    "device load": "device load {devices}",
    "cpl add": "cpl add ACME-1 --type ESME",
    "cpl remove": "cpl remove LISTED",
    "settings set": "settings set statement explicit",
    "device raise-limit": "device raise-limit 00-DB-12-34-56-78-90-A0 200",
    "party change": "party change LARGE-SUPPLIER --quota 5000",
    "party release-eui": "party release-eui GAS-NETWORK 90-B3-D5-1F-30-04-00-00",
    "party dismiss": "party dismiss SHARED-OFFICERS One",
    "participant change": "participant change MANUFACTURER --name Maker",
    "participant add-test": "participant add-test LARGE-SUPPLIER --purpose uept --quota 5",
    "participant change-test": "participant change-test MANUFACTURER device-and-user-system-tests --quota 70",
    "participant end-test": "participant end-test PAIR section-t",
    "participant set-mode": "participant set-mode strict",
    "participant appoint": "participant appoint MANUFACTURER Sam",
    "participant dismiss": "participant dismiss PAIR One",
    "device change": "device change 00-DB-12-34-56-78-90-A0 --enrolled",
    "device reset-limit": "device reset-limit 00-DB-12-34-56-78-90-A0",
    "device set-status": "device set-status 00-DB-12-34-56-78-90-A0 installed-not-commissioned",
    "import": "import {foreign}",
    "apikey add": "apikey add new",
    "apikey revoke": "apikey revoke old",
    "officer token": "officer token --party LARGE-SUPPLIER",
    "officer revoke": "officer revoke {officer}",
}
"""Commands of which each run is one command of the registration. An import of more certificates than fit in a batch
(:data:`smki.interchange.importing.importer.BATCH`) is one for each batch."""

CLI_SEVERAL = {
    # Parties, Devices, four authorities, six certificates of the DCC, and two lists.
    "init": ("init --home {new}/pki", 14),
    # 23 applications, and the acceptance of those that are pending: not of the five that the DCC lodges (SEC L3.12).
    "demo z1": ("demo z1 --out {new}/z1", 41),
    # The authority, and the lists that are due because of it.
    "authority add": ("authority add issuing-oca", 2),
    "authority renew": ("authority renew issuing-oca", 2),
    # The revocation, and the Organisation ARL that names it.
    "authority revoke": ("authority revoke T1 --reason superseded", 2),
}
"""Commands that run several, how many, and why. Each of those is still one transaction and one event."""

CLI_RESTORES = {"restore"}
"""The command that makes a home whose first events are those of a backup."""

CLI_READS = {
    "backup": "backup {new}/backup.zip",
    "show": "show {issued}",
    "list": "list",
    "search": "search {issued}",
    "crl list": "crl list",
    "crl show": "crl show",
    "crl verify": "crl verify",
    "arl list": "arl list",
    "arl show": "arl show",
    "arl verify": "arl verify",
    "authority list": "authority list",
    "clock show": "clock show",
    "party list": "party list",
    "party show": "party show LARGE-SUPPLIER",
    "participant list": "participant list",
    "participant show": "participant show MANUFACTURER",
    "participant show-mode": "participant show-mode",
    "device list": "device list",
    "cpl list": "cpl list",
    "settings list": "settings list",
    "device show": "device show 00-DB-12-34-56-78-90-A0",
    "eligible device": "eligible device --eui 00-DB-12-34-56-78-90-A0",
    "eligible organisation": "eligible organisation --eui 90-B3-D5-1F-30-01-00-00 --role supplier",
    "eligible authority": "eligible authority root-oca",
    "eligible who": "eligible who --role supplier",
    "eligible what": "eligible what LARGE-SUPPLIER",
    "applications list": "applications list",
    "applications show": "applications show 1",
    "audit checkpoint": "audit checkpoint",
    "audit events": "audit events",
    "audit export": "audit export {new}/record.jsonl",
    "audit prove": "audit prove {issued}",
    "audit verify": "audit verify",
    "audit show": "audit show {reference}",
    "export authorities": "export authorities --out {new}/a.pem",
    "export csv": "export csv --out {new}/a.csv",
    "export folder": "export folder --out {new}/folder",
    "export json-lines": "export json-lines --out {new}/a.jsonl",
    "export keystore": "export keystore --keyless --out {new}/keystore.json",
    "export org-crypto": "export org-crypto --keys {keys} --out {new}/org-crypto.zip",
    "export pem": "export pem --out {new}/a.pem",
    "export pkcs12": "export pkcs12 --out {new}/p12",
    "export zip": "export zip --out {new}/a.zip",
    "extract full": "extract full",
    "extract delta": "extract delta",
    "extract list": "extract list",
    "extract apply": "extract apply --out {new}/applied",
    "extract verify": "extract verify",
    "verify": "verify {file}",
    "suspect add": "suspect add {issued} --because odd",
    "suspect clear": "suspect clear {pending}",
    "suspect list": "suspect list",
    "check": "check",
    "tidy": "tidy --dry-run",
    "apikey list": "apikey list",
    "officer list": "officer list",
}
"""Commands that change nothing in the ledger. Those that keep files of their own beside it are among them. `crl verify`
and `arl verify` issue a list where the latest is past its nextUpdate, which is not so here."""

CLI_WITHOUT_A_HOME = {
    "audit check-proof", "provisions", "lint", "vectors judge", "vectors run", "vectors write", "profile list", "profile show", "defects list",
    "defects write", "faults clear", "faults list", "faults set",
}  # fmt: skip
CLI_SERVERS = {"serve"}
"""`smki serve` runs commands for as long as it is served: those of its REST operations, and each list when it is due."""

REST_WRITES: dict[str, tuple[str, Any]] = {
    "apply": ("/applications", {"request": "{request}", "kind": "organisation"}),
    "accept": ("/certificates/{pending}/accept", None),
    "reject": ("/certificates/{pending}/reject", {"because": "wrong"}),
    "revoke": ("/certificates/{pending}/revoke", {"reason": "key-lost"}),
    "addParty": ("/parties", {"party_id": "ACME", "category": "other-sec-party"}),
    "changeParty": ("/parties/LARGE-SUPPLIER", {"quota": 5000}),
    "setStanding": ("/parties/OTHER-USER/standing", {"standing": "suspended"}),
    "assignIdentifier": ("/parties/LARGE-SUPPLIER/identifiers", {"identifier": "90-B3-D5-1F-30-05-00-00"}),
    "releaseIdentifier": ("/parties/GAS-NETWORK/identifiers/90B3D51F30040000/release", None),
    "appointOfficer": ("/parties/LARGE-SUPPLIER/officers/appoint", {"name": "Sam"}),
    "dismissOfficer": ("/parties/SHARED-OFFICERS/officers/dismiss", {"name": "One"}),
    "addParticipant": ("/participants", {"participant_id": "LAB", "purpose": "user-entry-process-tests"}),
    "changeParticipant": ("/participants/MANUFACTURER", {"name": "Maker"}),
    "recordTest": ("/parties/LARGE-SUPPLIER/tests", {"purpose": "user-entry-process-tests", "quota": 5}),
    "changeTest": ("/parties/MANUFACTURER/tests/device-and-user-system-tests", {"quota": 70}),
    "endTest": ("/parties/PAIR/tests/section-t/end", None),
    "setParticipation": ("/participation", {"mode": "strict"}),
    "addDevice": ("/devices", {"device_id": "00-DB-12-34-56-78-92-11", "device_type": "ESME"}),
    "listProduct": ("/certified-products", {"model": "ACME-1", "device_type": "ESME"}),
    "removeProduct": ("/certified-products/remove", {"model": "LISTED"}),
    "changeSetting": ("/settings", {"setting": "certified-products", "value": "listed"}),
    "changeDevice": ("/devices/00DB1234567890A0", {"enrolled": True}),
    "setThreshold": ("/devices/00DB1234567890A0/threshold", {"threshold": 200}),
    "makeApiKey": ("/api-keys", {"name": "another"}),
    "revokeApiKey": ("/api-keys/{key}/revoke", None),
    "makeToken": ("/parties/LARGE-SUPPLIER/tokens", {}),
    "revokeToken": ("/tokens/{number}/revoke", None),
    "addAuthority": ("/authorities", {"kind": "issuing-dca"}),
    "publishRevocationList": ("/revocation-lists", {"issuer": "{authority}"}),
    "setClock": ("/clock", {"fixed": "2030-01-01T00:00:00Z"}),
}
"""Path, and JSON body or None."""

OF_SUBSCRIBERS = {
    "apply", "accept", "reject", "revoke", "listApplications", "getApplication", "compareWithRequest", "addDevice",
}  # fmt: skip
"""Operations that an officer of the subscriber asks for here; an officer of the DCC asks for the others."""

REST_READS: dict[str, tuple[str, Any]] = {
    "listCertificates": ("/certificates", None),
    "listCertificatesAs": ("/certificates.pem", None),
    "getCertificate": ("/certificates/{issued}", None),
    "getCertificateAs": ("/certificates/{issued}.pem", None),
    "getChain": ("/certificates/{issued}/chain", None),
    "getChainAs": ("/certificates/{issued}/chain.pem", None),
    "listAuthorities": ("/authorities", None),
    "listAuthoritiesAs": ("/authorities.pem", None),
    "getAuthority": ("/authorities/{authority}", None),
    "getAuthorityAs": ("/authorities/{authority}.pem", None),
    "listParties": ("/parties", None),
    "getParticipation": ("/participation", None),
    "getParty": ("/parties/LARGE-SUPPLIER", None),
    "listDevices": ("/devices", None),
    "listCertifiedProducts": ("/certified-products", None),
    "getSettings": ("/settings", None),
    "compareWithRequest": ("/certificates/{pending}/comparison", None),
    "getDevice": ("/devices/00DB1234567890A0", None),
    "listRevocationLists": ("/revocation-lists", None),
    "getRevocationList": ("/revocation-lists/{authority}/1", None),
    "getRevocationListAs": ("/revocation-lists/{authority}/1.pem", None),
    "listRevocationEntries": ("/revocation-lists/{authority}/1/entries", None),
    "listApplications": ("/applications", None),
    "getApplication": ("/applications/{application}", None),
    "askOrganisation": ("/eligibility/organisation", {"entityIdentifier": "90B3D51F30010000", "role": "supplier"}),
    "askDevice": ("/eligibility/device", {"entityIdentifier": "00DB1234567890A0"}),
    "askAuthority": ("/eligibility/authority", {"kind": "root-oca"}),
    "askWho": ("/eligibility/who", {"role": "supplier"}),
    "askWhat": ("/eligibility/what", {"party": "LARGE-SUPPLIER"}),
    "lint": ("/lint", "{pem}"),
    "verify": ("/verify", "{pem}"),
    "getStatistics": ("/statistics", None),
    "listApiKeys": ("/api-keys", None),
    "listTokens": ("/tokens", None),
    "getClock": ("/clock", None),
    "listEvents": ("/events", None),
    "listCertificateEvents": ("/certificates/{issued}/events", None),
}
"""Operations that change nothing. `verify` issues a list where the latest is past its nextUpdate, which is not so here."""


@dataclass
class Prepared:
    """A home in which every command has something to do."""

    home: Path
    names: dict[str, str]
    token: str


@dataclass
class Seen:
    """What happened while something ran."""

    commands: list[str] = field(default_factory=list)
    transactions: int = 0
    commits: int = 0
    events: int = 0

    def is_exactly(self, number: int) -> bool:
        """Whether so many commands were run, each with a transaction, a commit and an event of its own."""
        return len(self.commands) == self.transactions == self.commits == self.events == number


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The home, and what the command lines name."""
    place = tmp_path_factory.mktemp("one-command")
    home = place / "pki"
    with Smki.create(home, deemed_accepted_after=timedelta(days=5)) as smki:

        def organisation() -> Any:
            request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]
            return smki.issue_organisation(request).record

        revoked, pending = organisation(), organisation()
        smki.registration.execute(Revoke(serial_number=revoked.serial_number, reason="key-lost"), ACTOR)
        device_request = smki.make_device_request(DEVICE, KA)[1]
        device = smki.issue_device(device_request, device_type=DeviceType.ESME).record
        key = smki.registration.execute(MakeApiKey(name="old", created=RealClock().now()), ACTOR)
        pair = tuple(Officer.parse(name) for name in ("One", "Two"))
        shared = Party.parse(party_id="SHARED-OFFICERS", category="other", standing="acceded 2016-01-01")
        lab = TestingParticipant.parse(participant_id="PAIR", purpose="section-t")
        smki.registration.execute(Register((replace(shared, officers=pair), replace(lab, officers=pair))), ACTOR)
        smki.registration.execute(SetThreshold(DEVICE, 300), ACTOR)
        smki.registration.execute(ListProduct("LISTED", DeviceType.GSME), ACTOR)
        dcc = smki.registration.execute(MakeToken(party=PartyId.parse("DCC"), created=RealClock().now()), ACTOR)
        make = MakeToken(party=PartyId.parse(PARTY), created=RealClock().now())
        token = smki.registration.execute(make, ACTOR)
        request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, KA)[1]
        smki.renew_lists()
        smki.extracts.full()
        (place / "device.pem").write_bytes(to_pem("CERTIFICATE", device.der).encode())
        authority = next(each for each in smki.authorities() if each.certificate.common_name == "T1")
        client = create_app(smki).test_client()
        body = f"<CertificateDataRequest><CertificateSerial>{device.serial_number}</CertificateSerial></CertificateDataRequest>"
        answer = client.post("/services/retrievecertificate", data=body).text
        names = {
            "pending": pending.serial_number.hex,
            "issued": device.serial_number.hex,
            "authority": authority.serial_number.hex,
            "application": str(pending.application_id),
            "officer": token.record.name,
            "number": str(token.record.id),
            "key": str(key.record.id),
            "dcc": dcc.secret,
            "reference": answer.partition("<AuditReference>")[2].partition("<")[0],
            "request": to_pem("CERTIFICATE REQUEST", request),
            "pem": to_pem("CERTIFICATE", device.der),
            "file": str(place / "device.pem"),
            "keys": str(home / "keys" / "dcc"),
        }
    run_here("suspect", "add", names["pending"], "--because", "odd", "--home", home)
    with Smki.in_memory(seed="foreign") as other:
        pem = "".join(to_pem("CERTIFICATE", record.der) for record in other.authorities())
    inputs = {
        "foreign": pem,
        "parties": "party_id,name,category,user_roles,standing,officers\nNEW,New,other,other-user,acceded 2016-01-01,One\n"
        "NEWER,Newer,other,other-user,acceded 2016-01-01,One\n",
        "devices": "device_id,device_type\n00DB123456789201,ESME\n00DB123456789202,GSME\n",
    }
    for name, text in inputs.items():
        (place / name).write_text(text)
        names[name] = str(place / name)
    return Prepared(home, names, token.secret)


@pytest.fixture
def own(prepared: Prepared, tmp_path: Path) -> Prepared:
    """The same, for one test to write to."""
    shutil.copytree(prepared.home, tmp_path / "home")
    (tmp_path / "new").mkdir()
    return Prepared(tmp_path / "home", {**prepared.names, "new": str(tmp_path / "new")}, prepared.token)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Seen]:
    """Begins to count commands, transactions and commits; called again with the home, adds the events since the beginning."""
    seen = Seen()
    before: dict[Path, int] = {}
    execute, transact, begin = Registration.execute, SqliteLedger.transact, SqliteLedger._begin

    def counted_execute(self: Registration, command: Command[Any], actor: Actor) -> Any:
        seen.commands.append(type(command).__name__)
        return execute(self, command, actor)

    def counted_transact(self: SqliteLedger, work: Callable[[Any], Any]) -> Any:
        seen.transactions += 1
        return transact(self, work)

    def traced_begin(self: SqliteLedger, writes: GroupCommit) -> None:
        def traced(statement: str) -> None:
            seen.commits += statement == "COMMIT"

        begin(self, writes)
        writes._connection.set_trace_callback(traced)

    def watching(home: Path) -> Seen:
        now = _count_events(home)
        seen.events = now - before.setdefault(home, now)
        return seen

    monkeypatch.setattr(Registration, "execute", counted_execute)
    monkeypatch.setattr(SqliteLedger, "transact", counted_transact)
    monkeypatch.setattr(SqliteLedger, "_begin", traced_begin)
    return watching


def _count_events(home: Path) -> int:
    if not (home / "ledger.sqlite").exists():
        return 0
    connection = sqlite3.connect(home / "ledger.sqlite")
    try:
        count: int = connection.execute("SELECT count(*) FROM audit_event").fetchone()[0]
        return count
    finally:
        connection.close()


def _run_cli(own: Prepared, line: str) -> Path:
    """Run a command line; return the home that it works on."""
    words = [word.format(**own.names) for word in line.split()]
    if "--home" in words:
        home = Path(words[words.index("--home") + 1])
    else:
        home = own.home
        words += ["--home", str(home)]
    result = run_here(*words)
    assert result.returncode == 0, result.stderr
    return home


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found, (*path, name))
    else:
        yield " ".join(path), command


def test_every_command_of_the_command_line_is_in_one_table() -> None:
    tables = [set(CLI_WRITES), set(CLI_SEVERAL), CLI_RESTORES, set(CLI_READS), CLI_WITHOUT_A_HOME, CLI_SERVERS]
    named = [name for table in tables for name in table]
    commands = dict(_commands(cli))
    assert sorted(named) == sorted(commands)
    for name in CLI_WITHOUT_A_HOME:
        assert "home" not in {parameter.name for parameter in commands[name].params}


def test_every_operation_of_the_rest_interface_is_in_one_table() -> None:
    assert sorted([*REST_WRITES, *REST_READS]) == sorted(operation.name for operation in OPERATIONS)


@pytest.mark.parametrize("name", CLI_WRITES)
def test_a_command_that_writes(own: Prepared, watch: Callable[[Path], Seen], name: str) -> None:
    watch(own.home)
    _run_cli(own, CLI_WRITES[name])
    assert watch(own.home).is_exactly(1), watch(own.home)
    with Smki.open(own.home) as smki:
        assert smki.check().problems == ()


@pytest.mark.parametrize("name", CLI_SEVERAL)
def test_a_command_that_writes_several_times(own: Prepared, watch: Callable[[Path], Seen], name: str) -> None:
    line, number = CLI_SEVERAL[name]
    watch(own.home)
    watch(Path(own.names["new"]) / "pki")
    home = _run_cli(own, line)
    seen = watch(home)
    assert seen.is_exactly(number), seen


def test_a_restore_goes_on_and_revokes_credentials(own: Prepared, watch: Callable[[Path], Seen]) -> None:
    _run_cli(own, "backup {new}/backup.zip")
    seen = watch(own.home)
    home = _run_cli(own, "restore {new}/backup.zip --home {new}/restored")
    assert seen.commands == ["GoOnAfterRestore", "RevokeAllCredentials"]
    assert (seen.transactions, seen.commits) == (2, 2)
    assert _count_events(home) == _count_events(own.home) + 2


@pytest.mark.parametrize("name", CLI_READS)
def test_a_command_that_reads(
    own: Prepared, watch: Callable[[Path], Seen], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMKI_PKCS12_PASSPHRASE", "a passphrase")
    watch(own.home)
    _run_cli(own, CLI_READS[name])
    assert watch(own.home).is_exactly(0), watch(own.home)


def _ask(own: Prepared, smki: Smki, name: str, path: str, body: Any) -> None:
    (operation,) = (each for each in OPERATIONS if each.name == name)
    secret = own.token if name in OF_SUBSCRIBERS else own.names["dcc"]
    options: dict[str, Any] = {"headers": {"Authorization": f"Bearer {secret}"}}
    if isinstance(body, str):
        options |= {"data": body.format(**own.names), "content_type": "application/x-pem-file"}
    elif body is not None:
        options["json"] = {
            field: value.format(**own.names) if isinstance(value, str) else value for field, value in body.items()
        }
    client = create_app(smki).test_client()
    answer = client.open(f"{API}{path.format(**own.names)}", method=operation.method, **options)
    assert answer.status_code == operation.status, answer.text


@pytest.mark.parametrize("name", [*REST_WRITES, *REST_READS])
def test_an_operation(own: Prepared, watch: Callable[[Path], Seen], name: str) -> None:
    watch(own.home)
    with Smki.open(own.home) as smki:
        _ask(own, smki, name, *(REST_WRITES | REST_READS)[name])
    assert watch(own.home).is_exactly(1 if name in REST_WRITES else 0), watch(own.home)


def test_what_is_refused_before_it_is_decided_leaves_nothing(own: Prepared, watch: Callable[[Path], Seen]) -> None:
    watch(own.home)
    with pytest.raises(SmkiError):
        _run_cli(own, "accept {issued} --party LARGE-SUPPLIER")
    seen = watch(own.home)
    assert (len(seen.commands), seen.transactions, seen.commits, seen.events) == (1, 1, 0, 0)
