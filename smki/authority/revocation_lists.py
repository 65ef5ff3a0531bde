"""Publishes revocation lists: when one is due, how it is made, and that it is never stale."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from smki.authority.certification_authority import CertificationAuthority
from smki.clock import Clock, iso
from smki.ledger import Ledger
from smki.ledger.revocation import ListBuilder, ListEntries, ListRecord
from smki.problem import NotReady, Problem
from smki.profile.build_list import ListContents, build_tbs_list
from smki.profile.clearance import clear_list_for_signature
from smki.profile.forms import RevocationListProfile
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL
from smki.sec.role import CertificateKind

_log = logging.getLogger("smki.revocation-lists")


@dataclass(frozen=True, slots=True)
class ListPolicy:
    """When a kind of list is issued. Assumption: all its times; the certificate policy could not be had."""

    profile: RevocationListProfile
    interval: timedelta
    """A new one is issued so long after the last at the latest."""
    after_revocation: timedelta
    """And so long after a revocation at the latest."""

    @property
    def lifetime(self) -> timedelta:
        """From thisUpdate to nextUpdate."""
        return timedelta(hours=self.profile.next_update.form.hours)


POLICIES = {
    CertificateKind.ISSUING_OCA: ListPolicy(ORGANISATION_CRL, timedelta(hours=12), timedelta(hours=1)),
    CertificateKind.ROOT_OCA: ListPolicy(ORGANISATION_ARL, timedelta(days=365), timedelta(0)),
}
"""Which authorities issue lists: the Issuing OCA the Organisation CRL, the Root OCA the Organisation ARL. No list is
published for Device or DCA Certificates."""

RENEW_WITHIN = 0.5
"""The part of its time in which a list is renewed ahead: at half of it, so that a machine that slept is in time."""


class RevocationLists:
    """The lists of one issuing authority.

    :param authority: signs them.
    """

    def __init__(self, ledger: Ledger, clock: Clock, authority: CertificationAuthority) -> None:
        self._revocations = ledger.revocations
        self._clock = clock
        self._authority = authority
        self._issuer = authority.certificate.serial_number
        self.policy = POLICIES[authority.certificate.kind]

    @property
    def issuer_name(self) -> str:
        """The common name of the authority."""
        return self._authority.certificate.common_name or ""

    def latest(self) -> ListRecord | None:
        """The list with the highest number, however old; None before the first."""
        return self._revocations.latest(self._issuer)

    def as_of(self, moment: datetime) -> ListRecord | None:
        """The list that was the latest at a moment; nothing is issued. None before the first."""
        return self._revocations.as_of(self._issuer, moment)

    def numbered(self, number: int) -> ListRecord | None:
        """The list with that number, or None."""
        return self._revocations.numbered(self._issuer, number)

    def all(self) -> list[ListRecord]:
        """Every list ever issued, in the order of their numbers, without its octets."""
        return list(self._revocations.lists(self._issuer))

    def overdue(self) -> ListRecord:
        """A list whose nextUpdate has passed, to test who must notice: the newest of the ledger that has.

        Where there is none yet, the list before the first: number 0, valid until the first one was issued, and true: the
        authority had revoked nothing then. It is the same octets each time, and no other list ever has its number; it is
        not stored, for it never was the latest.

        :raises NotReady: while not even that one's nextUpdate has passed: the clock is before the first list.
        """
        now = self._clock.now()
        lists = self.all()
        for record in reversed(lists):
            found = self.numbered(record.number) if record.next_update < now else None
            if found is not None:
                return found
        first = lists[0] if lists else self.publish()
        since = first.this_update - self.policy.lifetime - timedelta(seconds=1)
        before = self._make(first.number - 1, since, ListEntries(0, b""))
        if before.next_update >= now:
            seen, expected = f"{iso(now)}, before the first list of {iso(first.this_update)}", "a time after it"
            raise NotReady(Problem("revocation-list.none-overdue", "the clock", seen, expected))
        return before

    def current(self) -> ListRecord:
        """The latest list; where there is none or it is past its nextUpdate, a new one is issued first.

        :raises LedgerUnavailable: when that could not be stored.
        """
        latest = self.latest()
        if latest is None or self._clock.now() >= latest.next_update:
            return self.publish_if_due() or self.latest() or self.publish()
        return latest

    def publish_if_due(self) -> ListRecord | None:
        """Issue a new list if one is due, and only one however many ask at once; None otherwise."""
        now = self._clock.now()
        latest = self.latest()
        if latest is not None and not self._is_due(latest, now):
            return None
        return self._revocations.publish(self._issuer, self._builder(now, only_if_due=True), now)

    def publish(self) -> ListRecord:
        """Issue a new list now.

        :raises LedgerUnavailable: when it could not be stored; the one before it remains the latest.
        """
        now = self._clock.now()
        made = self._revocations.publish(self._issuer, self._builder(now, only_if_due=False), now)
        if made is None:
            raise AssertionError("a list that is wanted whether due or not is made")
        return made

    def due(self, latest: ListRecord, now: datetime) -> datetime:
        """When the next list is due: by the interval, or earlier because of a revocation."""
        by_interval = latest.this_update + self.policy.interval
        revoked = self._revocations.pending(latest, now)
        return by_interval if revoked is None else min(by_interval, revoked + self.policy.after_revocation)

    def _is_due(self, latest: ListRecord, now: datetime) -> bool:
        due = self.due(latest, now)
        return now >= latest.this_update + (due - latest.this_update) * RENEW_WITHIN

    def _builder(self, now: datetime, *, only_if_due: bool) -> ListBuilder:
        def build(number: int, latest: ListRecord | None, entries: ListEntries) -> ListRecord | None:
            # Asked again inside the transaction: another worker may have been quicker.
            if only_if_due and latest is not None and not self._is_due(latest, now):
                return None
            this_update = now
            if latest is not None and now < latest.this_update:
                _log.warning(
                    "the clock says %s, before list %d of %s: thisUpdate does not go back",
                    iso(now),
                    latest.number,
                    iso(latest.this_update),
                )
                this_update = latest.this_update
            return self._make(number, this_update, entries)

        return build

    def _make(self, number: int, this_update: datetime, entries: ListEntries) -> ListRecord:
        certificate, facts = self._authority.certificate, self._authority.facts
        next_update = this_update + self.policy.lifetime
        contents = ListContents(
            issuer=certificate.subject,
            issuer_key_identifier=certificate.subject_key_identifier or b"",
            number=number,
            this_update=this_update,
            next_update=next_update,
            entries=entries.encoded,
        )
        tbs = build_tbs_list(self.policy.profile, contents)
        signed = self._authority.signing_key.sign(clear_list_for_signature(tbs, self.policy.profile, facts))
        return ListRecord(self._issuer, number, this_update, next_update, entries.count, signed)
