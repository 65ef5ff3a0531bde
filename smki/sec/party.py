"""Parties to the Code, the officers who act for them, and Testing Participants that are not Parties.

The tests in which both take part are in :mod:`smki.sec.recorded_test`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from smki.identity import EntityIdentifier, PartyId
from smki.problem import Malformed, Problem
from smki.sec.quota import check_quota
from smki.sec.quota import parse_quota as parse_quota
from smki.sec.recorded_test import RecordedTest, check_tests, parse_tests
from smki.sec.recorded_test import TestPurpose as TestPurpose
from smki.sec.role import CertificateKind, UserRole
from smki.sec.vocabulary import listed, parse_list, parse_word


class PartyCategory(enum.Enum):
    """The category of a Party; each Party has one."""

    DCC = "DCC"
    LARGE_SUPPLIER = "Large Supplier Party"
    SMALL_SUPPLIER = "Small Supplier Party"
    ELECTRICITY_NETWORK = "Electricity Network Party"
    GAS_NETWORK = "Gas Network Party"
    OTHER = "Other SEC Party"
    SHARED_RESOURCE = "Shared Resource"

    @classmethod
    def parse(cls, text: str) -> PartyCategory:
        """Parse ``large-supplier``, ``Large Supplier Party`` and so on, in upper or lower case.

        :raises Malformed: for anything else.
        """
        return parse_word(cls, text, "party-category.unknown", "Party category")

    def __str__(self) -> str:
        return self.value


class Standing(enum.Enum):
    """The standing of an organisation as a Party."""

    ACCEDED = "acceded"
    SUSPENDED = "suspended"
    EXPELLED = "expelled"
    WITHDRAWN = "withdrawn"

    @classmethod
    def parse(cls, text: str) -> Standing:
        """Parse one of the four terms, in upper or lower case.

        :raises Malformed: for anything else.
        """
        return parse_word(cls, text, "standing.unknown", "standing", "SEC M8")

    def __str__(self) -> str:
        return self.value


SUPPLIERS = frozenset({PartyCategory.LARGE_SUPPLIER, PartyCategory.SMALL_SUPPLIER})
NETWORKS = frozenset({PartyCategory.ELECTRICITY_NETWORK, PartyCategory.GAS_NETWORK})
_ANY_BUT_DCC = frozenset(PartyCategory) - {PartyCategory.DCC}

CATEGORIES_OF_ROLE: dict[UserRole, frozenset[PartyCategory]] = {
    UserRole.IMPORT_SUPPLIER: SUPPLIERS,
    UserRole.EXPORT_SUPPLIER: SUPPLIERS,
    UserRole.GAS_SUPPLIER: SUPPLIERS,
    UserRole.ELECTRICITY_DISTRIBUTOR: NETWORKS,
    UserRole.GAS_TRANSPORTER: NETWORKS,
    UserRole.REGISTERED_SUPPLIER_AGENT: _ANY_BUT_DCC,
    UserRole.OTHER_USER: _ANY_BUT_DCC,
    UserRole.LOAD_CONTROLLER: _ANY_BUT_DCC,
}
"""The categories of Party that can act in each User Role. A record that contradicts this is refused when it is made."""

_ROLE_OF_LICENCE: dict[PartyCategory, frozenset[UserRole]] = {
    PartyCategory.ELECTRICITY_NETWORK: frozenset({UserRole.ELECTRICITY_DISTRIBUTOR}),
    PartyCategory.GAS_NETWORK: frozenset({UserRole.GAS_TRANSPORTER}),
}
"""The User Role of a Network Party follows from its category. That of a Supplier does not: it may supply either
fuel."""

SUBSCRIBER_KINDS = frozenset({CertificateKind.ORGANISATION, CertificateKind.DEVICE})
"""The kinds of certificate for which a Party registers as an Authorised Subscriber."""


def parse_subscriber_kind(text: str) -> CertificateKind:
    """Parse ``organisation`` or ``device``, in upper or lower case.

    :raises Malformed: for anything else.
    """
    wanted = text.strip().lower()
    for kind in SUBSCRIBER_KINDS:
        if kind.value == wanted:
            return kind
    raise Malformed(
        Problem(
            code="certificate-kind.unknown",
            subject="kind of certificate",
            seen=f"{text[:64]!r}",
            expected="a kind of certificate that Parties subscribe for",
        )
    )


@dataclass(frozen=True, slots=True)
class StandingChange:
    """A change of standing, and the day from which it applies."""

    standing: Standing
    since: date

    @classmethod
    def parse(cls, text: str) -> StandingChange:
        """Parse ``suspended 2024-05-01``.

        :raises Malformed: for anything else.
        """
        word, _, day = text.strip().rpartition(" ")
        return cls(Standing.parse(word or text), parse_day(day if word else ""))


def parse_day(text: str) -> date:
    """Parse a day like ``2024-05-01``.

    :raises Malformed: for anything else.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Malformed(Problem(code="day.malformed", subject="day", seen=f"{text[:64]!r}", expected="a day")) from None


@dataclass(frozen=True, slots=True)
class Officer:
    """An Authorised Responsible Officer (ARO)."""

    name: str
    kinds: frozenset[CertificateKind]
    """The kinds of certificate the officer applies for: Organisation Certificates, Device Certificates or both."""

    def __post_init__(self) -> None:
        # A colon ends the name in the text form of an officer.
        is_name = bool(self.name.strip()) and ":" not in self.name
        if not is_name or not self.kinds or not self.kinds <= SUBSCRIBER_KINDS:
            kinds = listed(sorted(kind.value for kind in self.kinds)) or "nothing"
            raise Malformed(
                Problem(
                    code="officer.malformed",
                    subject="officer",
                    seen=f"{self.name[:64]!r} for {kinds}",
                    expected="a name without a colon, and Organisation Certificates, Device Certificates or both",
                )
            )

    @classmethod
    def parse(cls, text: str) -> Officer:
        """Parse ``Jo Bloggs: organisation, device``; a name without kinds means both.

        :raises Malformed: for anything else.
        """
        name, colon, kinds = text.partition(":")
        if not colon:
            return cls(name.strip(), SUBSCRIBER_KINDS)
        return cls(name.strip(), frozenset(parse_list(kinds, parse_subscriber_kind)))


@dataclass(frozen=True, slots=True)
class Party:
    """A Party to the Code, or a former or future one."""

    party_id: PartyId
    name: str
    category: PartyCategory
    user_roles: frozenset[UserRole] = frozenset()
    """The User Roles in which it acts; each is judged separately (SEC G1.5)."""
    standing: tuple[StandingChange, ...] = ()
    """Every change of standing, oldest first; the first is its accession. Of several on one day the last applies.
    Empty if it never acceded."""
    identifiers: frozenset[EntityIdentifier] = frozenset()
    """Its User IDs, DCC IDs and RDP IDs. An identifier belongs to one Party only."""
    authorised_for: frozenset[CertificateKind] = frozenset()
    """The kinds of certificate for which it is an Authorised Subscriber."""
    officers: tuple[Officer, ...] = ()
    acts_for: frozenset[PartyId] = frozenset()
    """The Parties that have named it as their Shared Resource, to act on their behalf. That is a role in which a Party
    of any category acts (SEC G1.7A)."""
    through_entry: bool = True
    """False if it has not been through the User Entry Process and acts only under its licence."""
    quota: int | None = None
    """The number of Test Certificates it may have outside its recorded tests (SEC H14.11); None for no limit."""
    tests: tuple[RecordedTest, ...] = ()
    """The tests in which it takes part."""

    def __post_init__(self) -> None:
        _check_name(self.name, f"Party {self.party_id}")
        check_quota(self.quota, f"Party {self.party_id}")
        check_tests(self.tests, f"Party {self.party_id}")
        misfits = [
            role for role in UserRole if role in self.user_roles and self.category not in CATEGORIES_OF_ROLE[role]
        ]
        if misfits:
            role = misfits[0]
            categories = listed((str(each) for each in PartyCategory if each in CATEGORIES_OF_ROLE[role]), "or")
            self._refuse("party.role-of-other-category", f"{self.category} acting as {role}", f"{role}: {categories}")
        days = [change.since for change in self.standing]
        if days != sorted(days) or (self.standing and self.standing[0].standing is not Standing.ACCEDED):
            seen = listed(f"{change.standing} {change.since}" for change in self.standing)
            self._refuse(
                "party.standing-order", seen, "an accession first, then each change on the same day or later", "SEC M8"
            )
        if not self.authorised_for <= SUBSCRIBER_KINDS:
            seen = listed(sorted(kind.title for kind in self.authorised_for))
            self._refuse(
                "party.authorised-for", seen, "Organisation Certificates, Device Certificates or both", "SEC L3"
            )

    def _refuse(self, code: str, seen: str, expected: str, clause: str = "") -> None:
        raise Malformed(
            Problem(code=code, subject=f"Party {self.party_id}", seen=seen, expected=expected, clause=clause)
        )

    @classmethod
    def parse(
        cls,
        *,
        party_id: str,
        category: str,
        name: str = "",
        user_roles: str = "",
        standing: str = "",
        identifiers: str = "",
        authorised_for: str = "",
        officers: Iterable[str] = (),
        acts_for: str = "",
        through_entry: bool = True,
        quota: str = "",
        tests: Iterable[Mapping[str, str]] = (),
    ) -> Party:
        """Parse the fields of a Party, given as text. Several values are separated by commas; officers are a list.

        :param standing: like ``acceded 2016-11-08, suspended 2024-05-01``.
        :param tests: the fields of each test (:meth:`~smki.sec.recorded_test.RecordedTest.parse`).
        :raises Malformed: if a field is not valid, or two contradict each other.
        """
        identity = PartyId.parse(party_id)
        return cls(
            identity,
            name.strip() or str(identity),
            PartyCategory.parse(category),
            frozenset(parse_list(user_roles, UserRole.parse)),
            tuple(parse_list(standing, StandingChange.parse)),
            frozenset(parse_list(identifiers, EntityIdentifier.parse)),
            frozenset(parse_list(authorised_for, parse_subscriber_kind)),
            tuple(Officer.parse(officer) for officer in officers),
            frozenset(parse_list(acts_for, PartyId.parse)),
            through_entry,
            parse_quota(quota),
            parse_tests(tests),
        )

    @property
    def accession_date(self) -> date | None:
        """The day on which it first acceded to the Code, or None."""
        return self.standing[0].since if self.standing else None

    @property
    def acts_as(self) -> frozenset[UserRole]:
        """Its User Roles, including that of a Network Party's licence even if it is not a User."""
        licensed = _ROLE_OF_LICENCE.get(self.category)
        return self.user_roles if licensed is None else self.user_roles | licensed

    @property
    def is_user(self) -> bool:
        """Whether it is a User, which most certificates do not require."""
        return self.through_entry and bool(self.user_roles)

    def standing_on(self, day: date) -> Standing | None:
        """Return its standing on a day; None before its accession."""
        found = None
        for change in self.standing:
            if change.since > day:
                break
            found = change.standing
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class TestingParticipant:
    """A participant in tests that is not a Party, such as a Device manufacturer or somebody acting for one (SEC
    H14.11)."""

    __test__ = False  # the name begins like a test class for pytest

    participant_id: PartyId
    name: str
    tests: tuple[RecordedTest, ...] = ()
    """The tests in which it takes part."""
    agreement: date | None = None
    """The day of its agreement on the terms of Schedule 7; None if it has none."""
    identifiers: frozenset[EntityIdentifier] = frozenset()
    """The Entity Identifiers of its own, which are recorded with its tests and belong to nobody else."""
    officers: tuple[Officer, ...] = ()

    def __post_init__(self) -> None:
        _check_name(self.name, f"Testing Participant {self.participant_id}")
        check_tests(self.tests, f"Testing Participant {self.participant_id}")

    @classmethod
    def parse(
        cls,
        *,
        participant_id: str,
        name: str = "",
        tests: Iterable[Mapping[str, str]] = (),
        agreement: str = "",
        identifiers: str = "",
        officers: Iterable[str] = (),
        purpose: str = "",
        quota: str = "",
    ) -> TestingParticipant:
        """Parse the fields of a Testing Participant, given as text; *agreement* is a day or empty.

        :param tests: the fields of each test (:meth:`~smki.sec.recorded_test.RecordedTest.parse`).
        :param purpose: the purpose of its one test, as records of earlier versions have it; *quota* is that test's.
        :raises Malformed: if a field is not valid.
        """
        identity = PartyId.parse(participant_id)
        recorded = parse_tests(tests)
        if purpose or quota:
            recorded = (*recorded, RecordedTest.parse(purpose=purpose, quota=quota))
        return cls(
            participant_id=identity,
            name=name.strip() or str(identity),
            tests=recorded,
            agreement=parse_day(agreement) if agreement.strip() else None,
            identifiers=frozenset(parse_list(identifiers, EntityIdentifier.parse)),
            officers=tuple(Officer.parse(officer) for officer in officers),
        )


@dataclass(frozen=True, slots=True)
class NonParty:
    """An applicant that is neither a Party nor a Testing Participant; only its name is known."""

    name: str


def is_the_dcc(who: object) -> bool:
    """Return whether an applicant is the DCC."""
    return isinstance(who, Party) and who.category is PartyCategory.DCC


def _check_name(name: str, subject: str) -> None:
    if not name.strip():
        raise Malformed(Problem(code="party.no-name", subject=subject, seen="no name", expected="a name"))
