"""Revocation lists as a Relying Party holds them, and the numbers of those that it has seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Protocol

from smki.clock import utc
from smki.pki.revocation_list import RevocationList
from smki.pki.x509 import issuer_of
from smki.problem import Finding, Malformed, Problem, errors_among
from smki.profile.forms import RevocationListProfile
from smki.profile.lint_list import lint_revocation_list
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL
from smki.relying_party.anchor import Authority


class HeldList:
    """One list that was handed over: read once, its profile checked once, however many certificates ask it.

    :ivar bytes: DER, or whatever it is.
    :ivar profile: what it is meant to be: Organisation CRL or ARL.
    """

    def __init__(self, encoded: bytes, profile: RevocationListProfile) -> None:
        self.encoded = encoded
        self.profile = profile
        self._lock = threading.Lock()
        self._read: tuple[RevocationList | None, list[Finding] | Sequence[Problem]] | None = None
        self._signers: frozenset[bytes] = frozenset()
        self.is_genuine = False
        """Whether a Relying Party found it signed by an authority that it trusts."""

    @cached_property
    def issuer(self) -> bytes | None:
        """The issuer's Name, DER; None where it cannot be read."""
        return issuer_of(self.encoded)

    @property
    def revocation_list(self) -> RevocationList | None:
        """The list, read; None where it cannot be."""
        return self._examined()[0]

    @property
    def complaint(self) -> tuple[str, str] | None:
        """What is wrong with it by its profile (seen, expected); None for nothing at error or above."""
        found, findings = self._examined()
        errors = errors_among(item for item in findings if isinstance(item, Finding))
        if errors:
            return f"{errors[0].code} at {errors[0].location}: {errors[0].seen}", errors[0].expected
        if found is None:
            problem = next(item for item in findings if isinstance(item, Problem))
            return f"{problem.code} at {problem.subject}: {problem.seen}", problem.expected
        return None

    def is_signed_by(self, issuer: Authority) -> bool:
        """Whether the key of *issuer* signed it. Signatures that verified are remembered, by the key."""
        found = self.revocation_list
        if found is None or issuer.point is None:
            return False
        if issuer.point in self._signers:
            return True
        if not issuer.verifies(found.signature, found.tbs):
            return False
        with self._lock:
            self._signers |= {issuer.point}
        return True

    def _examined(self) -> tuple[RevocationList | None, list[Finding] | Sequence[Problem]]:
        with self._lock:  # a list of a million entries is read by one thread, the others wait for it
            if self._read is None:
                findings = lint_revocation_list(self.encoded)  # by whichever profile its issuer has
                try:
                    self._read = RevocationList.from_der(self.encoded), findings
                except Malformed as error:
                    self._read = None, findings if errors_among(findings) else error.problems
            return self._read


@dataclass(frozen=True, slots=True)
class RevocationLists:
    """The lists that are to be had at a moment, and why others are not."""

    crls: tuple[HeldList, ...] = ()
    """Organisation CRLs: one for each Issuing OCA."""
    arls: tuple[HeldList, ...] = ()
    """Organisation ARLs."""
    problems: tuple[tuple[RevocationListProfile, Problem], ...] = ()
    """Why a list could not be had."""

    @classmethod
    def of(cls, crls: Iterable[bytes] = (), arls: Iterable[bytes] = ()) -> RevocationLists:
        """The lists in these bytes (DER)."""
        return cls(
            tuple(HeldList(encoded, ORGANISATION_CRL) for encoded in crls),
            tuple(HeldList(encoded, ORGANISATION_ARL) for encoded in arls),
        )

    def held(self, profile: RevocationListProfile) -> tuple[HeldList, ...]:
        """Those of one kind."""
        return self.arls if profile is ORGANISATION_ARL else self.crls

    def problem(self, profile: RevocationListProfile) -> Problem | None:
        """Why one of that kind could not be had; None where nothing was said."""
        return next((problem for kind, problem in self.problems if kind is profile), None)


class ListSource(Protocol):
    """Where lists come from: a :class:`RevocationLists` that stays, or a repository that is asked each time."""

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        """The lists to be had at that moment. The same object for as long as nothing has changed."""


@dataclass(frozen=True, slots=True)
class FixedLists:
    """The same lists at any moment."""

    lists: RevocationLists = field(default_factory=RevocationLists)

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        """The lists."""
        return self.lists


MAX_REMEMBERED = 1024
"""How many numbers are remembered of one issuer: more than a year of Organisation CRLs."""


class NumbersSeen:
    """The highest number of a genuine list seen of each issuer. Safe for threads.

    What counts as older depends on the moment asked about: to look back to a day, the list of that day is right
    although a later one is known. So each number is kept with its thisUpdate, and binds from then on.

    :param known: (issuer, number, thisUpdate) from before.
    :param remember: called with (issuer, number, thisUpdate) whenever a higher number was seen, to keep it for longer.
    """

    def __init__(
        self,
        known: Iterable[tuple[bytes, int, datetime]] = (),
        remember: Callable[[bytes, int, datetime], None] | None = None,
    ) -> None:
        self._seen: dict[bytes, list[tuple[datetime, int]]] = {}
        self._lock = threading.Lock()
        self._remember = remember
        self._version = 0
        for issuer, number, since in known:
            self._seen.setdefault(issuer, []).append((utc(since, "thisUpdate"), number))

    @property
    def version(self) -> int:
        """A number that is another one after each change, for those who keep what they made of the numbers."""
        return self._version

    def note(self, issuer: bytes, number: int, since: datetime) -> None:
        """A genuine list with that number was seen.

        :param issuer: anything that tells the issuing key apart.
        :param since: its thisUpdate, UTC.
        :raises Malformed: when *since* names no time zone.
        """
        since = utc(since, "thisUpdate")
        with self._lock:
            seen = self._seen.setdefault(issuer, [])
            if any(moment <= since and known >= number for moment, known in seen):
                return
            seen.append((since, number))
            if len(seen) > MAX_REMEMBERED:
                seen.remove(min(seen))
            self._version += 1
        if self._remember is not None:
            self._remember(issuer, number, since)

    def highest(self, issuer: bytes, moment: datetime) -> int | None:
        """The highest number that a list of that issuer had at *moment* (UTC); None where none is known.

        :raises Malformed: when *moment* names no time zone.
        """
        moment = utc(moment, "moment")
        with self._lock:
            numbers = [number for since, number in self._seen.get(issuer, ()) if since <= moment]
        return max(numbers, default=None)

    def known(self) -> list[tuple[bytes, int, datetime]]:
        """(issuer, number, thisUpdate) of what is remembered, to begin with another time."""
        with self._lock:
            return [(issuer, number, since) for issuer, seen in self._seen.items() for since, number in seen]
