"""Follows the revocation lists of a Repository: asks now and then, keeps what it got, serves nothing overdue."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

from smki.clock import iso, utc
from smki.pki.pem import MAX_INPUT_BYTES
from smki.pki.revocation_list import RevocationList
from smki.problem import Problem
from smki.profile.forms import RevocationListProfile
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL
from smki.relying_party.list_cache import ListCache
from smki.relying_party.lists import HeldList, NumbersSeen, RevocationLists
from smki.relying_party.transport import RepositoryError, Transport, is_header_value, visible

PATHS = {ORGANISATION_CRL.name: "crl/organisation.crl", ORGANISATION_ARL.name: "crl/organisation.arl"}
_CONDITIONS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
"""The header of an answer, and the one in which the next question repeats it (RFC 9110 13.1)."""
MEDIA_TYPE = "application/pkix-crl"


@dataclass(slots=True)
class _Followed:
    """One list and its past."""

    profile: RevocationListProfile
    latest: HeldList | None = None
    """What the server gave last."""
    good: HeldList | None = None
    """The last that a Relying Party found genuine: a forgery that came after does not push it out."""
    notes: dict[str, str] | None = None
    problem: Problem | None = None
    """Why the last question brought no list."""

    def at(self, moment: datetime) -> tuple[HeldList, ...]:
        """The lists, where one of them is not overdue; none otherwise.

        An overdue one goes with a current one, because it may show that the current one is not the newest.
        """
        lists = (self.latest, self.good if self.good is not self.latest else None)
        held = tuple(item for item in lists if item is not None)
        return held if any(not _is_overdue(item, moment) for item in held) else ()


class ListFollower:
    """The lists of one Repository, as a :class:`~smki.relying_party.lists.ListSource`. Safe for threads.

    :param refresh: seconds after which the Repository is asked again.
    :param retry: the same after a question that brought nothing.
    """

    def __init__(self, transport: Transport, cache: ListCache, refresh: float = 300.0, retry: float = 5.0) -> None:
        self._transport = transport
        self._cache = cache
        self._refresh, self._retry = refresh, retry
        self._lock = threading.Lock()
        self._next = 0.0
        self._served = _Served()
        self._numbers_lock = threading.Lock()
        self._followed = [_Followed(profile) for profile in (ORGANISATION_CRL, ORGANISATION_ARL)]
        self.seen = NumbersSeen(cache.numbers(), self._remember)
        for followed in self._followed:
            self._load(followed)

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        """The lists to be had at that moment, one of each kind not overdue; asks the Repository when it is time to.

        :raises Malformed: when *moment* names no time zone.
        """
        moment = utc(moment, "moment")
        served = self._served
        is_current = served.is_for(moment)
        if is_current and served.has_lists and time.monotonic() < self._next:
            return served.lists
        # While one thread asks, the others go on with lists that are still current.
        if not self._lock.acquire(blocking=not (is_current and served.has_lists)):
            return served.lists
        try:
            if time.monotonic() >= self._next:
                troubles = [self._fetch(followed) for followed in self._followed]
                self._next = time.monotonic() + (self._retry if any(troubles) else self._refresh)
            return self._serve(moment)
        finally:
            self._lock.release()

    def refresh(self) -> None:
        """Ask the Repository at the next opportunity, however short the time since the last."""
        self._next = 0.0

    def problems(self) -> list[Problem]:
        """Why the last questions brought nothing: also where a list from before is still good."""
        return [followed.problem for followed in self._followed if followed.problem is not None]

    def _load(self, followed: _Followed) -> None:
        for kind in ("good", "latest"):
            kept = self._cache.get(f"{followed.profile.name}.{kind}")
            if kept is not None:
                held = HeldList(kept[0], followed.profile)
                if held.revocation_list is not None:
                    setattr(followed, kind, held)
                    followed.notes = kept[1]
        if (
            followed.latest is not None
            and followed.good is not None
            and followed.latest.encoded == followed.good.encoded
        ):
            followed.latest = followed.good

    def _fetch(self, followed: _Followed) -> bool:
        """Ask for one list; whether that brought nothing."""
        notes = followed.notes if followed.latest is not None and followed.notes else {}
        headers = {"Accept": MEDIA_TYPE}
        for name, header in _CONDITIONS.items():
            # What a server said is sent back to it, but only what fits in a header.
            if is_header_value(notes.get(name, "")):
                headers[header] = notes[name]
                break
        path = PATHS[followed.profile.name]
        try:
            reply = self._transport.ask(path, max_bytes=MAX_INPUT_BYTES, headers=headers)
        except RepositoryError as error:
            followed.problem = error.problems[0]
            return True
        url = self._transport.url + path
        followed.problem = None
        if reply.status == 304 and len(headers) > 1:  # the answer to a question with a condition
            return False
        if reply.status != 200:
            followed.problem = Problem(
                code="repository.status", subject=url, seen=f"HTTP status {reply.status}", expected="200 and a list"
            )
        elif reply.content_type != MEDIA_TYPE:
            seen = visible(reply.content_type) or "no content type"
            followed.problem = Problem(code="repository.content-type", subject=url, seen=seen, expected=MEDIA_TYPE)
        else:
            self._take(followed, HeldList(reply.body, followed.profile), dict(reply.headers), url)
        return followed.problem is not None

    def _take(self, followed: _Followed, held: HeldList, headers: dict[str, str], url: str) -> None:
        found = held.revocation_list
        if found is None:
            complaint = held.complaint or ("it cannot be read", "a list")
            followed.problem = Problem(
                code="repository.not-a-list", subject=url, seen=complaint[0][:200], expected="a revocation list, DER"
            )
            return
        highest = self._highest_of_name(found)
        if highest is not None and (found.number is None or found.number < highest):
            seen, expected = f"number {found.number}", f"{highest} or above, seen before"
            followed.problem = Problem(code="repository.rolled-back", subject=url, seen=seen, expected=expected)
            return
        if followed.latest is None or followed.latest.encoded != held.encoded:
            followed.latest = held
        followed.notes = {name: headers[name] for name in ("etag", "last-modified") if name in headers}
        self._cache.put(f"{followed.profile.name}.latest", held.encoded, followed.notes)

    def _highest_of_name(self, found: RevocationList) -> int | None:
        # Only of lists that a Relying Party found genuine: else one forged list of a high number would shut out
        # every right one. A renewed authority of the same name counts by its own key, hence by key identifier.
        good = [item.good.revocation_list for item in self._followed if item.good is not None]
        numbers = [
            item.number
            for item in good
            if item is not None and item.number is not None and item.issuer == found.issuer
            and item.authority_key_identifier == found.authority_key_identifier
        ]  # fmt: skip
        return max(numbers, default=None)

    def _remember(self, issuer: bytes, number: int, since: datetime) -> None:
        """Told by a Relying Party that it found a list of that number genuine."""
        with self._numbers_lock:
            self._cache.put_numbers(self.seen.known())
            for followed in self._followed:
                latest = followed.latest
                if latest is not None and latest.is_genuine and followed.good is not latest:
                    followed.good = latest
                    self._cache.put(f"{followed.profile.name}.good", latest.encoded, followed.notes or {})

    def _serve(self, moment: datetime) -> RevocationLists:
        lists = {item.profile.name: item.at(moment) for item in self._followed}
        problems = []
        for item in self._followed:
            if lists[item.profile.name]:
                continue
            known = item.latest or item.good
            if item.problem is not None:
                problems.append((item.profile, item.problem))
            elif known is not None:
                problems.append((item.profile, _overdue(known, self._transport.url + PATHS[item.profile.name])))
        served = RevocationLists(lists[ORGANISATION_CRL.name], lists[ORGANISATION_ARL.name], tuple(problems))
        if served == self._served.lists:
            served = self._served.lists  # the same object for as long as nothing changes: verdicts are kept by it
        known_lists = [held for item in self._followed for held in (item.latest, item.good) if held is not None]
        ends = [end for held in known_lists if (end := _next_update(held)) is not None]
        after = max((end for end in ends if end < moment), default=None)
        until = min((end for end in ends if end >= moment), default=None)
        self._served = _Served(served, after, until)
        return served


@dataclass(frozen=True, slots=True)
class _Served:
    """Lists, and the moments for which they are the ones that are not overdue."""

    lists: RevocationLists = field(default_factory=RevocationLists)
    after: datetime | None = None
    """Not for this moment, on which a list falls due that is left out, but for later ones; None for no such limit."""
    until: datetime | None = None
    """The last of these moments; None where no list is served."""

    @property
    def has_lists(self) -> bool:
        """Whether there is a list among them."""
        return bool(self.lists.crls or self.lists.arls)

    def is_for(self, moment: datetime) -> bool:
        """Whether they are the lists for that moment."""
        return self.until is not None and moment <= self.until and (self.after is None or self.after < moment)


def _next_update(held: HeldList) -> datetime | None:
    found = held.revocation_list
    return found.next_update if found is not None else None


def _is_overdue(held: HeldList, moment: datetime) -> bool:
    until = _next_update(held)
    return until is None or moment > until


def _overdue(held: HeldList, url: str) -> Problem:
    until = _next_update(held)
    seen = f"a list that was to be replaced by {iso(until) if until else 'an unknown time'}"
    return Problem(code="repository.overdue", subject=url, seen=seen, expected="a list that is current")
