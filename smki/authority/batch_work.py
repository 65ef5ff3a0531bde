"""The work on batches that needs no ledger, divided among worker processes: examining requests, making certificates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from smki.authority.certification_authority import SigningKey
from smki.authority.issuance import CertificateMaker, CertificateOrder, Subject
from smki.identity import SerialNumber
from smki.keys.private_key import key_from_pem
from smki.ledger.decisions import PreparedDecision, Seal, SealedDecision
from smki.pki.certificate import Certificate
from smki.pki.request import CertificationRequest
from smki.pki.template import RequestTemplates
from smki.problem import Finding
from smki.profile import IssuerFacts
from smki.profile.clearance import NotConformant
from smki.profile.lint import examine_request
from smki.sec.role import CertificateKind, RemotePartyRole
from smki.workers import Workers

PIECE = 128
"""Number of requests or certificates that a worker is given at a time."""

Examined = tuple[CertificationRequest | None, Sequence[Finding]]
"""A request that can be granted, or None, and what the lint found in it."""


class BatchWork(NamedTuple):
    """Decisions whose certificates are to be made."""

    orders: Sequence[CertificateOrder | None]
    """None for a refusal."""
    prepared: Sequence[PreparedDecision]
    """The same decisions, as the ledger has prepared them."""
    seal: Seal
    now: datetime
    """The time from which validity is calculated (UTC)."""


class MadeDecision(NamedTuple):
    """A decision that can be recorded."""

    der: bytes
    """The certificate; empty for a refusal."""
    sealed: SealedDecision


Made = MadeDecision | NotConformant
"""NotConformant if the certificate would break its profile: it was not signed."""


class _Issuer(NamedTuple):
    """An authority as workers are told of it."""

    certificate: bytes
    key: bytes
    """PKCS#8 in PEM."""


class _Order(NamedTuple):
    """A certificate to be made, as workers are told of it."""

    kind: CertificateKind
    role: RemotePartyRole | None
    subject: Subject
    issuer: int
    """Index among the issuers."""
    serial_number: SerialNumber


def examine_in_workers(
    workers: Workers, requests: Sequence[tuple[CertificateKind, bytes]]
) -> Callable[[], list[Examined]]:
    """Begin to parse, lint and verify certification requests (DER), and return how to wait for the results."""
    futures = [workers.submit(_examine, requests[start : start + PIECE]) for start in range(0, len(requests), PIECE)]
    return lambda: [each for future in futures for each in future.result()]


def make_here(maker: CertificateMaker, work: BatchWork) -> list[Made]:
    """Build, lint and sign certificates (see :meth:`~smki.authority.issuance.CertificateMaker.make`), and seal the
    decisions."""
    made: list[Made] = []
    for order, prepared in zip(work.orders, work.prepared, strict=True):
        try:
            der = maker.make(order, work.now) if order is not None else b""
        except NotConformant as error:
            made.append(error)
        else:
            made.append(MadeDecision(der, work.seal(prepared, der)))
    return made


def make_in_workers(workers: Workers, policy_oid: str, work: BatchWork) -> Callable[[], list[Made]]:
    """Begin to do the same in a worker, and return how to wait for it."""
    indexes: dict[SigningKey, int] = {}
    issuers: list[_Issuer] = []
    orders: list[_Order | None] = []
    for order in work.orders:
        if order is None:
            orders.append(None)
            continue
        if order.key not in indexes:
            assert order.issuer.certificate is not None
            indexes[order.key] = len(issuers)
            issuers.append(_Issuer(order.issuer.certificate.der, order.key.exported()))
        orders.append(_Order(order.kind, order.role, order.subject, indexes[order.key], order.serial_number))
    return workers.submit_urgent(_make, policy_oid, tuple(issuers), orders, work.prepared, work.seal, work.now).result


# In the workers


@lru_cache(maxsize=1)
def _templates() -> RequestTemplates:
    return RequestTemplates()


@lru_cache(maxsize=4)
def _maker(policy_oid: str) -> CertificateMaker:
    return CertificateMaker(policy_oid)


@lru_cache(maxsize=16)
def _authority(issuer: _Issuer) -> tuple[IssuerFacts, SigningKey]:
    certificate = Certificate.from_der(issuer.certificate)
    return IssuerFacts.of(certificate), SigningKey(
        certificate.subject, lambda: key_from_pem(issuer.key, None, "key of the authority")
    )


def _examine(requests: Sequence[tuple[CertificateKind, bytes]]) -> list[Examined]:
    return [examine_request(request, kind, _templates()) for kind, request in requests]


def _make(
    policy_oid: str,
    issuers: tuple[_Issuer, ...],
    orders: Sequence[_Order | None],
    prepared: Sequence[PreparedDecision],
    seal: Seal,
    now: datetime,
) -> list[Made]:
    authorities = [_authority(issuer) for issuer in issuers]
    complete = [
        CertificateOrder(order.kind, order.role, order.subject, *authorities[order.issuer], order.serial_number)
        if order is not None
        else None
        for order in orders
    ]
    return make_here(_maker(policy_oid), BatchWork(complete, prepared, seal, now))
