"""A Relying Party that trusts the authorities of a home and goes by its latest lists, kept while neither changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from smki.home.smki import Smki
from smki.ledger import ListRecord
from smki.relying_party import RelyingParty, RevocationLists, Suspicions
from smki.relying_party.suspicion import SUSPICIONS_FILE
from smki.sec.role import CertificateKind


class Reliance:
    """Judges certificates as ``smki verify`` does over the same home."""

    def __init__(self, smki: Smki) -> None:
        self._smki = smki
        self._lock = threading.Lock()
        self._kept: tuple[object, RelyingParty] | None = None

    def party(self) -> RelyingParty:
        """The Relying Party as things stand now: made anew when an authority, a list or a suspicion came or went."""
        smki = self._smki
        authorities = smki.authorities()
        crls, arls = (list(self._latest(kind)) for kind in (CertificateKind.ISSUING_OCA, CertificateKind.ROOT_OCA))
        suspicions = smki.path / SUSPICIONS_FILE
        seen = (
            len(authorities),
            *((record.issuer, record.number) for record in (*crls, *arls)),
            suspicions.stat().st_mtime_ns if suspicions.exists() else None,
        )
        with self._lock:
            if self._kept is None or self._kept[0] != seen:
                lists = RevocationLists.of((record.der for record in crls), (record.der for record in arls))
                anchors = [record.certificate for record in authorities]
                party = RelyingParty(anchors, lists, clock=smki.clock, suspicions=Suspicions.read(suspicions))
                self._kept = seen, party
            return self._kept[1]

    def _latest(self, kind: CertificateKind) -> Iterator[ListRecord]:
        for lists in self._smki.all_lists(kind):
            latest = lists.latest()
            if latest is not None:
                yield latest
