"""The command that issues a revocation list, and access to the lists of one authority."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from smki.authority.certification_authority import CertificationAuthority
from smki.authority.revocation_lists import POLICIES, is_list_current, is_list_due, list_due, make_list
from smki.clock import Clock, iso
from smki.ledger import EventKind, Ledger, ListRecord
from smki.problem import NotFound, NotReady, Problem
from smki.registration.actor import Actor
from smki.registration.command import Command, Context, Done, Happened, Registration
from smki.sec.role import CertificateKind
from smki.sec.vocabulary import listed

_log = logging.getLogger("smki.revocation-lists")


@dataclass(frozen=True, slots=True)
class PublishList(Command[ListRecord | None]):
    """Issue the next revocation list of an authority."""

    authority: CertificationAuthority
    only_if_due: bool = False
    """Issue a list only if one is due, so that several simultaneous requests issue one list."""

    def carry_out(self, context: Context) -> Done[ListRecord | None]:
        """Allocate the next number, make the list and store it; return None if no list is due.

        Number and time are independent: the number is always the next one, thisUpdate always the present time, even if
        the clock was set back after the previous list.
        """
        revocations, issuer = context.transaction.revocations, self.authority.certificate.serial_number
        policy = POLICIES[self.authority.certificate.kind]
        latest = revocations.latest(issuer)
        if self.only_if_due and latest and not is_list_due(context.transaction, policy, latest, context.now):
            return Done(None, None)
        number = max(latest.number if latest else 0, context.transaction.numbers_above()) + 1
        if latest is not None and context.now < latest.this_update:
            _log.warning(
                "list %d of %s is dated %s, before list %d of %s: the clock was set back",
                number,
                self.authority.certificate.common_name,
                iso(context.now),
                latest.number,
                iso(latest.this_update),
            )
        made = make_list(self.authority, number, context.now, revocations.entries(issuer, context.now))
        record = ListRecord(
            issuer=made.issuer,
            number=made.number,
            this_update=made.this_update,
            next_update=made.next_update,
            entries=made.entries,
            der=made.der,
            last_revocation=revocations.last_id(),
        )
        context.transaction.add_list(record)
        title = f"{policy.profile.title} {number} of {self.authority.certificate.common_name}"
        content = {"issuer": issuer.hex, "number": number, "entries": made.entries}
        happened = Happened(kind=EventKind.LIST_ISSUED, detail=title, content=content)
        return Done(record, happened)


class IssuedLists:
    """The revocation lists of one authority.

    :param actor: the actor of the commands that issue lists through this object.
    """

    def __init__(
        self, registration: Registration, ledger: Ledger, clock: Clock, authority: CertificationAuthority, actor: Actor
    ) -> None:
        self._registration = registration
        self._ledger = ledger
        self._clock = clock
        self._authority = authority
        self._actor = actor
        self._issuer = authority.certificate.serial_number
        self.policy = POLICIES[authority.certificate.kind]

    @property
    def issuer_name(self) -> str:
        """The common name of the authority."""
        return self._authority.certificate.common_name or ""

    def latest(self) -> ListRecord | None:
        """The list with the highest number, however old; None before the first."""
        return self._ledger.revocations.latest(self._issuer)

    def as_of(self, moment: datetime) -> ListRecord | None:
        """Return the list with the highest number among those dated up to a moment, without issuing one; None if there is
        none."""
        return self._ledger.revocations.as_of(self._issuer, moment)

    def numbered(self, number: int) -> ListRecord | None:
        """The list with that number, or None."""
        return self._ledger.revocations.numbered(self._issuer, number)

    def all(self) -> list[ListRecord]:
        """Every list ever issued, in the order of their numbers, without its DER."""
        return list(self._ledger.revocations.lists(self._issuer))

    def overdue(self) -> ListRecord:
        """Return a list whose nextUpdate has passed, for tests of clients: the newest such list in the ledger.

        If there is none yet, return a list with number 0 that has no entries and was valid until the first list was
        issued. This is true, since the authority had revoked nothing then. The bytes are the same each time, and no
        other list has that number. It is not stored, because it never was the latest list.

        :raises NotReady: if the nextUpdate of that list has not passed either, because the clock is before the first
            list.
        """
        now = self._clock.now()
        lists = self.all()
        for record in reversed(lists):
            found = self.numbered(record.number) if record.next_update < now else None
            if found is not None:
                return found
        first = lists[0] if lists else self.publish()
        since = first.this_update - self.policy.lifetime - timedelta(seconds=1)
        before = make_list(self._authority, first.number - 1, since, ())
        if before.next_update >= now:
            seen, expected = f"{iso(now)}, before the first list of {iso(first.this_update)}", "a time after it"
            raise NotReady(
                Problem(code="revocation-list.none-overdue", subject="the clock", seen=seen, expected=expected)
            )
        return before

    def current(self) -> ListRecord:
        """Return the latest list. If there is none, or it is not valid at the present time, issue a new one first.

        :raises LedgerUnavailable: if the new list could not be stored.
        """
        latest = self.latest()
        if latest is None or not is_list_current(latest, self._clock.now()):
            return self.publish_if_due() or self.latest() or self.publish()
        return latest

    def publish_if_due(self) -> ListRecord | None:
        """Issue a new list if one is due, and return it, or None. Of several simultaneous calls only one issues a
        list."""
        latest = self.latest()
        if latest is not None and not is_list_due(self._ledger, self.policy, latest, self._clock.now()):
            return None
        return self._registration.execute(PublishList(self._authority, only_if_due=True), self._actor)

    def publish(self) -> ListRecord:
        """Issue a new list now.

        :raises LedgerUnavailable: if the list could not be stored; the previous one remains the latest.
        """
        made = self._registration.execute(PublishList(self._authority), self._actor)
        if made is None:
            raise AssertionError("a list was requested unconditionally but not made")
        return made

    def due(self, latest: ListRecord, now: datetime) -> datetime:
        """Return when the next list is due: at the regular interval, or earlier because of a revocation."""
        return list_due(self._ledger, self.policy, latest, now)

    def missing_since(self, latest: ListRecord, now: datetime) -> datetime | None:
        """Return the time since which a revocation in effect is missing from the latest list; None if none is missing."""
        return self._ledger.revocations.pending(latest, now)


def lists_of_issuer(every: list[IssuedLists], kind: CertificateKind, issuer: str) -> IssuedLists:
    """Return the lists of the authority with a common name.

    :param every: the lists of every authority of a kind.
    :raises NotFound: if there is no such authority.
    """
    for lists in every:
        if lists.issuer_name == issuer:
            return lists
    raise NotFound(
        Problem(
            code="authority.unknown",
            subject=f"{kind.title} {issuer[:16]}",
            seen="none with that name",
            expected=listed([lists.issuer_name for lists in every]),
            clause="SEC L",
        )
    )
