"""The work on batches that needs no ledger, divided among worker processes: examining requests, making certificates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from smki.authority.certification_authority import SigningKey
from smki.authority.issuance import CertificateMaker, CertificateOrder, MadeCertificate, Subject
from smki.identity import SerialNumber
from smki.keys.private_key import key_from_pem
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

Made = MadeCertificate | NotConformant


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


def make_in_workers(
    workers: Workers, policy_oid: str, orders: Sequence[CertificateOrder], now: datetime
) -> Callable[[], list[Made]]:
    """Begin to build, lint and sign certificates (see :meth:`~smki.authority.issuance.CertificateMaker.make`), and return
    how to wait for them."""
    issuers: dict[SigningKey, int] = {}
    told: list[_Issuer] = []
    for order in orders:
        if order.key not in issuers:
            assert order.issuer.certificate is not None
            issuers[order.key] = len(told)
            told.append(_Issuer(order.issuer.certificate.der, order.key.exported()))
    every = [_Order(order.kind, order.role, order.subject, issuers[order.key], order.serial_number) for order in orders]
    return workers.submit_urgent(_make, policy_oid, tuple(told), every, now).result


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


def _make(policy_oid: str, issuers: tuple[_Issuer, ...], orders: Sequence[_Order], now: datetime) -> list[Made]:
    maker, authorities = _maker(policy_oid), [_authority(issuer) for issuer in issuers]
    made: list[Made] = []
    for order in orders:
        facts, key = authorities[order.issuer]
        complete = CertificateOrder(order.kind, order.role, order.subject, facts, key, order.serial_number)
        made.append(maker.make_or_say_why_not(complete, now))
    return made
