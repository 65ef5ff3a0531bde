"""Revocation lists held by a Relying Party, and the list numbers that it has seen."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol

from smki.clock import utc
from smki.pki.pem import MAX_INPUT_BYTES
from smki.pki.revocation_list import ListHeader, RevocationList, read_revocation_list
from smki.pki.x509 import issuer_of
from smki.problem import Finding, Malformed, Problem, errors_among
from smki.profile.catalogue import Report
from smki.profile.check_bytes import check_length, report_faults
from smki.profile.forms import RevocationListProfile
from smki.profile.lint_list import lint_revocation_list
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL
from smki.relying_party.anchor import Authority

Complaint = tuple[str, str]
"""What is wrong with a list, as (seen, expected)."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A list before its signature is verified: the parts that take constant time to read, which anyone may have made."""

    header: ListHeader | None = None
    """None if its fields cannot be read."""
    signature: bytes = b""
    """Ecdsa-Sig-Value, DER."""
    digest: bytes = b""
    """The SHA-256 of the TBSCertList; empty if the signature cannot be verified."""
    complaint: Complaint | None = None
    """Why the signature cannot be verified, or the header cannot be read; None if neither is so."""


@dataclass(frozen=True, slots=True)
class ReadList:
    """A list whose signature was verified, with its entries."""

    revocation_list: RevocationList | None
    """None if it cannot be read, in spite of its signature."""
    complaint: Complaint | None
    """The first violation of its profile at error or above; None if there is none."""


class HeldList:
    """One list as received. Its entries are read and checked once, and not before its signature was verified: anyone may
    offer a list of any size, and reading a million entries takes seconds.

    :ivar encoded: the bytes received, normally DER.
    :ivar profile: the intended kind of list: Organisation CRL or ARL.
    """

    def __init__(self, encoded: bytes, profile: RevocationListProfile) -> None:
        self.encoded = encoded
        self.profile = profile
        self._lock = threading.Lock()
        self._read: ReadList | None = None
        self._signers: frozenset[bytes] = frozenset()
        self.is_genuine = False
        """Whether a Relying Party verified that it was signed by an authority it trusts."""

    @cached_property
    def issuer(self) -> bytes | None:
        """The issuer's Name, DER; None if it cannot be read."""
        return issuer_of(self.encoded)

    @cached_property
    def outline(self) -> Outline:
        """What can be read in constant time, whoever made the list."""
        return _outline(self.encoded)

    def is_signed_by(self, issuer: Authority) -> bool:
        """Return whether the key of *issuer* signed it. Signatures that verified are cached by key."""
        outline = self.outline
        if issuer.point is None or not outline.digest:
            return False
        if issuer.point in self._signers:
            return True
        if not issuer.verifies_digest(outline.signature, outline.digest):
            return False
        with self._lock:
            self._signers |= {issuer.point}
        return True

    def read_by(self, issuer: Authority) -> ReadList | None:
        """Return the list with its entries, checked against its profile; None unless the key of *issuer* signed it."""
        if not self.is_signed_by(issuer):
            return None
        with self._lock:  # one thread reads a list of a million entries while the others wait
            if self._read is None:
                self._read = _read(self.encoded)
            return self._read


def _outline(encoded: bytes) -> Outline:
    report = Report()
    if len(encoded) > MAX_INPUT_BYTES:
        report("der.too-large", "certificateList", f"{len(encoded)} bytes", f"at most {MAX_INPUT_BYTES} bytes")
        return Outline(complaint=_complaint(report.findings))
    structure = read_revocation_list(encoded)
    report_faults(report, structure.faults)
    if structure.tbs is None or structure.signature is None:
        return Outline(complaint=_complaint(report.findings))
    # Hashed once, without a copy, however many authorities the list is tried with.
    signed = memoryview(encoded)[structure.tbs.start : structure.tbs.end]
    digest, signature = hashlib.sha256(signed).digest(), structure.signature.content[1:]
    if not check_length(report, structure.size_without_entries, "certificateList"):
        return Outline(None, signature, digest, _complaint(report.findings))
    try:
        return Outline(ListHeader.of_structure(structure), signature, digest)
    except Malformed as error:
        return Outline(None, signature, digest, _complaint(error.problems))


def _read(encoded: bytes) -> ReadList:
    findings = lint_revocation_list(encoded)  # the profile follows from its issuer
    errors = errors_among(findings)
    try:
        return ReadList(RevocationList.from_der(encoded), _complaint(errors) if errors else None)
    except Malformed as error:
        return ReadList(None, _complaint(errors or error.problems))


def _complaint(found: Sequence[Finding | Problem]) -> Complaint:
    first = found[0]
    location = first.location if isinstance(first, Finding) else first.subject
    return f"{first.code} at {location}: {first.seen}", first.expected


@dataclass(frozen=True, slots=True)
class RevocationLists:
    """The lists available at a moment, and the reasons why others are not."""

    crls: tuple[HeldList, ...] = ()
    """Organisation CRLs, one for each Issuing OCA."""
    arls: tuple[HeldList, ...] = ()
    """Organisation ARLs."""
    problems: tuple[tuple[RevocationListProfile, Problem], ...] = ()
    """Why a list is not available."""

    @classmethod
    def of(cls, crls: Iterable[bytes] = (), arls: Iterable[bytes] = ()) -> RevocationLists:
        """Return the lists in these bytes (DER)."""
        return cls(
            tuple(HeldList(encoded, ORGANISATION_CRL) for encoded in crls),
            tuple(HeldList(encoded, ORGANISATION_ARL) for encoded in arls),
        )

    def held(self, profile: RevocationListProfile) -> tuple[HeldList, ...]:
        """Return the lists of one kind."""
        return self.arls if profile is ORGANISATION_ARL else self.crls

    def problem(self, profile: RevocationListProfile) -> Problem | None:
        """Return why a list of that kind is not available; None if no reason is known."""
        return next((problem for kind, problem in self.problems if kind is profile), None)


class ListSource(Protocol):
    """A source of lists: a fixed :class:`RevocationLists`, or a repository that is asked for them."""

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        """Return the lists available at that moment: the same object as long as nothing has changed."""


@dataclass(frozen=True, slots=True)
class FixedLists:
    """A source that returns the same lists for any moment."""

    lists: RevocationLists

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        """Return the lists."""
        return self.lists


MAX_REMEMBERED = 1024
"""Maximum number of list numbers remembered for each issuer: more than a year of Organisation CRLs."""


class NumbersSeen:
    """The highest number of a genuine list seen from each issuer. Safe for threads.

    Which lists count as too old depends on the moment asked about: for a past day, the list of that day is right even
    if a later one is known. So each number is stored with its thisUpdate, and is enforced from then on.

    :param known: (issuer, number, thisUpdate) from an earlier run.
    :param remember: called with (issuer, number, thisUpdate) for each higher number, to store it persistently.
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
        """A number that changes with every update, for use as a cache key."""
        return self._version

    def note(self, issuer: bytes, number: int, since: datetime) -> None:
        """Record that a genuine list with this number was seen.

        :param issuer: anything that identifies the issuing key.
        :param since: its thisUpdate, UTC.
        :raises Malformed: if *since* has no time zone.
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
        """Return the highest list number known for that issuer at *moment* (UTC); None if there is none.

        :raises Malformed: if *moment* has no time zone.
        """
        moment = utc(moment, "moment")
        with self._lock:
            numbers = [number for since, number in self._seen.get(issuer, ()) if since <= moment]
        return max(numbers, default=None)

    def known(self) -> list[tuple[bytes, int, datetime]]:
        """Return (issuer, number, thisUpdate) of every number remembered, for use as *known* in a later run."""
        with self._lock:
            return [(issuer, number, since) for issuer, seen in self._seen.items() for since, number in seen]
