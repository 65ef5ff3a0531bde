"""The bounds of what is searched for, which failure is shown of several, and a verdict as programs get it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from smki.clock import iso
from smki.identity import EntityIdentifier
from smki.pki.certificate import Certificate
from smki.pki.revocation_entry import RevokedEntry
from smki.problem import Malformed
from smki.relying_party import NumbersSeen, RelyingParty, RevocationLists, Suspicion, Suspicions, TrustAnchor
from smki.relying_party.anchor import Authority, authority_of_anchor, authority_of_certificate
from smki.relying_party.authorities import MAX_AUTHORITIES, MAX_PATHS, Authorities, is_right_kind, may_issue
from smki.relying_party.examine import examine
from smki.relying_party.lists import MAX_REMEMBERED
from smki.relying_party.requirements import (
    AUTHORITY,
    CRITICAL,
    HIERARCHY,
    ISSUER,
    KEY_CERT_SIGN,
    KEY_IDENTIFIER,
    REQUIREMENTS,
    SIGNATURE,
    STEPS,
)
from smki.relying_party.verdict import Check, Outcome, Verdict
from smki.remedies import Interface
from smki.sec.role import CertificateKind, RemotePartyRole
from smki.testing.defects import Base
from smki.testing.defects.edits import added, another, issued_by, put, valid
from smki.testing.defects.sample_pki import authority_name
from smki.testing.vectors import MOMENT
from tests.relying_party.test_inputs_alone import (
    ANCHORS,
    ARL,
    CHAIN,
    CRL,
    DEVICE,
    HOUR,
    ISSUING_DCA,
    ISSUING_OCA,
    OLD_CRL,
    PKI,
    ROOT,
    ROOT_DCA,
    ROOT_OCA,
    SUPPLIER,
    all_orders,
    by_nobody,
    code,
    issued_by_authority,
    look_alike,
    numbered,
    party,
    revocation_list,
)

LINK = (ISSUER, KEY_IDENTIFIER, SIGNATURE, AUTHORITY, KEY_CERT_SIGN, HIERARCHY)
"""What is checked of a certificate and its issuer."""


def ladder(roots: int) -> list[bytes]:
    """That many roots below the anchor, each issued by the one above it, and an Issuing OCA below the last."""
    name, label, made = PKI.name(Base.ROOT_OCA), Base.ROOT_OCA.value, []
    for number in range(roots):
        below = authority_name(RemotePartyRole.ROOT, f"R{number}")
        made.append(PKI.make(Base.ROOT_OCA, put(subject=below), another(f"root {number}"), issued_by(name, label)))
        name, label = below, f"root {number}"
    return [*made, PKI.make(Base.ISSUING_OCA, issued_by(name, label))]


def failed(verdict: Verdict) -> set[str]:
    return {check.code for check in verdict.failures()}


# Paths


@pytest.mark.parametrize("roots", [3, 4])
def test_the_longest_path(roots: int) -> None:
    verdict = party([CRL], [ARL], chain=ladder(roots)).verify(SUPPLIER)
    assert sum(check.requirement.name == "path.length" for check in verdict.checks) == roots + 2 <= MAX_AUTHORITIES
    assert not failed(verdict) & {"path.issuer-unknown", "path.signature", "path.length", "path.hierarchy"}


@pytest.mark.parametrize("roots", [5, 6, 9])
def test_an_anchor_beyond_the_longest_path_is_not_found(roots: int) -> None:
    """Although every signature up to it verifies."""
    for judge, chain in ((party([CRL], [ARL], chain=ladder(roots)), []), (party([CRL], [ARL], []), ladder(roots))):
        verdict = judge.verify(SUPPLIER, chain=chain)
        assert not verdict.trusted
        assert "path.issuer-unknown" in failed(verdict)
        assert sum(check.requirement.name == "path.length" for check in verdict.checks) == MAX_AUTHORITIES


def members(*certificates: bytes) -> list[Authority]:
    found = [authority_of_certificate(encoded) for encoded in certificates]
    return [item for item in found if item is not None]


ROOT_AUTHORITY = authority_of_anchor(TrustAnchor.of(ROOT))
RENEWED = [PKI.make(Base.ISSUING_OCA, numbered(f"renewed {number}")) for number in range(MAX_PATHS + 2)]


def test_the_number_of_paths_is_the_documented_one() -> None:
    """More than 23 renewals of one authority reach it."""
    assert MAX_PATHS == 24


@pytest.mark.parametrize("count", [1, 2, MAX_PATHS - 1, MAX_PATHS, MAX_PATHS + 1])
def test_no_more_than_so_many_paths(count: int) -> None:
    authorities = Authorities([ROOT_AUTHORITY, *members(*RENEWED[:count])])
    found = authorities.paths_above(examine(SUPPLIER))
    assert found.is_issued
    assert len(found.paths) == min(count, MAX_PATHS)
    assert {path[1] for path in found.paths} == {ROOT_AUTHORITY}
    assert all(len(path) == 2 for path in found.paths)


@pytest.mark.parametrize("count", [MAX_PATHS - 1, MAX_PATHS, MAX_PATHS + 1])
def test_no_more_than_so_many_paths_by_name(count: int) -> None:
    chaff = [look_alike(Base.ISSUING_OCA, another(f"chaff {number}")) for number in range(count)]
    found = Authorities([ROOT_AUTHORITY, *members(*chaff)]).paths_above(examine(SUPPLIER))
    assert not found.is_issued
    assert len(found.paths) == min(count, MAX_PATHS)


def test_paths_by_name_that_end_in_an_anchor_come_first() -> None:
    """No signature of these verifies; an authority whose issuer is not there leads nowhere."""
    stray = PKI.make(Base.ISSUING_OCA, numbered("stray"), issued_by(authority_name(None, "nowhere"), "nobody"))
    astray = members(*(look_alike(Base.ISSUING_OCA, another(label)) for label in ("a", "b")), stray)
    found = Authorities([ROOT_AUTHORITY, *astray]).paths_above(examine(look_alike(Base.ORGANISATION)))
    assert [path[-1].is_anchor for path in found.paths] == [True, True, False]


def test_paths_by_name_end_at_an_anchor_and_at_a_root() -> None:
    """Even where an authority with the name of the issuer is known. The signature of what they are for is wrong."""
    altered = examine(SUPPLIER[:-1] + bytes((SUPPLIER[-1] ^ 1,)))
    anchor = authority_of_anchor(TrustAnchor.of(Certificate.from_der(ISSUING_OCA)))
    assert Authorities([anchor, ROOT_AUTHORITY]).paths_above(altered).paths == ((anchor,),)
    oca, *roots = members(ISSUING_OCA, *(PKI.make(Base.ROOT_OCA, another(label)) for label in ("one", "two")))
    assert {root.name for root in roots} == {ROOT_AUTHORITY.name}
    found = Authorities([oca, *roots]).paths_above(altered)
    assert set(found.paths) == {(oca, root) for root in roots}


def test_which_authorities_are_issued_and_signed() -> None:
    oca, stranger = members(ISSUING_OCA, look_alike(Base.ISSUING_OCA, another("stranger")))
    base = Authorities([ROOT_AUTHORITY])
    assert base.extended([ROOT_AUTHORITY]) is base
    more = base.extended([oca, stranger])
    assert list(more) == [ROOT_AUTHORITY, oca, stranger]
    assert list(base) == [ROOT_AUTHORITY]
    assert [more.is_issued(item) for item in more] == [True, True, False]
    assert [more.is_signed(item, ROOT_AUTHORITY) for item in more] == [True, True, False]
    assert not base.is_issued(oca)
    assert not base.is_signed(oca, ROOT_AUTHORITY)
    assert list(more.extended([oca])) == list(more)


def test_a_larger_set_verifies_only_what_was_added(monkeypatch: pytest.MonkeyPatch) -> None:
    base = Authorities([ROOT_AUTHORITY, *members(*RENEWED[:3])])
    verified: list[bytes] = []
    verifies = Authority.verifies

    def counted(issuer: Authority, signature: bytes, signed: bytes) -> bool:
        verified.append(signed)
        return verifies(issuer, signature, signed)

    monkeypatch.setattr(Authority, "verifies", counted)
    more = base.extended(members(RENEWED[3]))
    assert verified == [Certificate.from_der(RENEWED[3]).tbs]
    assert all(more.is_signed(item, ROOT_AUTHORITY) for item in more)


@pytest.mark.parametrize("number", range(6))
def test_of_two_authorities_of_one_name_the_one_with_the_key_identifier_comes_first(number: int) -> None:
    """Whatever their bytes, by which authorities are sorted otherwise."""
    oca, other = members(ISSUING_OCA, look_alike(Base.ISSUING_OCA, another(f"other {number}")))
    altered = SUPPLIER[:-1] + bytes((SUPPLIER[-1] ^ 1,))
    found = Authorities([ROOT_AUTHORITY, oca, other]).paths_above(examine(altered))
    assert [path[0] for path in found.paths] == [oca, other]
    assert not found.is_issued


def test_nothing_is_above_what_cannot_be_read() -> None:
    assert Authorities([ROOT_AUTHORITY]).paths_above(examine(b"\x30\x00")) == (((),), False)
    assert Authorities([]).paths_above(examine(SUPPLIER)) == (((),), False)


ABOVE = {
    CertificateKind.ORGANISATION: {"ISSUING_OCA"},
    CertificateKind.DEVICE: {"ISSUING_DCA", "bare DCA"},
    CertificateKind.ISSUING_OCA: {"ROOT_OCA"},
    CertificateKind.ISSUING_DCA: {"ROOT_DCA", "bare DCA"},
    CertificateKind.ROOT_OCA: {"ROOT_OCA"},
    CertificateKind.ROOT_DCA: {"ROOT_DCA", "bare DCA"},
}


@pytest.mark.parametrize("kind", list(ABOVE))
def test_who_may_issue_what(kind: CertificateKind) -> None:
    dca = Certificate.from_der(ISSUING_DCA)
    assert dca.point is not None
    known = dict(
        zip(
            ("ISSUING_OCA", "ISSUING_DCA", "ROOT_OCA", "ROOT_DCA", "an Organisation", "a Device"),
            members(ISSUING_OCA, ISSUING_DCA, ROOT_OCA, ROOT_DCA, SUPPLIER, DEVICE),
            strict=True,
        )
    )
    known["bare DCA"] = authority_of_anchor(TrustAnchor(dca.subject, dca.point))
    assert {name for name, item in known.items() if may_issue(item, kind)} == ABOVE[kind]
    assert {name for name, item in known.items() if is_right_kind(item, kind)} == ABOVE[kind]


def test_of_paths_that_fail_the_one_that_failed_last_is_shown() -> None:
    """Two renewals of the authority: one has expired, the other one was revoked."""
    expired = PKI.make(Base.ISSUING_OCA, numbered("expired"), valid(MOMENT - 9 * HOUR, MOMENT - HOUR))
    revoked = RevokedEntry(PKI.serial_number("gone"), MOMENT - 5 * HOUR)
    gone = PKI.make(Base.ISSUING_OCA, numbered("gone"))
    arl = revocation_list(Base.ARL, revoked=[revoked])
    for order in ([expired, gone], [gone, expired]):
        assert code(party([CRL], [arl], chain=order).verify(SUPPLIER)) == "revocation.revoked"


def test_of_paths_that_fail_alike_the_first_is_shown() -> None:
    """Two renewals that have both expired, in either order; they are tried in the order of their bytes."""
    expired = {
        PKI.make(Base.ISSUING_OCA, numbered(f"expired {hours}"), valid(MOMENT - 9 * HOUR, MOMENT - hours * HOUR)): hours
        for hours in (1, 2)
    }
    ends = MOMENT - expired[min(expired)] * HOUR
    for order in (list(expired), list(expired)[::-1]):
        reason = party([CRL], [ARL], chain=order).verify(SUPPLIER).reason
        assert reason is not None
        assert (reason.code, reason.seen) == ("time.expired", f"valid {iso(MOMENT - 9 * HOUR)} to {iso(ends)}")


@pytest.mark.parametrize("suspected", range(2))
def test_of_paths_that_fail_at_one_check_the_one_that_fails_least_is_shown(suspected: int) -> None:
    """Two renewals that have both expired, one of which is suspected too: whichever is tried first."""
    renewals = [
        PKI.make(Base.ISSUING_OCA, numbered(f"late {n}"), valid(MOMENT - 9 * HOUR, MOMENT - HOUR)) for n in "ab"
    ]
    judge = party([CRL], [ARL], chain=renewals)
    judge.suspicions = Suspicions(
        [Suspicion(Certificate.from_der(renewals[suspected]).serial_number, "lost", MOMENT - HOUR)]
    )
    assert [check.code for check in judge.verify(SUPPLIER).failures()] == ["time.expired"]


# What the checks say


def test_without_an_issuer_nothing_about_it_is_reached() -> None:
    checks = party([CRL], [ARL], chain=[]).verify(DEVICE).checks
    about_issuer = [check for check in checks if check.requirement in LINK]
    assert [check.requirement for check in about_issuer] == list(LINK)
    assert [check.outcome for check in about_issuer] == [Outcome.NOT_HELD] + [Outcome.NOT_REACHED] * (len(LINK) - 1)


def test_a_signature_that_verifies_names_its_issuer_even_below_no_anchor() -> None:
    verdict = RelyingParty([], RevocationLists.of([CRL], [ARL]), chain=[ISSUING_OCA]).verify(SUPPLIER, at=MOMENT)
    assert code(verdict) == "path.issuer-unknown"
    signature = next(check for check in verdict.checks if check.requirement is SIGNATURE)
    assert signature.outcome is Outcome.HELD
    assert signature.seen == examine(ISSUING_OCA).label


def test_no_critical_extension_is_expected_beyond_the_profile() -> None:
    encoded = PKI.make(Base.DEVICE, added("1.2.3.4", b"\x05\x00", critical=True))
    critical = next(check for check in party([CRL], [ARL]).verify(encoded).checks if check.requirement is CRITICAL)
    assert (critical.outcome, critical.seen, critical.expected) == (Outcome.NOT_HELD, "1.2.3.4", "none")


def test_what_is_found_of_a_certificate_is_short_to_show() -> None:
    assert "structure=" not in repr(examine(SUPPLIER))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_profile_check_tells_how_many_errors_it_does_not_show(count: int) -> None:
    edits = [added(f"1.2.3.{number}", b"\x05\x00", critical=True) for number in range(count)]
    profile = examine(PKI.make(Base.DEVICE, *edits)).profile
    assert profile.outcome is Outcome.NOT_HELD
    first = "extension.unexpected-critical at tbsCertificate.extensions: 1.2.3.0"
    assert profile.seen == first + (f" (and {count - 1} more)" if count > 1 else "")
    assert profile.expected == "no unknown critical extension"


# Which list is shown


def overdue(number: int = 1000, since: datetime = MOMENT - 9 * HOUR) -> bytes:
    return revocation_list(Base.CRL, number=number, since=since, until=MOMENT - HOUR)


WORSE: list[tuple[Callable[[], bytes], Callable[[], bytes], str, str]] = [
    (lambda: b"rubbish", overdue, "revocation.list-overdue", "2026-06-15T03:00:00Z to 2026-06-15T11:00:00Z"),
    (lambda: revocation_list(Base.CRL, by_nobody(Base.CRL)), overdue, "revocation.list-overdue", ""),
    (
        lambda: revocation_list(Base.CRL, issued_by_authority(Base.ROOT_OCA)),
        lambda: CRL[:-1] + bytes((CRL[-1] ^ 1,)),
        "revocation.list-signature",
        "it does not verify",
    ),
    (lambda: overdue(1000), lambda: overdue(1001, MOMENT - 10 * HOUR), "revocation.list-overdue", "2026-06-15T02"),
    (lambda: overdue(), lambda: overdue(since=MOMENT - 8 * HOUR), "revocation.list-overdue", "2026-06-15T04"),
    (lambda: overdue(0, MOMENT - 8 * HOUR), lambda: overdue(1), "revocation.list-overdue", "2026-06-15T03"),
]


@pytest.mark.parametrize(("worse", "better", "expected", "seen"), WORSE)
def test_of_lists_that_fail_the_one_that_got_furthest_is_shown(
    worse: Callable[[], bytes], better: Callable[[], bytes], expected: str, seen: str
) -> None:
    verdict = all_orders((worse(), better()), SUPPLIER)
    check = next(check for check in verdict.checks if check.code.startswith("revocation."))
    assert check.code == expected
    assert check.seen.startswith(seen)


def test_of_good_lists_with_one_number_the_later_is_shown() -> None:
    verdict = all_orders((revocation_list(Base.CRL), revocation_list(Base.CRL, since=MOMENT - 5 * HOUR)), SUPPLIER)
    assert verdict.trusted
    current = next(check for check in verdict.checks if check.requirement.name == "revocation.list-current")
    assert current.seen.startswith("2026-06-15T07:00:00Z to ")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-1, "revocation.list-not-yet-current"), (0, "trusted"), (3600, "trusted"), (3601, "revocation.list-overdue")],
)
def test_the_edges_of_a_lists_time(seconds: int, expected: str) -> None:
    crl = revocation_list(Base.CRL, since=MOMENT, until=MOMENT + HOUR)
    assert code(party([crl], [ARL]).verify(SUPPLIER, at=MOMENT + timedelta(seconds=seconds))) == expected


# Numbers


def test_numbers_known_before_are_utc() -> None:
    with pytest.raises(Malformed, match="thisUpdate"):
        NumbersSeen([(b"x", 1, datetime(2026, 1, 1))])
    seen = NumbersSeen()
    with pytest.raises(Malformed, match="thisUpdate"):
        seen.note(b"x", 1, datetime(2026, 1, 1))
    with pytest.raises(Malformed, match="moment"):
        seen.highest(b"x", datetime(2026, 1, 1))
    assert (seen.version, seen.known()) == (0, [])


class SourceThatSaw:
    """A source of lists that knows numbers from before."""

    def __init__(self, lists: RevocationLists) -> None:
        self.lists = lists
        self.seen = NumbersSeen()

    def revocation_lists(self, moment: datetime) -> RevocationLists:
        return self.lists


def test_a_party_uses_the_numbers_that_its_source_has_seen() -> None:
    newer, older = (SourceThatSaw(RevocationLists.of([crl], [ARL])) for crl in (CRL, OLD_CRL))
    assert RelyingParty(ANCHORS, newer, chain=CHAIN).verify(SUPPLIER, at=MOMENT).trusted
    assert 1001 in {number for _, number, _ in newer.seen.known()}
    for name, number, since in newer.seen.known():
        older.seen.note(name, number, since)
    assert code(RelyingParty(ANCHORS, older, chain=CHAIN).verify(SUPPLIER, at=MOMENT)) == "revocation.list-rolled-back"
    own = RelyingParty(ANCHORS, older, chain=CHAIN, seen=NumbersSeen([(b"x", 1, MOMENT)]))
    assert own.verify(SUPPLIER, at=MOMENT).trusted


def test_what_is_remembered_is_told_once() -> None:
    told: list[tuple[bytes, int, datetime]] = []
    seen = NumbersSeen([(b"x", 5, MOMENT)], lambda *row: told.append(row))
    seen.note(b"x", 5, MOMENT)
    seen.note(b"x", 4, MOMENT + HOUR)
    assert told == []
    seen.note(b"x", 6, MOMENT)
    seen.note(b"y", 1, MOMENT - HOUR)
    assert told == [(b"x", 6, MOMENT), (b"y", 1, MOMENT - HOUR)]
    assert seen.version == 2


def test_exactly_so_many_numbers_are_remembered() -> None:
    seen = NumbersSeen()
    for number in range(MAX_REMEMBERED):
        seen.note(b"x", number, MOMENT + number * HOUR)
    assert len(seen.known()) == MAX_REMEMBERED
    assert seen.highest(b"x", MOMENT) == 0
    seen.note(b"x", MAX_REMEMBERED, MOMENT + MAX_REMEMBERED * HOUR)
    assert len(seen.known()) == MAX_REMEMBERED
    assert seen.highest(b"x", MOMENT) is None


# For programs


def test_a_verdict_for_programs() -> None:
    entity = Certificate.from_der(SUPPLIER).entity_identifier
    assert entity is not None
    verdict = party([CRL], [ARL]).verify(SUPPLIER, for_="supplier/ds", entity=entity)
    value = verdict.as_json()
    checks = value.pop("checks")
    assert value == {
        "certificate": verdict.label,
        "sha256": Certificate.from_der(SUPPLIER).sha256.hex().upper(),
        "at": "2026-06-15T12:00:00Z",
        "for": "supplier/DS",
        "entity": str(entity),
        "trusted": True,
        "reason": None,
    }
    assert len(checks) == len(verdict.checks)
    assert checks[0] == {
        "step": "profile",
        "check": "profile",
        "title": verdict.checks[0].requirement.title,
        "clause": verdict.checks[0].requirement.clause,
        "certificate": verdict.label,
        "outcome": "held",
        "seen": "no finding at error or above",
    }


def test_a_check_that_failed_for_programs() -> None:
    verdict = party([CRL], [ARL]).verify(SUPPLIER, for_="networkOperator")
    check = next(verdict.failures())
    assert [each for each in verdict.as_json()["checks"] if each["outcome"] == "not held"] == [
        {
            "step": "use",
            "check": "use.role",
            "title": "the role of the intended use",
            "clause": "GBCS 12",
            "certificate": verdict.label,
            "outcome": "not held",
            "seen": "supplier",
            "expected": "networkOperator",
            "code": "use.role",
        }
    ]
    assert check.as_problem().as_json() == verdict.as_json()["reason"]


def test_the_steps() -> None:
    assert STEPS == ("profile", "path", "time", "revocation", "suspicion", "use")
    for requirement in REQUIREMENTS:
        assert type(requirement.title) is type(requirement.clause) is str
        assert requirement.step in STEPS
    assert len({requirement.name for requirement in REQUIREMENTS}) == len(REQUIREMENTS)


def test_a_verdict_on_what_cannot_be_read_for_programs() -> None:
    verdict = party([CRL], [ARL]).verify(b"\x30\x00")
    value = verdict.as_json(Interface.REST)
    assert verdict.reason is not None
    assert value.pop("reason") == verdict.reason.as_json(Interface.REST)
    assert len(value.pop("checks")) == len(verdict.checks)
    assert value == {
        "certificate": verdict.label, "sha256": None, "at": "2026-06-15T12:00:00Z", "for": None, "entity": None,
        "trusted": False,
    }  # fmt: skip


def with_outcomes(outcomes: Sequence[Outcome]) -> Verdict:
    verdict = party([CRL], [ARL]).verify(SUPPLIER)
    checks = [
        Check(check.requirement, "a certificate", outcome, "seen", "", "path.length")
        for check, outcome in zip(verdict.checks, outcomes, strict=False)
    ]
    return replace(verdict, checks=tuple(checks))


@pytest.mark.parametrize(
    ("outcomes", "trusted"),
    [
        ([], False),
        ([Outcome.HELD], True),
        ([Outcome.HELD, Outcome.LEFT_OUT, Outcome.NOT_APPLICABLE], True),
        ([Outcome.HELD, Outcome.NOT_REACHED], False),
        ([Outcome.HELD, Outcome.NOT_HELD], False),
    ],
)
def test_what_makes_a_verdict(outcomes: list[Outcome], trusted: bool) -> None:
    verdict = with_outcomes(outcomes)
    assert verdict.trusted is trusted
    assert (verdict.decisive is not None) == (Outcome.NOT_HELD in outcomes)
    assert [check.outcome for check in verdict.failures()] == [one for one in outcomes if one is Outcome.NOT_HELD]


def test_a_reason_without_an_expectation_names_the_requirement() -> None:
    verdict = with_outcomes([Outcome.NOT_HELD])
    reason, requirement = verdict.reason, verdict.checks[0].requirement
    assert reason is not None
    assert (reason.code, reason.subject, reason.seen) == ("path.length", "a certificate", "seen")
    assert (reason.expected, reason.clause) == (requirement.title, requirement.clause)
    assert verdict.checks[0]._replace(expected="no more").as_problem().expected == "no more"


def test_defaults_of_a_verdict() -> None:
    verdict = party([CRL], [ARL]).verify(SUPPLIER)
    assert Verdict(verdict.label, None, MOMENT, ()).as_json() == {
        "certificate": verdict.label, "sha256": None, "at": "2026-06-15T12:00:00Z", "for": None, "entity": None,
        "trusted": False, "reason": None, "checks": [],
    }  # fmt: skip
    asked = party([CRL], [ARL]).verify(SUPPLIER, entity="90-B3-D5-1F-30-01-00-FF")
    assert asked.entity == EntityIdentifier.parse("90B3D51F300100FF")
    assert code(asked) == "use.entity"
