"""Keeps the revocation lists of a Repository up to date; never serves an overdue list alone."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

from smki.clock import iso, utc
from smki.pki.pem import MAX_INPUT_BYTES
from smki.pki.revocation_list import ListHeader
from smki.problem import Problem
from smki.profile.forms import RevocationListProfile
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL
from smki.relying_party.list_cache import ListCache
from smki.relying_party.lists import HeldList, NumbersSeen, RevocationLists
from smki.relying_party.transport import RepositoryError, Transport, is_header_value, visible

PATHS = {ORGANISATION_CRL.name: "crl/organisation.crl", ORGANISATION_ARL.name: "crl/organisation.arl"}
_CONDITIONS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
"""The response header, and the request header that repeats its value (RFC 9110 13.1)."""
MEDIA_TYPE = "application/pkix-crl"
REFRESH_SECONDS = 300.0
"""Seconds between requests to the Repository, unless the caller chooses."""


@dataclass(slots=True)
class _Followed:
    """One list and its history."""

    profile: RevocationListProfile
    latest: HeldList | None = None
    """The last list received from the server."""
    good: HeldList | None = None
    """The last list that a Relying Party found genuine; a forgery received later does not displace it."""
    notes: dict[str, str] = field(default_factory=dict)
    """What the server said about the latest list, by header in lower case."""
    problem: Problem | None = None
    """Why the last request brought no list."""

    def at(self, moment: datetime) -> tuple[HeldList, ...]:
        """Return the lists if one of them is not overdue, else none.

        An overdue list is returned along with a current one, because it may show that the current one is not the
        newest.
        """
        lists = (self.latest, self.good if self.good is not self.latest else None)
        held = tuple(item for item in lists if item is not None)
        return held if any(not _is_overdue(item, moment) for item in held) else ()


class ListFollower:
    """The lists of one Repository, as a :class:`~smki.relying_party.lists.ListSource`. Safe for threads.

    :param refresh: seconds between requests to the Repository.
    :param retry: seconds until the next request after one that failed.
    """

    def __init__(
        self, transport: Transport, cache: ListCache, refresh: float = REFRESH_SECONDS, retry: float = 5.0
    ) -> None:
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
        """Return the lists available at *moment* that are not overdue, asking the Repository first if it is time to.

        :raises Malformed: if *moment* has no time zone.
        """
        moment = utc(moment, "moment")
        served = self._served
        is_current = served.is_for(moment)
        if is_current and time.monotonic() < self._next:
            return served.lists
        # While one thread makes the request, the others use lists that are still current.
        if not self._lock.acquire(blocking=not is_current):
            return served.lists
        try:
            if time.monotonic() >= self._next:
                troubles = [self._fetch(followed) for followed in self._followed]
                self._next = time.monotonic() + (self._retry if any(troubles) else self._refresh)
            return self._serve(moment)
        finally:
            self._lock.release()

    def refresh(self) -> None:
        """Request the lists again at the next opportunity, regardless of when they were last requested."""
        self._next = 0.0

    def problems(self) -> list[Problem]:
        """Return why the last requests failed, even if an earlier list is still usable."""
        return [followed.problem for followed in self._followed if followed.problem is not None]

    def _load(self, followed: _Followed) -> None:
        followed.good, _ = self._kept(followed.profile, "good")
        followed.latest, followed.notes = self._kept(followed.profile, "latest")
        if (
            followed.latest is not None
            and followed.good is not None
            and followed.latest.encoded == followed.good.encoded
        ):
            followed.latest = followed.good

    def _kept(self, profile: RevocationListProfile, kind: str) -> tuple[HeldList | None, dict[str, str]]:
        """Return a list from the cache and what the server said about it; None for one that cannot be read."""
        kept = self._cache.get(f"{profile.name}.{kind}")
        if kept is None:
            return None, {}
        held = HeldList(kept[0], profile)
        return (held, kept[1]) if held.outline.header is not None else (None, {})

    def _fetch(self, followed: _Followed) -> bool:
        """Request one list; return whether the request failed."""
        headers = {"Accept": MEDIA_TYPE}
        for name, header in _CONDITIONS.items():
            # Values from the server are sent back to it, but only if they are valid in a header.
            if is_header_value(followed.notes.get(name, "")):
                headers[header] = followed.notes[name]
                break
        path = PATHS[followed.profile.name]
        try:
            reply = self._transport.ask(path, max_bytes=MAX_INPUT_BYTES, headers=headers)
        except RepositoryError as error:
            followed.problem = error.problems[0]
            return True
        url = self._transport.url + path
        followed.problem = None
        if reply.status == 304 and len(headers) > 1:  # the response to a conditional request
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
        # Only its header is read: a Relying Party verifies the signature before it reads the entries.
        found = held.outline.header
        if found is None:
            assert held.outline.complaint is not None, "there is one about every list that cannot be read"
            seen, _ = held.outline.complaint
            followed.problem = Problem(
                code="repository.not-a-list", subject=url, seen=seen, expected="a revocation list, DER"
            )
            return
        highest = self._highest_of_name(found)
        if highest is not None and (found.number is None or found.number < highest):
            seen, expected = f"number {found.number}", f"{highest} or above, as already seen"
            followed.problem = Problem(code="repository.rolled-back", subject=url, seen=seen, expected=expected)
            return
        if followed.latest is None or followed.latest.encoded != held.encoded:
            followed.latest = held
        followed.notes = {name: headers[name] for name in ("etag", "last-modified") if name in headers}
        self._cache.put(f"{followed.profile.name}.latest", held.encoded, followed.notes)

    def _highest_of_name(self, found: ListHeader) -> int | None:
        # Only for lists that a Relying Party found genuine: otherwise a single forged list with a high number would
        # shut out every genuine one. A renewed authority of the same name has its own key, so the key identifier is
        # used.
        good = [item.good.outline.header for item in self._followed if item.good is not None]
        numbers = [
            item.number
            for item in good
            if item is not None and item.number is not None and item.issuer == found.issuer
            and item.authority_key_identifier == found.authority_key_identifier
        ]  # fmt: skip
        return max(numbers, default=None)

    def _remember(self, issuer: bytes, number: int, since: datetime) -> None:
        """Note that a Relying Party found a list with this number genuine."""
        with self._numbers_lock:
            self._cache.put_numbers(self.seen.known())
            for followed in self._followed:
                latest = followed.latest
                if latest is not None and latest.is_genuine and followed.good is not latest:
                    followed.good = latest
                    self._cache.put(f"{followed.profile.name}.good", latest.encoded, {})

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
            served = self._served.lists  # the same object until something changes: verdicts are cached by its identity
        known_lists = [held for item in self._followed for held in (item.latest, item.good) if held is not None]
        ends = [end for held in known_lists if (end := _next_update(held)) is not None]
        after = max((end for end in ends if end < moment), default=None)
        until = min((end for end in ends if end >= moment), default=None)
        self._served = _Served(served, after, until)
        return served


@dataclass(frozen=True, slots=True)
class _Served:
    """Lists, and the period in which they are the ones that are not overdue."""

    lists: RevocationLists = field(default_factory=RevocationLists)
    after: datetime | None = None
    """They are valid only for moments after this one, at which another list becomes overdue; None for no limit."""
    until: datetime | None = None
    """The last moment for which they are valid; None if there is no list."""

    def is_for(self, moment: datetime) -> bool:
        """Return whether these are the lists for that moment."""
        return self.until is not None and moment <= self.until and (self.after is None or self.after < moment)


def _next_update(held: HeldList) -> datetime | None:
    found = held.outline.header
    assert found is not None, "a list that cannot be read is not kept"
    return found.next_update


def _is_overdue(held: HeldList, moment: datetime) -> bool:
    until = _next_update(held)
    return until is None or moment > until


def _overdue(held: HeldList, url: str) -> Problem:
    until = _next_update(held)
    seen = f"a list due for replacement by {iso(until) if until else 'an unknown time'}"
    return Problem(code="repository.overdue", subject=url, seen=seen, expected="a current list")
