"""A Relying Party for an SMKI in this process: it trusts its roots and always has its current lists."""

from __future__ import annotations

from datetime import datetime

from smki.home.smki import Smki
from smki.relying_party import RelyingParty, RevocationLists, Suspicions
from smki.sec.role import CertificateKind

_ROOTS = (CertificateKind.ROOT_OCA, CertificateKind.ROOT_DCA)


class ListsOf:
    """The lists of an SMKI as a :class:`~smki.relying_party.ListSource`, read from the SMKI itself.

    :param smki: the SMKI. For a moment in its past, the lists that were current then are used.
    """

    def __init__(self, smki: Smki) -> None:
        self._smki = smki
        self._latest: tuple[tuple[list[bytes], list[bytes]], RevocationLists] = ([], []), RevocationLists()

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        """Return the lists that were current at a moment."""
        encoded = self._of(CertificateKind.ISSUING_OCA, moment), self._of(CertificateKind.ROOT_OCA, moment)
        latest = self._latest  # read once: another thread may be asking about another moment
        if latest[0] != encoded:
            latest = self._latest = encoded, RevocationLists.of(*encoded)
        return latest[1]

    def _of(self, kind: CertificateKind, moment: datetime) -> list[bytes]:
        lists = self._smki.all_lists(kind)
        if moment < self._smki.clock.now():
            return [found.der for each in lists if (found := each.as_of(moment)) is not None]
        return [each.current().der for each in lists]


def relying_party(smki: Smki, *, ignore_time: bool = False, suspicions: Suspicions | None = None) -> RelyingParty:
    """Return a Relying Party that trusts both roots of an SMKI, uses its clock, and always has its current lists.

    :param ignore_time: do not check validity periods, as a Device may (``applyTimeBasedCPVChecks`` false).
    :param suspicions: the certificates that it suspects to be compromised.
    """
    authorities = [record for record in smki.authorities() if record.certificate.is_authority]
    return RelyingParty(
        [record.certificate for record in authorities if record.kind in _ROOTS],
        ListsOf(smki),
        chain=[record.certificate for record in authorities if record.kind not in _ROOTS],
        clock=smki.clock,
        policy_oids=[smki.configuration.policy_oid],
        ignore_time=ignore_time,
        suspicions=suspicions,
    )
