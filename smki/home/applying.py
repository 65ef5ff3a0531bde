"""Applications for certificates in an open SMKI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cryptography.hazmat.primitives.asymmetric import ec

from smki.identity import EntityIdentifier
from smki.keys.private_key import Randomness
from smki.ledger import Ledger
from smki.pki.request import make_device_request, make_organisation_request, public_point
from smki.pki.x509 import encode_public_key
from smki.registration import Actor, Application, Apply, Issued, Refusal, Refused, Registration
from smki.registration.batches import apply_in_batches
from smki.sec.device import DeviceType
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole
from smki.workers import Workers


class Applying:
    """The part of an open SMKI that makes requests and applies with them."""

    ledger: Ledger
    registration: Registration
    _randomness: Randomness
    _workers: Workers

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

        :param applicant: the id of the Party or Testing Participant that applies; by default the first that is
            eligible.
        :param device_type: the type of a Device that is not yet in the inventory.
        :raises Refused: with every reason, if it is refused.
        """
        kind = CertificateKind.DEVICE
        actor = Actor(interface=interface, party=applicant, officer=officer, on_behalf_of=on_behalf_of)
        return self.issue(Application(kind=kind, request=request, device_type=device_type), actor)

    def issue_devices(
        self,
        requests: Iterable[bytes],
        *,
        applicant: str = "",
        officer: str = "",
        on_behalf_of: str = "",
        device_type: DeviceType | None = None,
        interface: str = "python",
    ) -> Iterator[Issued | Refusal]:
        """Apply for Device Certificates with any number of certification requests (DER), and return the outcomes in the
        same order, each once it is durable.

        Parameters are those of :meth:`issue_device`. The work is divided among the cores if there are several hundred.
        """
        kind = CertificateKind.DEVICE
        actor = Actor(interface=interface, party=applicant, officer=officer, on_behalf_of=on_behalf_of)
        applications = (Application(kind=kind, request=request, device_type=device_type) for request in requests)
        return (outcome for _, outcome in self.apply_all(applications, actor))

    def apply_all(
        self, applications: Iterable[Application], actor: Actor
    ) -> Iterator[tuple[Application, Issued | Refusal]]:
        """Apply for any number of certificates, and return each application with its outcome once that is durable (see
        :func:`~smki.registration.batches.apply_in_batches`)."""
        return apply_in_batches(self.registration, applications, actor, self._workers)

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
        :raises Refused: with every reason, if it is refused.
        """
        actor = Actor(interface=interface, party=applicant, officer=officer, on_behalf_of=on_behalf_of)
        return self.issue(Application(kind=CertificateKind.ORGANISATION, request=request), actor)

    def issue(self, application: Application, actor: Actor) -> Issued:
        """Apply for a certificate.

        :raises Refused: with every reason, if it is refused.
        :raises LedgerUnavailable: if the decision could not be recorded; nothing was issued then.
        """
        outcome = self.registration.execute(Apply(application), actor)
        if isinstance(outcome, Refusal):
            raise Refused(*outcome.problems)
        return outcome

    def make_device_request(
        self, entity: EntityIdentifier, usage: KeyUsage
    ) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
        """Return a new key for a Device, and a certification request (DER) for it."""
        key = self._new_key(f"device {entity} {usage.code}")
        return key, make_device_request(key, entity, usage)

    def make_organisation_request(
        self, entity: EntityIdentifier, role: RemotePartyRole, usage: KeyUsage, common_name: str | None = None
    ) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
        """Return a new key for an Organisation in a role, and a certification request (DER) for it."""
        key = self._new_key(f"organisation {entity} {role.label} {usage.code}")
        return key, make_organisation_request(key, entity, role, usage, common_name)

    def _new_key(self, label: str) -> ec.EllipticCurvePrivateKey:
        # With a seed, the first keys of a label are those of earlier certificates.
        number, above = 0, self.ledger.numbers_above()
        while True:
            key = self._randomness.private_key(f"{label} {number}" + (f" after {above}" if above else ""))
            if not self.ledger.is_certified(encode_public_key(public_point(key.public_key()))):
                return key
            number += 1
