"""A Relying Party over an SMKI at hand: it trusts its roots and has its lists, as they are whenever it is asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from smki.authority.revocation_lists import RevocationLists as ListsOfAuthority
from smki.home.smki import Smki
from smki.relying_party import RelyingParty, RevocationLists, Suspicions
from smki.sec.role import CertificateKind

_ROOTS = (CertificateKind.ROOT_OCA, CertificateKind.ROOT_DCA)


class ListsOf:
    """The lists of an SMKI as a :class:`~smki.relying_party.ListSource`: none is ever fetched, none is overdue.

    :param smki: whose. A moment in its past gets the lists of that moment.
    """

    def __init__(self, smki: Smki) -> None:
        self._smki = smki
        self._latest: tuple[tuple[list[bytes], list[bytes]], RevocationLists] = ([], []), RevocationLists()

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        """The lists to be had at that moment."""
        octets = self._of(CertificateKind.ISSUING_OCA, moment), self._of(CertificateKind.ROOT_OCA, moment)
        latest = self._latest  # read once: another thread may be asking about another moment
        if latest[0] != octets:
            latest = self._latest = octets, RevocationLists.of(*octets)
        return latest[1]

    def _of(self, kind: CertificateKind, moment: datetime) -> list[bytes]:
        lists: Iterable[ListsOfAuthority] = self._smki.all_lists(kind)
        if moment < self._smki.clock.now():
            return [found.der for each in lists if (found := each.as_of(moment)) is not None]
        return [each.current().der for each in lists]


def relying_party(smki: Smki, *, ignore_time: bool = False, suspicions: Suspicions | None = None) -> RelyingParty:
    """A Relying Party that trusts both roots of an SMKI, with its clock and its lists of whenever it is asked.

    :param ignore_time: leave validity out, as a Device may (``applyTimeBasedCPVChecks`` false).
    :param suspicions: certificates that it suspects itself.
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
