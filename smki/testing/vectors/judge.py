"""Our own Relying Party as one that the vectors can be run against."""

from __future__ import annotations

from datetime import timedelta

from smki.clock import FixedClock
from smki.identity import SerialNumber
from smki.pki.certificate import Certificate, read_certificate
from smki.problem import Malformed
from smki.profile.tables import TEST_POLICY_OID
from smki.relying_party import NumbersSeen, RelyingParty, RevocationLists, Suspicion, Suspicions, Verdict
from smki.testing.defects.case import Case

__all__ = ["judge_case"]

_BEFORE = timedelta(days=3650)
"""Time between the list that was seen and the moment of the case."""


def judge_case(case: Case, policies: tuple[str, ...] = (TEST_POLICY_OID,)) -> Verdict:
    """The verdict of :class:`~smki.relying_party.RelyingParty` on a case."""
    suspicions = Suspicions(
        Suspicion(SerialNumber.parse(serial), "the case says so", case.at) for serial in case.suspected
    )
    party = RelyingParty(
        [Certificate.from_der(data) for data in case.trust_anchors],
        RevocationLists.of(case.crls, case.arls),
        chain=case.chain,
        clock=FixedClock(case.at),
        suspicions=suspicions,
        policy_oids=policies,
        seen=_numbers_seen(case),
    )
    return party.verify(case.certificate, for_=case.use or None)


def _numbers_seen(case: Case) -> NumbersSeen:
    """The numbers seen, by the issuer of the certificate for the CRL and by its roots for the ARL."""
    seen = NumbersSeen()
    roots: list[Certificate] = []
    others: list[Certificate] = []
    for data in (*case.trust_anchors, *case.chain):
        try:
            certificate = Certificate.from_der(data)
        except Malformed:
            continue
        (roots if certificate.subject == certificate.issuer else others).append(certificate)
    wanted = read_certificate(case.certificate).issuer
    for kind, number in case.numbers_seen.items():
        for certificate in roots if kind == "arl" else others:
            if kind == "arl" or (wanted is not None and certificate.subject == wanted.encoded):
                seen.note(certificate.subject + (certificate.point or b""), number, case.at - _BEFORE)
    return seen
