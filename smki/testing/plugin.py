"""The pytest plugin: fixtures, options and markers. See docs/testing-devices.md.

pytest loads this module wherever smki is installed. It therefore imports nothing else of smki until a fixture is used,
and has no hook that is called while tests run, except with ``--smki-keep``: a test that uses none of the fixtures is not
affected by the plugin.

Every key, serial number, Device ID and list follows from the seed, the moment at which the SMKI begins, and what the
test itself does. Each test has a new SMKI, so that nothing follows from other tests.
"""

from __future__ import annotations

import secrets
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from smki.testing.marks import MARKERS, SMKI_OF_TEST, selected_defects, smki_options

if TYPE_CHECKING:
    from smki.home.smki import Smki
    from smki.registration.revocation import Revoked
    from smki.relying_party import RelyingParty
    from smki.testing.clock import ClockControl
    from smki.testing.defective import DefectiveCertificate
    from smki.testing.devices import DeviceFactory, DeviceUnderTest
    from smki.testing.faults import Faults, RemoteFaults
    from smki.testing.organisations import Dcc, Manufacturer, Organisation
    from smki.testing.repository import Repository
    from smki.testing.template import SmkiFactory


@dataclass(slots=True)
class PluginSettings:
    """The options of a test run."""

    seed: str
    repository: str | None
    """The URL given with ``--smki-repository``."""

    @property
    def reproduce(self) -> str:
        """The seed, and the option, quoted for a shell, that makes the same certificates again."""
        return f"seed {self.seed}: the same certificates again with --smki-seed={shlex.quote(self.seed)}"


SETTINGS = pytest.StashKey[PluginSettings]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and the setting ``smki_seed`` of the configuration file."""
    group = parser.getgroup("smki", "certificates of the Smart Metering Key Infrastructure")
    group.addoption("--smki-seed", metavar="TEXT", help="make the same keys and certificates as a run with that seed")
    group.addoption("--smki-keep", metavar="DIR", help="write the certificates of failed tests to DIR")
    group.addoption("--smki-repository", metavar="URL", help="let smki_repository use a Repository that is running")
    parser.addini("smki_seed", "the seed where --smki-seed is not given; by default a new one for each run")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, read the options and choose the seed."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    seed = str(config.getoption("--smki-seed") or config.getini("smki_seed") or secrets.token_hex(4))
    config.option.smki_seed = seed  # pytest-xdist hands the options to its workers: all use the same seed
    repository = config.getoption("--smki-repository")
    if repository is not None and not _is_url(repository):
        raise pytest.UsageError(
            f"--smki-repository: {repository!r} is not a URL; write http://127.0.0.1:8083, for example"
        )
    config.stash[SETTINGS] = PluginSettings(seed, repository.rstrip("/") if repository else None)
    keep = config.getoption("--smki-keep")
    if keep is not None:
        if not keep or (config.invocation_params.dir / keep).is_file():
            raise pytest.UsageError(f"--smki-keep: {keep!r} is not a directory; name one, which is made if necessary")
        from smki.testing.keep import KeepCertificates

        config.pluginmanager.register(KeepCertificates(config.invocation_params.dir / keep), "smki-keep")


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number, or too large
        return False


def pytest_report_header(config: pytest.Config) -> str:
    """Return the seed, and how to make the same certificates again."""
    settings = config.stash[SETTINGS]
    repository = f", repository {settings.repository}" if settings.repository else ""
    return f"smki: {settings.reproduce}{repository}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize the tests that use ``defective_certificate``."""
    # Called for every test function that is collected: pytest has no other hook for values that depend on a marker.
    if "defective_certificate" in metafunc.fixturenames:
        defects = selected_defects(metafunc)
        names = [defect.name for defect in defects]
        metafunc.parametrize("defective_certificate", defects, indirect=True, ids=names)


@pytest.fixture(scope="session")
def smki_factory(request: pytest.FixtureRequest) -> SmkiFactory:
    """Makes SMKIs for fixtures of wider scope: ``with smki_factory() as smki``, with ``seed=…`` or ``at=…`` if wanted."""
    from smki.testing.template import SmkiFactory

    return SmkiFactory(request.config.stash[SETTINGS].seed)


@pytest.fixture
def smki(request: pytest.FixtureRequest, smki_factory: SmkiFactory) -> Iterator[Smki]:
    """A whole SMKI in memory, new for this test, with its clock stopped at its beginning."""
    with smki_factory(**smki_options(request.node)) as made:
        request.node.add_report_section("setup", "smki", request.config.stash[SETTINGS].reproduce)
        request.node.stash[SMKI_OF_TEST] = made
        yield made
        del request.node.stash[SMKI_OF_TEST]


@pytest.fixture(scope="session")
def _smki_homes() -> Iterator[Callable[[Smki], Path]]:
    """Makes the directory that corresponds to an SMKI, once for each seed and beginning."""
    from smki.home.smki import Smki
    from smki.leftovers import temporary_directory
    from smki.testing.clock import ClockControl

    made: dict[tuple[str | None, str], Path] = {}
    with temporary_directory("pytest") as directory:

        def home_of(smki: Smki) -> Path:
            key = smki.configuration.seed, smki.configuration.created
            if key not in made:
                home = directory / str(len(made))
                with Smki.create(home, seed=smki.configuration.seed, at=_beginning(smki)) as new:
                    ClockControl(new).freeze(_beginning(smki))
                made[key] = home
            return made[key]

        yield home_of


@pytest.fixture
def smki_home(smki: Smki, _smki_homes: Callable[[Smki], Path]) -> Iterator[Path]:
    """The directory of an SMKI on disk, new for this test, with the authorities and the clock that ``smki`` begins with."""
    from smki.leftovers import temporary_directory

    with temporary_directory("pytest") as directory:
        home = directory / "pki"
        shutil.copytree(_smki_homes(smki), home)
        yield home


def _beginning(smki: Smki) -> datetime:
    from smki.clock import parse_moment

    return parse_moment(smki.configuration.created)


@pytest.fixture
def smki_repository(request: pytest.FixtureRequest, smki: Smki) -> Iterator[Repository]:
    """The Repository of ``smki``, served on a free port of the loopback address: what a test issues is there at once.

    With ``--smki-repository URL``, the Repository that is running there, which serves another SMKI than ``smki``.
    """
    from smki.testing.repository import Repository, reachable, serving

    url = request.config.stash[SETTINGS].repository
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
    """Makes ``smki_repository`` misbehave: ``smki_faults.set(Fault(FaultKind.STATUS, path="/crl/*", status=500, count=1))``.

    Every fault is cleared after the test.
    """
    faults = smki_repository.faults
    assert faults is not None
    faults.clear()  # fails if a Repository that is already running has no faults, and clears those left there
    yield faults
    faults.clear()


@pytest.fixture
def smki_clock(smki: Smki) -> ClockControl:
    """Sets the time for ``smki``, its Repository and ``relying_party``."""
    from smki.testing.clock import ClockControl

    return ClockControl(smki)


@pytest.fixture
def relying_party(smki: Smki) -> RelyingParty:
    """A Relying Party that trusts the roots of ``smki``, uses its clock, and always has its current lists."""
    from smki.testing.reliance import relying_party

    return relying_party(smki)


@pytest.fixture
def revoke(smki: Smki) -> Callable[..., tuple[Revoked, ...]]:
    """Revokes a certificate, or all those of an Organisation, and issues the list with the revocation.

    ``revoke(certificate, reason="key-compromised", publish=True)``: see :func:`smki.testing.revocation.revoke`.
    """
    from smki.testing.revocation import revoke

    def revoke_here(certificate: Any, reason: str = "key-compromised", *, publish: bool = True) -> tuple[Revoked, ...]:
        return revoke(smki, certificate, reason, publish=publish)

    return revoke_here


@pytest.fixture
def defective_certificate(request: pytest.FixtureRequest, smki: Smki) -> DefectiveCertificate:
    """Each defect of the catalogue in turn; ``@pytest.mark.smki_defects`` selects them."""
    from smki.testing.defective import DefectiveCertificate, sample_pki

    return DefectiveCertificate(request.param, sample_pki(_beginning(smki), smki.configuration.seed))


@pytest.fixture
def dcc(smki: Smki) -> Dcc:
    """The DCC, in each role in which it has certificates of its own."""
    from smki.testing.organisations import Dcc

    return Dcc.of(smki)


@pytest.fixture
def access_control_broker(dcc: Dcc) -> Organisation:
    """The DCC in the role of Access Control Broker."""
    return dcc.access_control_broker


@pytest.fixture
def supplier(smki: Smki) -> Organisation:
    """A Supplier with certificates for digital signature, key agreement, and key agreement for prepayment top-up."""
    from smki.testing.organisations import Organisation

    return Organisation.make(smki, "supplier")


@pytest.fixture
def network_operator(smki: Smki) -> Organisation:
    """An electricity Network Operator with certificates for digital signature and key agreement."""
    from smki.testing.organisations import Organisation

    return Organisation.make(smki, "networkOperator")


@pytest.fixture
def manufacturer(smki: Smki) -> Manufacturer:
    """The manufacturer to which the certificates of meters and Type 1 Devices are issued."""
    from smki.testing.organisations import Manufacturer

    return Manufacturer.of(smki)


@pytest.fixture
def device_factory(smki: Smki) -> DeviceFactory:
    """Makes more Devices, each with a Device ID of its own.

    ``device_factory(device_type="ESME", name="", device_id=None, applicant="")`` makes one: see
    :meth:`smki.testing.devices.DeviceUnderTest.make`. ``device_factory.devices(1000, "GSME")`` makes many at once, which is
    faster. Devices without a name are numbered: the first has the same Device ID in every test.
    """
    from smki.testing.devices import DeviceFactory

    return DeviceFactory(smki)


def _device_fixture(device_type: str, description: str) -> Any:
    def device(smki: Smki) -> DeviceUnderTest:
        from smki.testing.devices import DeviceUnderTest

        return DeviceUnderTest.make(smki, device_type)

    device.__doc__ = f"{description}, with the Device ID of the published test {device_type}."
    return pytest.fixture(name=device_type.lower())(device)


esme = _device_fixture("ESME", "An Electricity Smart Meter")
gsme = _device_fixture("GSME", "A Gas Smart Meter")
chf = _device_fixture("CHF", "A Communications Hub Function")
gpf = _device_fixture("GPF", "A Gas Proxy Function")
ppmid = _device_fixture("PPMID", "A Prepayment Meter Interface Device")
hcalcs = _device_fixture("HCALCS", "A HAN Connected Auxiliary Load Control Switch")
sapc = _device_fixture("SAPC", "A Standalone Auxiliary Proportional Controller")
