"""Liveness and readiness checks for monitoring and load balancers."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from smki.clock import iso
from smki.home.smki import Smki
from smki.problem import SmkiError
from smki.registration.revocation_lists import IssuedLists

GRACE = timedelta(minutes=1)
"""Time that the server has to issue a list that is due at once."""


def add_health_checks(app: Flask, smki: Smki) -> None:
    """Add ``/healthz`` and ``/readyz``.

    ``/healthz`` answers if the process is alive; ``/readyz`` if it can read its ledger, its authorities can sign, and
    the latest list of each authority is current: not dated after the present, not past its nextUpdate, and no revocation
    is missing from it that should be there by now.
    """

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> tuple[dict[str, str], int]:
        try:
            reasons = [reason for lists in smki.all_lists() if (reason := _why_not_current(smki, lists))]
        except SmkiError as error:
            return {"status": "unavailable", "reason": str(error)}, 503
        if reasons:
            return {"status": "unavailable", "reason": "; ".join(reasons)}, 503
        return {"status": "ok"}, 200


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
