"""Revocation lists: which authorities issue them, when they are due, and how they are made and signed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from smki.authority.certification_authority import CertificationAuthority
from smki.ledger import ListRecord, Reader
from smki.ledger.damage import damaged_row
from smki.ledger.records import RevokedCertificate
from smki.pki.revocation_entry import encode_entry_rows
from smki.profile.build_list import ListContents, build_tbs_list
from smki.profile.clearance import clear_list_for_signature
from smki.profile.forms import RevocationListProfile
from smki.profile.revocation_reasons import CRL_REASONS
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL
from smki.sec.role import CertificateKind


@dataclass(frozen=True, slots=True)
class ListPolicy:
    """When a kind of list is issued. Assumption: all these times; the certificate policy was not available."""

    profile: RevocationListProfile
    interval: timedelta
    """Maximum time between one list and the next."""
    after_revocation: timedelta
    """Maximum time between a revocation and the list that contains it."""

    @property
    def lifetime(self) -> timedelta:
        """The time from thisUpdate to nextUpdate."""
        return timedelta(hours=self.profile.next_update.form.hours)


POLICIES = {
    CertificateKind.ISSUING_OCA: ListPolicy(ORGANISATION_CRL, timedelta(hours=12), timedelta(hours=1)),
    CertificateKind.ROOT_OCA: ListPolicy(ORGANISATION_ARL, timedelta(days=365), timedelta(0)),
}
"""The authorities that issue lists: the Issuing OCA issues the Organisation CRL, the Root OCA the Organisation ARL. No
list is published for Device and DCA Certificates."""

RENEW_WITHIN = 0.5
"""The part of the interval after which a list is renewed. It is less than 1, so that a machine that slept is in
time."""


def list_due(reader: Reader, policy: ListPolicy, latest: ListRecord, now: datetime) -> datetime:
    """Return when the next list is due: at the regular interval, or earlier because of a revocation."""
    by_interval = latest.this_update + policy.interval
    revoked = reader.revocations.pending(latest, now)
    return by_interval if revoked is None else min(by_interval, revoked + policy.after_revocation)


def is_list_due(reader: Reader, policy: ListPolicy, latest: ListRecord, now: datetime) -> bool:
    """Return whether a new list is to be issued now: some time before :func:`list_due`, and at once if the latest list
    is dated after the present, because the clock was set back."""
    if now < latest.this_update:
        return True
    due = list_due(reader, policy, latest, now)
    return now >= latest.this_update + (due - latest.this_update) * RENEW_WITHIN


def is_list_current(latest: ListRecord, now: datetime) -> bool:
    """Return whether a list is valid now: not dated after the present, and not past its nextUpdate."""
    return latest.this_update <= now < latest.next_update


def make_list(
    authority: CertificationAuthority, number: int, this_update: datetime, revoked: Iterable[RevokedCertificate]
) -> ListRecord:
    """Build a revocation list, lint it, and sign it.

    :param revoked: the entries, in order.
    :raises NotConformant: if it would break its profile; nothing is signed then.
    :raises IntegrityError: if an entry has a reason that cannot be given.
    """
    certificate = authority.certificate
    policy = POLICIES[certificate.kind]
    revoked = list(revoked)
    if unknown := [entry for entry in revoked if entry.reason not in CRL_REASONS]:
        raise damaged_row("revocation", unknown[0].serial_number, f"the reason {unknown[0].reason!r}")
    rows = [(entry.serial_number, entry.effective, CRL_REASONS[entry.reason] or None) for entry in revoked]
    contents = ListContents(
        issuer=certificate.subject,
        issuer_key_identifier=certificate.subject_key_identifier or b"",
        number=number,
        this_update=this_update,
        next_update=this_update + policy.lifetime,
        entries=encode_entry_rows(rows),
    )
    tbs = build_tbs_list(policy.profile, contents)
    cleared = clear_list_for_signature(tbs, policy.profile, authority.facts)
    return ListRecord(
        issuer=certificate.serial_number,
        number=number,
        this_update=this_update,
        next_update=contents.next_update,
        entries=len(rows),
        der=authority.signing_key.sign(cleared),
    )
