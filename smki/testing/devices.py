"""Devices for tests, with certificates, keys and an entry in the Smart Metering Inventory (SMI)."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric import ec

from smki.home.smki import Smki
from smki.identity import EntityIdentifier
from smki.pki.certificate import Certificate
from smki.problem import NotFound, Problem
from smki.registration import Actor, Application, Refusal, Refused
from smki.registration.demonstration import DEVICES, TESTING_PARTICIPANTS
from smki.registration.devices import SetDeviceStatus
from smki.sec.device import Device as SmiEntry
from smki.sec.device import DeviceType, SmiStatus
from smki.sec.role import CertificateKind, KeyUsage
from smki.testing.bundle import Bundle
from smki.testing.credential import Credential
from smki.testing.organisations import Dcc, Organisation
from smki.testing.trust_anchor_cells import TrustAnchorCell, fill

MANUFACTURER = str(TESTING_PARTICIPANTS[0].participant_id)
DCC = "DCC"

NAMED_DEVICES = bytes.fromhex("00DB12")
"""The first three bytes of the Device IDs of named Devices. Assumption: those of the published test Devices may be used."""


def device_id_of(name: str) -> EntityIdentifier:
    """Return the Device ID for the name of a Device: the same for the same name."""
    return EntityIdentifier(NAMED_DEVICES + hashlib.sha256(name.encode()).digest()[:5])


@dataclass(frozen=True, slots=True, repr=False)
class DeviceUnderTest:
    """A Device with both its certificates and their keys. Immutable: methods that change something return a new one."""

    smki: Smki = field(repr=False, compare=False)
    device_type: DeviceType
    device_id: EntityIdentifier
    digital_signature: Credential
    key_agreement: Credential
    subscriber: str = MANUFACTURER
    """The id of the Party or Testing Participant that its certificates are issued to."""

    def __repr__(self) -> str:
        return f"<{self.device_type.name} {self.device_id}>"

    @classmethod
    def make(
        cls,
        smki: Smki,
        device_type: DeviceType | str,
        *,
        device_id: EntityIdentifier | str | None = None,
        name: str = "",
        applicant: str = "",
    ) -> DeviceUnderTest:
        """Issue both certificates to a Device, on new keys. The Device is added to the SMI if it is not there yet.

        :param device_type: ``ESME``, ``GSME``, ``CHF``, ``GPF``, ``PPMID``, ``HCALCS`` or ``SAPC``.
        :param device_id: its EUI-64; by default derived from *name*, and without a name that of the published test
            Device of the type.
        :param applicant: the id of the subscriber; by default the DCC for CHF and GPF, and for other types the
            manufacturer among the demonstration Parties.
        :raises Malformed: when *device_type* or *device_id* is not valid.
        :raises Refused: when the application is refused, with every reason.
        """
        device_type = DeviceType.parse(device_type) if isinstance(device_type, str) else device_type
        if isinstance(device_id, str):
            device_id = EntityIdentifier.parse(device_id)
        if device_id is None:
            device_id = device_id_of(name) if name else _published(device_type)
        (made,) = cls._make_all(smki, device_type, [device_id], applicant)
        return made

    @classmethod
    def make_many(
        cls, smki: Smki, device_type: DeviceType | str, names: Iterable[str], *, applicant: str = ""
    ) -> tuple[DeviceUnderTest, ...]:
        """Issue both certificates to many Devices of a type, in batches, which is faster than one after the other.

        Each Device is the same, to the byte, as :meth:`make` with its name would make it.

        :param names: the names of the Devices, from which their Device IDs are derived.
        :raises Malformed: when *device_type* is not valid.
        :raises Refused: when an application is refused, with every reason. Others are granted nevertheless.
        """
        device_type = DeviceType.parse(device_type) if isinstance(device_type, str) else device_type
        return tuple(cls._make_all(smki, device_type, list(map(device_id_of, names)), applicant))

    @classmethod
    def _make_all(
        cls, smki: Smki, device_type: DeviceType, device_ids: Sequence[EntityIdentifier], applicant: str
    ) -> Iterator[DeviceUnderTest]:
        who = applicant or (DCC if device_type in (DeviceType.CHF, DeviceType.GPF) else MANUFACTURER)
        # The first application of a Device adds it to the SMI if necessary; the second finds it there.
        wanted = [
            (device_id, usage, added)
            for device_id in device_ids
            for usage, added in ((KeyUsage.DIGITAL_SIGNATURE, device_type), (KeyUsage.KEY_AGREEMENT, None))
        ]
        issued = iter(_issue(smki, wanted, who))
        for device_id, signature, agreement in zip(device_ids, issued, issued, strict=True):
            yield cls(smki, device_type, device_id, signature, agreement, who)

    @property
    def credentials(self) -> tuple[Credential, Credential]:
        """The credentials for digital signature and key agreement, in this order."""
        return self.digital_signature, self.key_agreement

    @property
    def certificates(self) -> tuple[Certificate, Certificate]:
        """The certificates for digital signature and key agreement, in this order."""
        return self.digital_signature.certificate, self.key_agreement.certificate

    @property
    def smi_entry(self) -> SmiEntry:
        """Its present entry in the Smart Metering Inventory.

        :raises NotFound: when it has none.
        """
        found = self.smki.ledger.register.device(self.device_id)
        if found is None:
            raise NotFound(
                Problem(
                    code="device.unknown",
                    subject=f"Device {self.device_id}",
                    seen="not in the SMI",
                    expected="a Device that is",
                )
            )
        return found

    def become(self, status: SmiStatus | str) -> SmiEntry:
        """Change its SMI status.

        :param status: ``installed not commissioned``, ``commissioned`` and so on.
        :returns: the new entry.
        :raises Malformed: when *status* is not an SMI status.
        :raises StatusNotAllowed: when it cannot be reached from the present one.
        """
        wanted = SmiStatus.parse(status) if isinstance(status, str) else status
        return self.smki.registration.execute(SetDeviceStatus(self.device_id, wanted), Actor(interface="testing"))

    def renew(self, usage: KeyUsage | str) -> DeviceUnderTest:
        """Issue a new certificate on a new key, and return the Device with that in place of the old one.

        :param usage: ``ds`` or ``ka``.
        """
        usage = KeyUsage.parse(usage) if isinstance(usage, str) else usage
        (new,) = _issue(self.smki, [(self.device_id, usage, None)], self.subscriber)
        if usage is KeyUsage.DIGITAL_SIGNATURE:
            return replace(self, digital_signature=new)
        return replace(self, key_agreement=new)

    def trust_anchor_cells(self, *organisations: Organisation | Dcc) -> tuple[TrustAnchorCell, ...]:
        """Return its trust anchor cells with the certificates that they hold when it leaves the factory
        (:mod:`smki.testing.trust_anchor_cells`).

        :param organisations: the Organisations whose certificates to use; for all other roles, the newest certificates
            of the demonstration Parties in this SMKI.
        :raises NotFound: for a Type 2 Device, which holds no certificates.
        :raises Malformed: when one of *organisations* is not an Organisation.
        """
        return fill(self.smki, self.device_type, organisations)

    def bundle(self, *organisations: Organisation | Dcc) -> Bundle:
        """Return everything that the Device is provisioned with: its keys, its certificates and its trust anchor cells.

        :param organisations: as in :meth:`trust_anchor_cells`.
        """
        cells = self.trust_anchor_cells(*organisations)
        authorities = [record for record in self.smki.authorities() if record.kind in _DEVICE_AUTHORITIES]
        return Bundle(
            self.device_id, self.device_type, self.credentials, cells, tuple(each.certificate for each in authorities)
        )


_DEVICE_AUTHORITIES = (CertificateKind.ROOT_DCA, CertificateKind.ISSUING_DCA)


def _published(device_type: DeviceType) -> EntityIdentifier:
    for entry in DEVICES:
        if entry.device_type is device_type:
            return entry.device_id
    return device_id_of(device_type.name)  # for a type without certificates: registration refuses it with the reason


def _issue(
    smki: Smki, wanted: Sequence[tuple[EntityIdentifier, KeyUsage, DeviceType | None]], who: str
) -> Iterator[Credential]:
    """Issue certificates on new keys: for a Device, a usage and, if it is not in the SMI, its type."""
    keys: deque[ec.EllipticCurvePrivateKey] = deque()

    def applications() -> Iterator[Application]:
        for device_id, usage, device_type in wanted:
            key, request = smki.make_device_request(device_id, usage)
            keys.append(key)
            yield Application(kind=CertificateKind.DEVICE, request=request, device_type=device_type, statement=True)

    for _, outcome in smki.apply_all(applications(), Actor(interface="testing", party=who)):
        if isinstance(outcome, Refusal):
            raise Refused(*outcome.problems)
        yield Credential(smki, outcome.record.der, keys.popleft())


class DeviceFactory:
    """Makes Devices, each with a Device ID of its own. Those without a name are numbered from 1."""

    def __init__(self, smki: Smki) -> None:
        self._smki = smki
        self._made = 0

    def __call__(
        self,
        device_type: DeviceType | str = "ESME",
        *,
        name: str = "",
        device_id: EntityIdentifier | str | None = None,
        applicant: str = "",
    ) -> DeviceUnderTest:
        """Make one Device; see :meth:`DeviceUnderTest.make`."""
        number = self._next()
        return DeviceUnderTest.make(
            self._smki, device_type, name=name or number, device_id=device_id, applicant=applicant
        )

    def devices(
        self, count: int, device_type: DeviceType | str = "ESME", *, applicant: str = ""
    ) -> tuple[DeviceUnderTest, ...]:
        """Make many Devices of a type, in batches: the same ones as so many single calls, in less time.

        :raises ValueError: for a negative *count*.
        """
        if count < 0:
            raise ValueError(f"{count} Devices cannot be made")
        names = [self._next() for _ in range(count)]
        return DeviceUnderTest.make_many(self._smki, device_type, names, applicant=applicant)

    def _next(self) -> str:
        self._made += 1
        return f"{self._made}"
