"""The pytest plugin: an SMKI in memory, Parties and Devices with certificates, defects, a Repository. See
docs/testing-devices.md.

pytest loads this module wherever smki is installed, so it imports nothing of smki until a fixture is used.

**What follows from the seed.** Every key, and so every serial number, every Device ID that a test does not choose and
every list follows from the seed, from the moment at which the SMKI begins, and from what the test itself does: never from
other tests, for what a test or a fixture did is undone when it ends.
"""

from __future__ import annotations

import secrets
import shlex
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from smki.testing.layers import Layers
from smki.testing.marks import MARKERS, World, marked_defects, marked_world, world_id

if TYPE_CHECKING:
    from smki.home.smki import Smki
    from smki.identity import EntityIdentifier
    from smki.registration.revocation import Revoked
    from smki.relying_party import RelyingParty
    from smki.testing.clock import ClockControl
    from smki.testing.defective import DefectiveCertificate
    from smki.testing.devices import Device
    from smki.testing.faults import Faults, RemoteFaults
    from smki.testing.organisations import Dcc, Manufacturer, Organisation
    from smki.testing.repository import Repository


@dataclass(slots=True)
class Session:
    """What the plugin knows during a run."""

    seed: str
    repository: str | None
    keep: Path | None
    layers: Layers = field(default_factory=Layers)
    """What is to be undone of the SMKI that is in use."""

    @property
    def how_again(self) -> str:
        """The seed, and the option for a shell that makes the same again."""
        return f"seed {self.seed}: the same certificates again with --smki-seed={shlex.quote(self.seed)}"


SESSION = pytest.StashKey[Session]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and the seed in the configuration file."""
    group = parser.getgroup("smki", "certificates of the Smart Metering Key Infrastructure")
    group.addoption("--smki-seed", metavar="TEXT", help="make the same keys and certificates as a run with that seed")
    group.addoption("--smki-keep", metavar="DIR", help="leave the certificates of tests that fail in DIR")
    group.addoption("--smki-repository", metavar="URL", help="have smki_repository use one that is running")
    parser.addini("smki_seed", "the seed where --smki-seed is not given; by default a new one for each run")


def pytest_configure(config: pytest.Config) -> None:
    """Settle the seed, the same for every worker of pytest-xdist."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    seed = config.getoption("--smki-seed") or worker.get("smki_seed") or config.getini("smki_seed")
    repository = config.getoption("--smki-repository")
    if repository is not None and not _is_url(repository):
        raise pytest.UsageError(f"--smki-repository: {repository!r} is no URL; write it like http://127.0.0.1:8083")
    keep = config.getoption("--smki-keep")
    if keep is not None and (not keep or (config.invocation_params.dir / keep).is_file()):
        raise pytest.UsageError(f"--smki-keep: {keep!r} is no directory; name one, which is made where there is none")
    config.stash[SESSION] = Session(
        str(seed or secrets.token_hex(4)),
        repository.rstrip("/") if repository else None,
        config.invocation_params.dir / keep if keep else None,
    )


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or too great
        return False


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist the seed."""
    node.workerinput["smki_seed"] = node.config.stash[SESSION].seed


def pytest_report_header(config: pytest.Config) -> str:
    """The seed, and how to have the same again."""
    session = config.stash[SESSION]
    repository = f", repository {session.repository}" if session.repository else ""
    return f"smki: {session.how_again}{repository}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a marked test an SMKI of its own, and a test of defects every one of them."""
    world = marked_world(metafunc, metafunc.config.stash[SESSION].seed)
    if world is not None:
        if "smki" not in metafunc.fixturenames:  # it may yet ask for it by request.getfixturevalue
            metafunc.fixturenames.append("smki")
        # Session scope: tests of the same world share it, and pytest runs them one after the other.
        metafunc.parametrize("smki", [world], indirect=True, scope="session", ids=[world_id(world)])
    if "defective_certificate" in metafunc.fixturenames:
        defects = marked_defects(metafunc)
        names = [defect.name for defect in defects]
        metafunc.parametrize("defective_certificate", defects, indirect=True, ids=names)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Tell a failed test's seed, and leave its certificates behind where that was asked for."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    session = item.config.stash[SESSION]
    undo = session.layers.undo
    if report.failed and call.when != "teardown" and undo is not None and _uses_smki(item):
        text = session.how_again
        if session.keep is not None:
            from smki.testing.keep import keep

            arguments: dict[str, object] = getattr(item, "funcargs", {})
            try:
                text += f"\ncertificates in {keep(session.keep, item.nodeid, undo.smki, arguments)}"
            except OSError as error:  # the test's own failure is what is to be reported
                text += f"\ncertificates could not be left in {session.keep}: {error}"
        report.sections.append(("smki", text))
    return report  # type: ignore[return-value]


def _uses_smki(item: pytest.Item) -> bool:
    return "smki" in getattr(item, "fixturenames", ())


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """What a fixture of wider scope does to the SMKI is undone when it ends."""
    if fixturedef.scope == "function":  # undone with its test
        return (yield)
    layers = request.config.stash[SESSION].layers
    layer = layers.enter(fixturedef.scope)
    # Finalizers are run from the last one added on: what the fixture itself does at its end comes before.
    fixturedef.addfinalizer(lambda: layers.leave(layer))
    try:
        return (yield)
    finally:
        layers.is_set_up(layer)


@pytest.fixture(autouse=True)
def _smki_undo(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test does to the SMKI is undone when it ends."""
    layers = request.config.stash[SESSION].layers
    layer = layers.enter("function")
    yield
    layers.leave(layer)


@pytest.fixture(scope="session")
def smki(request: pytest.FixtureRequest) -> Iterator[Smki]:
    """A whole SMKI in memory, its clock standing still at its beginning. What a test does to it is undone afterwards."""
    from smki.home.smki import Smki
    from smki.testing.undo import Undo

    session = request.config.stash[SESSION]
    world: World = getattr(request, "param", None) or World(session.seed)
    with Smki.in_memory(seed=world.seed, at=world.at) as made:
        session.layers.use(Undo(made))
        yield made
        session.layers.use(None)


@pytest.fixture(scope="session")
def _smki_home_made(smki: Smki) -> Iterator[Path]:
    from smki.home.smki import Smki
    from smki.testing.clock import ClockControl

    with tempfile.TemporaryDirectory(prefix="smki-") as directory:
        home = Path(directory) / "pki"
        with Smki.create(home, seed=smki.configuration.seed, at=_beginning(smki)) as made:
            ClockControl(made).freeze(_beginning(smki))
        yield home


@pytest.fixture
def smki_home(_smki_home_made: Path) -> Iterator[Path]:
    """The directory of an SMKI on disk, for this test alone: the same authorities and clock as ``smki``."""
    with tempfile.TemporaryDirectory(prefix="smki-") as directory:
        home = Path(directory) / "pki"
        shutil.copytree(_smki_home_made, home)
        yield home


def _beginning(smki: Smki) -> datetime:
    from smki.clock import parse_moment

    return parse_moment(smki.configuration.created)


@pytest.fixture(scope="session")
def smki_repository(request: pytest.FixtureRequest, smki: Smki) -> Iterator[Repository]:
    """The Repository of ``smki``, served on a free port of the loopback address: what a test issues is there at once.

    With ``--smki-repository URL`` the one that is running there, whose SMKI is not ``smki``.
    """
    from smki.testing.repository import Repository, reachable, serving

    url = request.config.stash[SESSION].repository
    if url is None:
        with serving(smki) as served:
            yield served
        return
    problem = reachable(url)
    if problem:
        pytest.fail(f"--smki-repository {url}: {problem}", pytrace=False)
    from smki.testing.faults import RemoteFaults

    yield Repository(url, faults=RemoteFaults(url))


@pytest.fixture
def smki_faults(smki_repository: Repository) -> Iterator[Faults | RemoteFaults]:
    """Has ``smki_repository`` misbehave: ``smki_faults.set(Fault(FaultKind.STATUS, path="/crl/*", status=500, count=1))``.

    Every fault is cleared after the test.
    """
    faults = smki_repository.faults
    assert faults is not None
    faults.clear()  # one that somebody else started may have been left with some, or cannot misbehave at all
    yield faults
    faults.clear()


@pytest.fixture
def smki_clock(smki: Smki) -> ClockControl:
    """Sets what time it is for ``smki``, its Repository and ``relying_party``; as it was again after the test."""
    from smki.testing.clock import ClockControl

    return ClockControl(smki)


@pytest.fixture
def relying_party(smki: Smki) -> RelyingParty:
    """A Relying Party that trusts the roots of ``smki``, with its clock and its lists as they are when it is asked."""
    from smki.testing.reliance import relying_party

    return relying_party(smki)


@pytest.fixture
def revoke(smki: Smki) -> Callable[..., tuple[Revoked, ...]]:
    """Revokes a certificate, or every one of an Organisation, and issues the list that says so.

    ``revoke(certificate, reason="key-compromised", publish=True)``: see :func:`smki.testing.revocation.revoke`.
    """
    from smki.testing.revocation import revoke

    def revoke_here(certificate: Any, reason: str = "key-compromised", *, publish: bool = True) -> tuple[Revoked, ...]:
        return revoke(smki, certificate, reason, publish=publish)

    return revoke_here


@pytest.fixture
def defective_certificate(request: pytest.FixtureRequest, smki: Smki) -> DefectiveCertificate:
    """One defect of the catalogue after the other; ``@pytest.mark.smki_defects`` says which."""
    from smki.testing.defective import DefectiveCertificate, sample_pki

    return DefectiveCertificate(request.param, sample_pki(_beginning(smki), smki.configuration.seed))


@pytest.fixture
def dcc(smki: Smki) -> Dcc:
    """The DCC in the roles in which it lodges certificates."""
    from smki.testing.organisations import Dcc

    return Dcc.of(smki)


@pytest.fixture
def access_control_broker(dcc: Dcc) -> Organisation:
    """The DCC as Access Control Broker."""
    return dcc.access_control_broker


@pytest.fixture
def supplier(smki: Smki) -> Organisation:
    """A Supplier: digital signature, key agreement, key agreement for prepayment top-up."""
    from smki.testing.organisations import Organisation

    return Organisation.make(smki, "supplier")


@pytest.fixture
def network_operator(smki: Smki) -> Organisation:
    """An electricity Network Operator."""
    from smki.testing.organisations import Organisation

    return Organisation.make(smki, "networkOperator")


@pytest.fixture
def manufacturer(smki: Smki) -> Manufacturer:
    """The manufacturer that subscribes for the certificates of meters and Type 1 Devices."""
    from smki.testing.organisations import Manufacturer

    return Manufacturer.of(smki)


@pytest.fixture
def device_factory(smki: Smki) -> Callable[..., Device]:
    """Makes further Devices, each with another Device ID.

    ``device_factory(device_type="ESME", name="", device_id=None, applicant="")``: see
    :meth:`smki.testing.devices.Device.make`. Without a name, the first of a test is the same as in every other test.
    """
    from smki.testing.devices import Device

    made = 0

    def make(
        device_type: str = "ESME",
        *,
        name: str = "",
        device_id: EntityIdentifier | str | None = None,
        applicant: str = "",
    ) -> Device:
        nonlocal made
        made += 1
        name = name or f"{made}"
        return Device.make(smki, device_type, name=name, device_id=device_id, applicant=applicant)

    return make


def _device_fixture(device_type: str, description: str) -> Any:
    def device(smki: Smki) -> Device:
        from smki.testing.devices import Device

        return Device.make(smki, device_type)

    device.__doc__ = f"{description}, with the Device ID of the published test {device_type}."
    return pytest.fixture(name=device_type.lower())(device)


esme = _device_fixture("ESME", "An Electricity Smart Meter")
gsme = _device_fixture("GSME", "A Gas Smart Meter")
chf = _device_fixture("CHF", "A Communications Hub Function")
gpf = _device_fixture("GPF", "A Gas Proxy Function")
ppmid = _device_fixture("PPMID", "A Prepayment Meter Interface Device")
hcalcs = _device_fixture("HCALCS", "A HAN Connected Auxiliary Load Control Switch")
sapc = _device_fixture("SAPC", "A Standalone Auxiliary Proportional Controller")
