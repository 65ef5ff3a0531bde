"""One SMKI in one directory: opens it, and wires the other rooms of the house together.

pki/
  smki.json               what was decided when it was made
  ledger.sqlite           everything that was applied for and issued
  keys/root-oca.key …     the authorities' private keys
  keys/dcc/…              the private keys of the DCC's own certificates
  audit/2026-11-21.jsonl  what was asked of the Repository that day, by audit reference
  keys/published/…        private keys that were made to be handed out
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from smki.audit_trail import AuditTrail
from smki.authority.audit import CheckResult, check_ledger
from smki.authority.issuance import Issuance
from smki.authority.revocation_lists import POLICIES, RevocationLists
from smki.clock import Clock, FixedClock, HomeClock, RealClock, iso
from smki.configuration import CONFIGURATION_FILE, Configuration
from smki.csr import make_device_request, make_organisation_request, public_point
from smki.device import DeviceType
from smki.hierarchy import ABOVE, ISSUED_BY, Hierarchy
from smki.identity import EntityIdentifier
from smki.key import (
    Randomness,
    SeededRandomness,
    SystemRandomness,
    key_to_pem,
    passphrase_from_environment,
    write_private_file,
)
from smki.ledger import CertificateRecord, Ledger, SqliteLedger
from smki.ledger.revocation import ListRecord
from smki.problem import NotFound, NotReady, Problem
from smki.registration import Application, Issued, Registration
from smki.registration.cast import DEVICES, PARTIES, TESTING_PARTICIPANTS
from smki.registration.inquiry import Inquiry
from smki.role import CertificateKind, KeyUsage, RemotePartyRole
from smki.words import listed
from smki.x509 import encode_public_key

if TYPE_CHECKING:
    from smki.published_keys import PublishedKeys

LEDGER_FILE = "ledger.sqlite"
CLOCK_FILE = "clock.json"

SEEDED_START = datetime(2026, 1, 1, tzinfo=UTC)
"""When an SMKI made from a seed begins unless told otherwise: fixed, so that the same seed makes the same
octets on any day."""

DCC_ENTITY_IDENTIFIERS = {
    RemotePartyRole.RECOVERY: EntityIdentifier.parse("90B3D51F30000001"),
    RemotePartyRole.ACCESS_CONTROL_BROKER: EntityIdentifier.parse("90B3D51F30000002"),
    RemotePartyRole.WAN_PROVIDER: EntityIdentifier.parse("90B3D51F30000007"),
    RemotePartyRole.TRANSITIONAL_COS: EntityIdentifier.parse("90B3D51F30000004"),
}
"""Whose certificates the DCC lodges before anyone else can start (SEC L3.12), by the published test identities."""


class Smki:
    """One SMKI, open. Close it, or use it in a ``with`` statement.

    :ivar path: the directory.
    :ivar ledger: what was applied for and issued.
    :ivar clock: what time it is here.
    :ivar hierarchy: its authorities.
    """

    def __init__(self, path: Path, configuration: Configuration, ledger: Ledger, clock: Clock) -> None:
        self.path = path
        self.configuration = configuration
        self.ledger = ledger
        self.clock = clock
        self._passphrase = passphrase_from_environment()
        seed = configuration.seed
        self._randomness: Randomness = SystemRandomness() if seed is None else SeededRandomness(seed)
        issuance = Issuance(ledger, self._randomness, configuration.policy_oid)
        self._issuance = issuance
        self.hierarchy = Hierarchy(path / "keys", ledger, issuance, self._randomness, self._passphrase)

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        seed: str | None = None,
        at: datetime | None = None,
        deemed_accepted_after: timedelta = timedelta(0),
    ) -> Smki:
        """Make a new SMKI: the four authorities, then the DCC's own certificates (SEC L3.12). All of it or nothing.

        :param path: a directory that does not exist yet, or is empty.
        :param seed: makes keys, serial numbers and certificates reproducible, octet for octet.
        :param at: when it begins (UTC); now by default, with a seed :data:`SEEDED_START`.
        :param deemed_accepted_after: how long after its issue an Organisation Certificate counts as accepted.
        :raises NotReady: when there is something at *path* already or nothing can be made there.
        """
        path = Path(path).absolute()
        _refuse_occupied(path)
        start = at or (SEEDED_START if seed is not None else RealClock().now())
        workshop = path.with_name(f".{path.name}.new-{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            workshop.mkdir(mode=0o700)
            configuration = Configuration(
                iso(start), seed=seed, deemed_accepted_after=int(deemed_accepted_after.total_seconds())
            )
            _establish(workshop, configuration, FixedClock(start))
            workshop.replace(path)
        except OSError as error:
            raise NotReady(
                Problem(
                    "home.not-writable",
                    str(path),
                    error.strerror or str(error),
                    "a directory that can be made",
                    "",
                    "Choose a place where this user may write, with --home.",
                )
            ) from error
        finally:
            shutil.rmtree(workshop, ignore_errors=True)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path | str, clock: Clock | None = None) -> Smki:
        """Open the SMKI in a directory.

        :param clock: what time it is there; by default the home's own clock (:class:`~smki.clock.HomeClock`).

        :raises NotReady: when there is none.
        :raises IntegrityError: when its configuration cannot be read.
        :raises LedgerUnavailable: when its ledger cannot be opened.
        """
        path = Path(path).absolute()
        configuration = Configuration.read(path)
        return cls(path, configuration, SqliteLedger(path / LEDGER_FILE), clock or HomeClock(path / CLOCK_FILE))

    def close(self) -> None:
        """Close the ledger and the audit trail."""
        self.audit_trail.close()
        self.ledger.close()

    def __enter__(self) -> Smki:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @cached_property
    def registration(self) -> Registration:
        """The gate through which every certificate is applied for.

        :raises IntegrityError: when an issuing authority is missing.
        """
        issuers = {kind: self.hierarchy.issuing(kind) for kind in ISSUED_BY}
        deemed_accepted_after = timedelta(seconds=self.configuration.deemed_accepted_after)
        return Registration(self.ledger, self.clock, self._issuance, issuers, deemed_accepted_after)

    @cached_property
    def inquiry(self) -> Inquiry:
        """Where to ask who may subscribe for what, without applying."""
        return Inquiry(self.ledger, self.clock)

    @cached_property
    def audit_trail(self) -> AuditTrail:
        """What was asked of the Repository, and answered under which audit reference."""
        return AuditTrail(self.path / "audit")

    @cached_property
    def published_keys(self) -> PublishedKeys:
        """Private keys that were made to be handed out."""
        # Imported when wanted: few who open a home want it, and it brings every form of interchange with it.
        from smki.published_keys import PublishedKeys

        return PublishedKeys(self.path / "keys" / "published", self.ledger)

    def lists(self, kind: CertificateKind, issuer: str = "") -> RevocationLists:
        """The revocation lists of an authority of a kind: Issuing OCA (the CRL) or Root OCA (the ARL).

        :param issuer: its common name; the newest authority by default.
        :raises KeyError: for a kind that issues no lists.
        :raises NotFound: when there is no such authority.
        """
        if kind not in POLICIES:
            raise KeyError(kind)
        if not issuer:
            return RevocationLists(self.ledger, self.clock, self.hierarchy.newest(kind))
        for lists in self.all_lists(kind):
            if lists.issuer_name == issuer:
                return lists
        names = listed([lists.issuer_name for lists in self.all_lists(kind)])
        raise NotFound(
            Problem("authority.unknown", f"{kind.title} {issuer[:16]}", "there is none of that name", names, "SEC L")
        )

    def all_lists(self, *kinds: CertificateKind) -> list[RevocationLists]:
        """The lists of every authority that issues some, also of those that newer ones have taken over from.

        :param kinds: only of these kinds of authority; all by default.
        """
        records = [record for record in self.ledger.authorities() if record.kind in (kinds or POLICIES)]
        return [RevocationLists(self.ledger, self.clock, self.hierarchy.of(record)) for record in records]

    def renew_lists(self) -> list[ListRecord]:
        """Issue every list that is due, and return those that were."""
        return [made for lists in self.all_lists() if (made := lists.publish_if_due()) is not None]

    def issue_device(
        self,
        request: bytes,
        *,
        applicant: str = "",
        officer: str = "",
        on_behalf_of: str = "",
        device_type: DeviceType | None = None,
        interface: str = "python",
    ) -> Issued:
        """Apply for a Device Certificate with a certification request (DER).

        :param applicant: the id of the Party or Testing Participant that applies; by default the first that may.
        :param device_type: what the Device is, where it is not in the inventory yet.
        :raises Refused: with every reason, when it is refused.
        """
        kind = CertificateKind.DEVICE
        application = Application(kind, request, interface, applicant, officer, on_behalf_of, device_type)
        return self.registration.issue(application)

    def issue_organisation(
        self,
        request: bytes,
        *,
        applicant: str = "",
        officer: str = "",
        on_behalf_of: str = "",
        interface: str = "python",
    ) -> Issued:
        """Apply for an Organisation Certificate with a certification request (DER).

        :param applicant: the id of the Party that applies; by default the one that owns the Entity Identifier.
        :raises Refused: with every reason, when it is refused.
        """
        kind = CertificateKind.ORGANISATION
        return self.registration.issue(Application(kind, request, interface, applicant, officer, on_behalf_of))

    def make_device_request(
        self, entity: EntityIdentifier, usage: KeyUsage
    ) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
        """A new key for a Device, and the certification request (DER) for it."""
        key = self._new_key(f"device {entity} {usage.code}")
        return key, make_device_request(key, entity, usage)

    def make_organisation_request(
        self, entity: EntityIdentifier, role: RemotePartyRole, usage: KeyUsage, common_name: str | None = None
    ) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
        """A new key for an Organisation in a role, and the certification request (DER) for it."""
        key = self._new_key(f"organisation {entity} {role.label} {usage.code}")
        return key, make_organisation_request(key, entity, role, usage, common_name)

    def _new_key(self, label: str) -> ec.EllipticCurvePrivateKey:
        # With a seed the first keys of a label are those that earlier certificates have.
        number = 0
        while True:
            key = self._randomness.private_key(f"{label} {number}")
            if not self.ledger.is_certified(encode_public_key(public_point(key.public_key()))):
                return key
            number += 1

    def key_pem(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        """A key as PKCS#8 in PEM, encrypted where SMKI_KEY_PASSPHRASE was set when the home was opened."""
        return key_to_pem(key, self._passphrase)

    def authorities(self) -> list[CertificateRecord]:
        """The authorities' certificates, roots first within each hierarchy."""
        return self.ledger.authorities()

    def check(self) -> CheckResult:
        """Read everything in the ledger again and say what is wrong with it."""
        return check_ledger(self.ledger, self.configuration.policy_oid)

    def chain(self, record: CertificateRecord) -> Iterator[CertificateRecord]:
        """The certificates above one in the ledger, up to its root."""
        while record.issuer_serial_number is not None:
            above = self.ledger.certificate(record.issuer_serial_number)
            if above is None:
                return
            yield above
            record = above


def _refuse_occupied(path: Path) -> None:
    if (path / CONFIGURATION_FILE).exists():
        with Smki.open(path) as there:
            names = ", ".join(f"{record.kind.title} {record.certificate.common_name}" for record in there.authorities())
            seen = (
                f"an SMKI made at {there.configuration.created}: {names}; "
                f"{there.ledger.count_certificates()} certificates"
            )
        raise NotReady(
            Problem(
                "home.exists",
                str(path),
                seen,
                "no SMKI there yet",
                "",
                "Use it as it is, choose another directory with --home, or move this one away.",
            )
        )
    try:
        occupied = path.exists() and (not path.is_dir() or any(path.iterdir()))
    except OSError as error:
        raise NotReady(
            Problem("home.not-writable", str(path), error.strerror or str(error), "an empty directory")
        ) from error
    if occupied:
        raise NotReady(
            Problem(
                "home.occupied",
                str(path),
                "something else is there",
                "no such directory yet, or an empty one",
                "",
                "Choose another directory with --home.",
            )
        )


def _establish(path: Path, configuration: Configuration, clock: Clock) -> None:
    """Make everything that a home consists of in the empty directory *path*."""
    (path / "keys" / "dcc").mkdir(parents=True, mode=0o700)
    configuration.write(path / CONFIGURATION_FILE)
    SqliteLedger(path / LEDGER_FILE, create=True).close()
    (path / LEDGER_FILE).chmod(0o600)
    with Smki(path, configuration, SqliteLedger(path / LEDGER_FILE), clock) as smki:
        smki.ledger.register.add(*PARTIES, *TESTING_PARTICIPANTS, *DEVICES)
        for kind in ABOVE:
            smki.hierarchy.establish(kind, smki.clock.now())
        _establish_dcc(smki)
        smki.renew_lists()


def _establish_dcc(smki: Smki) -> None:
    for role, entity in DCC_ENTITY_IDENTIFIERS.items():
        for usage in role.usages:
            key, request = smki.make_organisation_request(entity, role, usage)
            name = f"{role.label}-{usage.code.lower()}.key"
            write_private_file(smki.path / "keys" / "dcc" / name, smki.key_pem(key))
            smki.issue_organisation(request, interface="init")
