"""A Relying Party that trusts the authorities of a home and uses its latest revocation lists, cached until they change."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from smki.home.smki import Smki
from smki.ledger import ListRecord
from smki.relying_party import RelyingParty, RevocationLists, Suspicions
from smki.relying_party.suspicion import SUSPICIONS_FILE
from smki.sec.role import CertificateKind


class Reliance:
    """Provides a Relying Party with the same inputs as ``smki verify`` for the same home."""

    def __init__(self, smki: Smki) -> None:
        self._smki = smki
        self._lock = threading.Lock()
        self._kept: tuple[object, RelyingParty] | None = None

    def party(self) -> RelyingParty:
        """Return a Relying Party for the current authorities, lists and suspicions; create it if any of them changed."""
        smki = self._smki
        authorities = smki.authorities()
        crls, arls = (list(self._latest(kind)) for kind in (CertificateKind.ISSUING_OCA, CertificateKind.ROOT_OCA))
        path = smki.path / SUSPICIONS_FILE
        suspicions = path.read_bytes() if path.exists() else None
        # Compare the inputs themselves: counts, numbers and modification times can stay the same when the inputs change.
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
