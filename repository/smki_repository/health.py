"""Liveness and readiness checks for monitoring and load balancers."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from flask import Flask

from smki.clock import iso
from smki.home.smki import Smki
from smki.problem import Problem, SmkiError, problem_text
from smki.registration.revocation_lists import IssuedLists
from smki.remedies import Interface

GRACE = timedelta(minutes=1)
"""Time that the server has to issue a list that is due at once."""


KEYS_SECONDS = 10.0
"""Seconds for which the result of reading the authorities' keys is remembered."""


def add_health_checks(app: Flask, smki: Smki) -> None:
    """Add ``/healthz`` and ``/readyz``.

    ``/healthz`` answers if the process is alive; ``/readyz`` if it can read its ledger, its authorities can sign, and
    the latest list of each authority is current: not dated after the present, not past its nextUpdate, and no revocation
    is missing from it that should be there by now.
    """

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    keys = _Keys(smki)

    @app.get("/readyz")
    def readyz() -> tuple[dict[str, str], int]:
        try:
            reasons = [problem_text(problem, Interface.REST) for problem in keys.problems()]
            reasons += [reason for lists in smki.all_lists() if (reason := _why_not_current(smki, lists))]
        except SmkiError as error:
            return {"status": "unavailable", "reason": error.text(Interface.REST)}, 503
        if reasons:
            return {"status": "unavailable", "reason": "; ".join(reasons)}, 503
        return {"status": "ok"}, 200


class _Keys:
    """Why the keys of authorities cannot be used, remembered for some seconds, because reading an encrypted key takes
    much time and anyone may ask."""

    def __init__(self, smki: Smki) -> None:
        self._smki = smki
        self._lock = threading.Lock()
        self._next = 0.0
        self._problems: list[Problem] = []

    def problems(self) -> list[Problem]:
        with self._lock:
            if time.monotonic() >= self._next:
                self._problems = self._smki.hierarchy.unusable_keys(self._smki.ledger)
                self._next = time.monotonic() + KEYS_SECONDS
            return self._problems


def _why_not_current(smki: Smki, lists: IssuedLists) -> str:
    """Return why the latest list of an authority is not current; empty if it is."""
    name = f"{lists.policy.profile.name} of {lists.issuer_name}"
    # The list first: if one is issued in between, it is not later than the present.
    latest = lists.latest()
    if latest is None:
        return f"not issued yet: {name}"
    now = smki.clock.now()
    which = f"{name} (number {latest.number}, {iso(latest.this_update)} to {iso(latest.next_update)})"
    if now < latest.this_update:
        return f"dated after the present: {which}"
    if now >= latest.next_update:
        return f"overdue: {which}"
    revoked = lists.missing_since(latest, now)
    if revoked is not None and now > revoked + lists.policy.after_revocation + GRACE:
        return f"a revocation is missing: {which}"
    return ""
