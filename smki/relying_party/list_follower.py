"""Follows the revocation lists of a Repository: asks now and then, keeps what it got, serves nothing overdue."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime

from smki.clock import iso
from smki.pki.pem import MAX_INPUT_OCTETS
from smki.pki.revocation_list import RevocationList
from smki.problem import Problem
from smki.profile.forms import RevocationListProfile
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL
from smki.relying_party.list_cache import ListCache
from smki.relying_party.lists import HeldList, NumbersSeen, RevocationLists
from smki.relying_party.transport import RepositoryError, Transport

PATHS = {ORGANISATION_CRL.name: "crl/organisation.crl", ORGANISATION_ARL.name: "crl/organisation.arl"}
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

    def current(self, moment: datetime) -> tuple[HeldList, ...]:
        """Those that are not overdue; the same one twice is one."""
        lists = {id(item): item for item in (self.latest, self.good) if item is not None}
        return tuple(item for item in lists.values() if not _is_overdue(item, moment))


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
        self._served = RevocationLists()
        self._until: datetime | None = None
        self._numbers_lock = threading.Lock()
        self._numbers = cache.numbers()
        self._followed = [_Followed(profile) for profile in (ORGANISATION_CRL, ORGANISATION_ARL)]
        self.seen = NumbersSeen(self._numbers, self._remember)
        for followed in self._followed:
            self._load(followed)

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        """The lists to be had at that moment, none of them overdue; asks the Repository when it is time to."""
        is_current = self._until is not None and moment <= self._until
        if is_current and time.monotonic() < self._next:
            return self._served
        # While one thread asks, the others go on with lists that are still current.
        if not self._lock.acquire(blocking=not is_current):
            return self._served
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

    def _fetch(self, followed: _Followed) -> bool:
        """Ask for one list; whether that brought nothing."""
        notes = followed.notes if followed.latest is not None and followed.notes else {}
        headers = {"Accept": MEDIA_TYPE}
        if "etag" in notes:
            headers["If-None-Match"] = notes["etag"]
        elif "last-modified" in notes:
            headers["If-Modified-Since"] = notes["last-modified"]
        path = PATHS[followed.profile.name]
        try:
            reply = self._transport.ask(path, max_octets=MAX_INPUT_OCTETS, headers=headers)
        except RepositoryError as error:
            followed.problem = error.problems[0]
            return True
        url = self._transport.url + path
        followed.problem = None
        if reply.status == 304 and followed.latest is not None:
            return False
        if reply.status != 200:
            followed.problem = Problem("repository.status", url, f"HTTP status {reply.status}", "200 and a list")
        elif reply.content_type != MEDIA_TYPE:
            seen = reply.content_type[:80] or "no content type"
            followed.problem = Problem("repository.content-type", url, seen, MEDIA_TYPE, "RFC 2585 4.2")
        else:
            self._take(followed, HeldList(reply.body, followed.profile), dict(reply.headers), url)
        return followed.problem is not None

    def _take(self, followed: _Followed, held: HeldList, headers: dict[str, str], url: str) -> None:
        found = held.revocation_list
        if found is None:
            complaint = held.complaint or ("it cannot be read", "a list")
            followed.problem = Problem("repository.not-a-list", url, complaint[0][:200], "a revocation list, DER")
            return
        highest = self._highest_of_name(found)
        if highest is not None and (found.number is None or found.number < highest):
            seen, expected = f"number {found.number}", f"{highest} or above, seen before"
            followed.problem = Problem("repository.rolled-back", url, seen, expected, "RFC 5280 5.2.3")
            return
        if followed.latest is None or followed.latest.octets != held.octets:
            followed.latest = held
        followed.notes = {name: headers[name] for name in ("etag", "last-modified") if name in headers}
        self._cache.put(f"{followed.profile.name}.latest", held.octets, followed.notes)

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
            self._numbers = [row for row in self._numbers if row[0] != issuer or row[2] > since]
            self._numbers.append((issuer, number, since))
            self._cache.put_numbers(self._numbers)
            for followed in self._followed:
                found = followed.latest.revocation_list if followed.latest else None
                if found is not None and found.number == number and issuer.startswith(found.issuer):
                    followed.good = followed.latest
                    assert followed.latest is not None
                    self._cache.put(f"{followed.profile.name}.good", followed.latest.octets, followed.notes or {})

    def _serve(self, moment: datetime) -> RevocationLists:
        lists = {item.profile.name: item.current(moment) for item in self._followed}
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
        if served != self._served:
            self._served = served  # the same object for as long as nothing changes: verdicts are kept by it
        ends = [_next_update(held) for held in (*served.crls, *served.arls)]
        self._until = min((end for end in ends if end is not None), default=None)
        return self._served


def _next_update(held: HeldList) -> datetime | None:
    found = held.revocation_list
    return found.next_update if found is not None else None


def _is_overdue(held: HeldList, moment: datetime) -> bool:
    until = _next_update(held)
    return until is None or moment > until


def _overdue(held: HeldList, url: str) -> Problem:
    until = _next_update(held)
    seen = f"a list that was to be replaced by {iso(until) if until else 'an unknown time'}"
    return Problem("repository.overdue", url, seen, "a list that is current")
