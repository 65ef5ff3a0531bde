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
        path = smki.path / SUSPICIONS_FILE
        suspicions = path.read_bytes() if path.exists() else None
        # Everything that the Relying Party is made from, as it is: counts, numbers and times of change can stay the same
        # while what they stand for changes.
        seen = (
            tuple(record.certificate.der for record in authorities),
            tuple(record.der for record in crls),
            tuple(record.der for record in arls),
            suspicions,
        )
        with self._lock:
            if self._kept is None or self._kept[0] != seen:
                lists = RevocationLists.of((record.der for record in crls), (record.der for record in arls))
                anchors = [record.certificate for record in authorities]
                suspected = Suspicions.parse(suspicions, path) if suspicions is not None else Suspicions()
                self._kept = seen, RelyingParty(anchors, lists, clock=smki.clock, suspicions=suspected)
            return self._kept[1]

    def _latest(self, kind: CertificateKind) -> Iterator[ListRecord]:
        for lists in self._smki.all_lists(kind):
            latest = lists.latest()
            if latest is not None:
                yield latest
