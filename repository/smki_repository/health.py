"""Liveness and readiness checks for monitoring and load balancers."""

from __future__ import annotations

from flask import Flask

from smki.home.smki import Smki
from smki.problem import SmkiError


def add_health_checks(app: Flask, smki: Smki) -> None:
    """Add ``/healthz`` and ``/readyz``.

    ``/healthz`` answers if the process is alive; ``/readyz`` if it can read its ledger and no revocation list is overdue.
    """

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> tuple[dict[str, str], int]:
        try:
            overdue = [
                f"{lists.policy.profile.name} of {lists.issuer_name}"
                for lists in smki.all_lists()
                if (latest := lists.latest()) is None or smki.clock.now() >= latest.next_update
            ]
        except SmkiError as error:
            return {"status": "unavailable", "reason": str(error)}, 503
        if overdue:
            return {"status": "unavailable", "reason": f"overdue: {', '.join(overdue)}"}, 503
        return {"status": "ok"}, 200
