"""Checks of a revocation list's basic fields."""

from __future__ import annotations

from datetime import datetime, timedelta

from smki.clock import iso
from smki.pki.der import Node
from smki.profile.catalogue import Report
from smki.profile.check_certificate import check_time
from smki.profile.forms import NextUpdateForm

TBS_LIST = "tbsCertList"


def check_updates(
    report: Report, this_update: Node | None, next_update: Node | None, form: NextUpdateForm
) -> datetime | None:
    """Report thisUpdate and nextUpdate if missing, malformed or in the wrong order; return thisUpdate if readable."""
    if this_update is None:
        return None
    since = check_time(report, this_update, "update.", f"{TBS_LIST}.thisUpdate")
    if next_update is None:
        report("next-update.missing", f"{TBS_LIST}.nextUpdate", "no nextUpdate", str(form))
        return since
    until = check_time(report, next_update, "update.", f"{TBS_LIST}.nextUpdate")
    if since is not None and until is not None:
        seen = f"{iso(since)} to {iso(until)}"
        if until <= since:
            report("update.reversed", f"{TBS_LIST}.nextUpdate", seen)
        elif until - since > timedelta(hours=form.hours):
            report("next-update.late", f"{TBS_LIST}.nextUpdate", seen, str(form))
    return since
