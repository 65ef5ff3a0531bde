"""One SMKI, in a directory or in memory. Opens it and connects its parts.

pki/
  smki.json               the settings chosen when it was made
  ledger.sqlite           applications, certificates, revocations and all other records
  keys/root-oca.key …     the authorities' private keys
  keys/dcc/…              the private keys of the DCC's own certificates
  keys/imported/…         private keys that were imported, if any
  checkpoints/…           signed tree heads of the record of events
  extracts/…              full extracts and deltas, if any
  audit/2026-11-21.jsonl  the requests to the Repository's XML services on that day, by audit reference
  keys/published/…        private keys that were made to be published
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from smki.authority.audit import CheckResult, check_ledger
from smki.authority.certification_authority import CertificationAuthority
from smki.authority.checkpoints import Checkpoints
from smki.authority.hierarchy import Hierarchy
from smki.authority.issuance import Issuance
from smki.authority.revocation_lists import POLICIES
from smki.clock import AdjustableClock, Clock, FixedClock, HomeClock, iso
from smki.file import TemporaryPlace, workshop
from smki.home.applying import Applying
from smki.home.audit_trail import AuditTrail
from smki.home.configuration import CONFIGURATION_FILE, Configuration, beginning, refuse_occupied
from smki.home.population import dcc_key_name, populate
from smki.interchange.extracts import Extracts
from smki.interchange.importing import Importer
from smki.keys.private_key import (
    KeyDirectory,
    KeysInMemory,
    KeyStore,
    Randomness,
    SeededRandomness,
    SystemRandomness,
    encryption_from_environment,
    key_to_pem,
)
from smki.ledger import CertificateRecord, Ledger, ListRecord, NewImport
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.ledger.sqlite.memory import MemoryLedger
from smki.leftovers import left_beside, remove
from smki.os_errors import DISK_IS_FULL, remedy_for
from smki.pki.certificate import Certificate
from smki.problem import NotReady, Problem
from smki.registration import Actor, Registration
from smki.registration.command import Settings
from smki.registration.imports import Import
from smki.registration.questions import Questions
from smki.registration.revocation_lists import IssuedLists, lists_of_issuer
from smki.sec.recorded_test import ParticipationMode
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole
from smki.workers import Workers

if TYPE_CHECKING:
    from smki.home.published_keys import PublishedKeys

LEDGER_FILE = "ledger.sqlite"
CLOCK_FILE = "clock.json"
EXTRACTS = "extracts"
CHECKPOINTS = "checkpoints"


class Smki(Applying):
    """An open SMKI. Close it, or use it in a ``with`` statement.

    :ivar ledger: its records.
    :ivar registration: runs the commands that change the records.
    :ivar clock: its clock.
    :ivar hierarchy: its authorities.
    """

    def __init__(
        self,
        place: Path | TemporaryPlace,
        configuration: Configuration,
        ledger: Ledger,
        clock: Clock,
        keys: KeyStore | None = None,
        workers: Workers | None = None,
    ) -> None:
        self._place = place
        self._is_in_memory = not isinstance(place, Path)
        self.configuration = configuration
        self.ledger = ledger
        self.clock = clock
        self._passphrase = encryption_from_environment(place / "keys" if isinstance(place, Path) else None)
        seed = configuration.seed
        self._randomness: Randomness = SystemRandomness() if seed is None else SeededRandomness(seed)
        self._workers = workers or Workers()
        self._keys: KeyStore = keys or KeyDirectory(self.path / "keys", self._passphrase)
        self.hierarchy = Hierarchy(self._keys, self._randomness)
        self.registration = Registration(
            ledger,
            clock,
            self.hierarchy,
            Issuance(self._randomness, configuration.policy_oid),
            Settings(deemed_accepted_after=timedelta(seconds=configuration.deemed_accepted_after)),
            lambda number, event: None if self._is_in_memory else self.checkpoints.appended(number, event),
        )

    @property
    def path(self) -> Path:
        """The directory; for an SMKI in memory a temporary one, created on first use and removed on closing."""
        return self._place if isinstance(self._place, Path) else self._place.path

    @classmethod
    def in_memory(cls, *, seed: str | None = None, at: datetime | None = None, clock: Clock | None = None) -> Smki:
        """Make a new SMKI in memory, which is lost when it is closed. Its contents are those of :meth:`create`.

        :param seed: makes keys, serial numbers and certificates reproducible, as with :meth:`create`.
        :param at: when it begins (UTC); by default now or, with a seed, :data:`~smki.home.configuration.SEEDED_START`.
        :param clock: its clock; by default an :class:`~smki.clock.AdjustableClock`, which with a seed stands at the
            beginning.
        """
        start = beginning(seed, at)
        ledger, keys, place = MemoryLedger(), KeysInMemory(), TemporaryPlace()
        configuration = Configuration(iso(start), seed=seed)
        populate(cls(place, configuration, ledger, FixedClock(start), keys), keys)
        if clock is None:
            clock = AdjustableClock(start if seed is not None or at is not None else None)
        return cls(place, configuration, ledger, clock, keys)

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        seed: str | None = None,
        at: datetime | None = None,
        deemed_accepted_after: timedelta = timedelta(0),
        participants: ParticipationMode = ParticipationMode.OPEN,
    ) -> Smki:
        """Make a new SMKI: the four authorities, then the DCC's own certificates (SEC L3.12). If this fails, nothing
        remains.

        :param path: a directory that does not exist yet, or is empty.
        :param seed: makes keys, serial numbers and certificates reproducible, byte for byte.
        :param at: when it begins (UTC); by default now or, with a seed, :data:`~smki.home.configuration.SEEDED_START`.
        :param deemed_accepted_after: time after its issue at which an Organisation Certificate is deemed accepted.
        :param participants: whether a Party needs a recorded test to have Test Certificates.
        :raises NotReady: if *path* already contains something, or the directory cannot be made.
        """
        path = Path(path).absolute()
        _refuse_existing(path)
        refuse_occupied(path)
        start, seconds = beginning(seed, at), int(deemed_accepted_after.total_seconds())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for abandoned in left_beside(path):
                remove(abandoned)
            with workshop(path) as place:
                configuration = Configuration(iso(start), seed=seed, deemed_accepted_after=seconds)
                _establish(place, configuration, FixedClock(start), participants)
                place.replace(path)
        except OSError as error:
            seen, expected = error.strerror or str(error), "a directory that can be made"
            remedy = remedy_for(error) if error.errno in DISK_IS_FULL else ""
            raise NotReady(
                Problem(code="home.not-writable", subject=str(path), seen=seen, expected=expected, remedy=remedy)
            ) from error
        return cls.open(path)

    @classmethod
    def open(cls, path: Path | str, clock: Clock | None = None) -> Smki:
        """Open the SMKI in a directory.

        :param clock: its clock; by default the home's own (:class:`~smki.clock.HomeClock`).
        :raises NotReady: if there is none.
        :raises IntegrityError: if its configuration cannot be read.
        :raises LedgerUnavailable: if its ledger cannot be opened.
        """
        path = Path(path).absolute()
        configuration = Configuration.read(path)
        return cls(path, configuration, SqliteLedger(path / LEDGER_FILE), clock or HomeClock(path / CLOCK_FILE))

    def with_clock(self, clock: Clock) -> Smki:
        """Return the same SMKI with another clock. Ledger and keys are shared; closing one closes both."""
        return Smki(self._place, self.configuration, self.ledger, clock, self._keys, self._workers)

    def close(self) -> None:
        """Close the ledger and the audit trail, and stop worker processes."""
        self._workers.close()
        if "audit_trail" in vars(self):
            self.audit_trail.close()
        self.ledger.close()
        if isinstance(self._place, TemporaryPlace):
            self._place.remove()

    def __enter__(self) -> Smki:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @cached_property
    def inquiry(self) -> Questions:
        """Answers who may subscribe for what, without applying."""
        return Questions(self.ledger, self.clock)

    def importer(
        self, issuers: Sequence[Certificate] = (), *, only_conformant: bool = False, interface: str = "python"
    ) -> Importer:
        """Return an importer of certificates issued elsewhere (see :class:`~smki.interchange.importing.Importer`)."""
        policy = self.configuration.policy_oid

        def store(certificates: tuple[NewImport, ...]) -> None:
            self.registration.execute(Import(certificates), Actor(interface=interface))

        return Importer(self.ledger, store, policy, issuers, only_conformant=only_conformant)

    def write_imported_keys(self, importer: Importer) -> list[Path]:
        """Write the private keys that an importer found to ``keys/imported``, and return the files."""
        return importer.write_keys(self.path / "keys" / "imported", self._passphrase)

    @cached_property
    def extracts(self) -> Extracts:
        """Full extracts of the issued certificates, and the deltas between them, as files."""
        return Extracts(self.path / EXTRACTS, self.ledger, self.clock)

    @cached_property
    def audit_trail(self) -> AuditTrail:
        """The records of requests to the Repository's XML services, by audit reference."""
        return AuditTrail(self.path / "audit")

    @cached_property
    def published_keys(self) -> PublishedKeys:
        """Private keys that were made to be published."""
        # Imported on first use: it is rarely needed, and imports every format of interchange.
        from smki.home.published_keys import PublishedKeys

        return PublishedKeys(self.path / "keys" / "published", self.ledger)

    def lists(self, kind: CertificateKind, issuer: str = "", *, interface: str = "python") -> IssuedLists:
        """Return the revocation lists of an authority of a kind: Issuing OCA (CRL) or Root OCA (ARL).

        :param issuer: its common name; the newest authority by default.
        :param interface: the interface to record if a list is issued.
        :raises KeyError: for a kind that issues no lists.
        :raises NotFound: if there is no such authority.
        """
        if kind not in POLICIES:
            raise KeyError(kind)
        if not issuer:
            return self._issued_lists(self.hierarchy.newest(self.ledger, kind), interface)
        return lists_of_issuer(self.all_lists(kind, interface=interface), kind, issuer)

    def all_lists(self, *kinds: CertificateKind, interface: str = "python") -> list[IssuedLists]:
        """Return the lists of every authority that issues lists, including authorities that newer ones have replaced.

        :param kinds: only of these kinds of authority; all by default.
        """
        records = [record for record in self.ledger.authorities() if record.kind in (kinds or POLICIES)]
        return [self._issued_lists(self.hierarchy.of(record), interface) for record in records]

    def _issued_lists(self, authority: CertificationAuthority, interface: str) -> IssuedLists:
        return IssuedLists(self.registration, self.ledger, self.clock, authority, Actor(interface=interface))

    def renew_lists(self, *, interface: str = "python") -> list[ListRecord]:
        """Issue every list that is due, and return the new lists."""
        lists = self.all_lists(interface=interface)
        return [made for each in lists if (made := each.publish_if_due()) is not None]

    def dcc_key(self, role: RemotePartyRole, usage: KeyUsage) -> ec.EllipticCurvePrivateKey:
        """Return the private key of a certificate that the DCC lodged when the SMKI was made.

        :raises NotFound: if it lodged none of that role and usage.
        """
        return self._keys.read(dcc_key_name(role, usage))

    def key_pem(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        """Return a key as PKCS#8 in PEM, encrypted if SMKI_KEY_PASSPHRASE was set when the home was opened."""
        return key_to_pem(key, self._passphrase)

    def authorities(self) -> list[CertificateRecord]:
        """Return the authorities' certificates, roots first within each hierarchy."""
        return self.ledger.authorities()

    def check(self, *, since: int = 0, report: Callable[[int, int], None] = lambda done, total: None) -> CheckResult:
        """Check everything in the ledger, and its checkpoints (see :func:`~smki.authority.audit.check_ledger`)."""
        check = partial(check_ledger, self.ledger, since=since, report=report, now=self.clock.now())
        if self._is_in_memory:  # without checkpoints, unless they were asked for
            return check(self.checkpoints.problems if "checkpoints" in vars(self) else tuple)
        return check(self.checkpoints.problems, again=partial(SqliteLedger, self.path / LEDGER_FILE))

    @cached_property
    def checkpoints(self) -> Checkpoints:
        """The signed tree heads of the record."""
        return Checkpoints(self.path / CHECKPOINTS, self.ledger, self._keys, self._randomness)

    def chain(self, record: CertificateRecord) -> Iterator[CertificateRecord]:
        """Yield the certificates above a certificate in the ledger, up to its root."""
        while record.issuer_serial_number is not None:
            above = self.ledger.certificate(record.issuer_serial_number)
            if above is None:
                return
            yield above
            record = above


def _refuse_existing(path: Path) -> None:
    if not (path / CONFIGURATION_FILE).exists():
        return
    with Smki.open(path) as there:
        names = ", ".join(f"{record.kind.title} {record.certificate.common_name}" for record in there.authorities())
        made, count = there.configuration.created, there.ledger.count_certificates()
        seen = f"an SMKI made at {made}: {names}; {count} certificates"
    raise NotReady(Problem(code="home.exists", subject=str(path), seen=seen, expected="a directory without an SMKI"))


def _establish(path: Path, configuration: Configuration, clock: Clock, participants: ParticipationMode) -> None:
    """Make the contents of a home in the empty directory *path*."""
    (path / "keys" / "dcc").mkdir(parents=True, mode=0o700)
    configuration.write(path / CONFIGURATION_FILE)
    SqliteLedger(path / LEDGER_FILE, create=True).close()
    (path / LEDGER_FILE).chmod(0o600)
    with Smki(path, configuration, SqliteLedger(path / LEDGER_FILE), clock) as smki:
        populate(smki, smki._keys, participants)
