"""A verdict depends on what is asked and given, not on what was asked before, in which order, or by which thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki.clock import FixedClock
from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.pki.revocation_entry import RevokedEntry
from smki.pki.x509 import key_usage_bit_string
from smki.relying_party import NumbersSeen, RelyingParty, RevocationLists, Suspicion, Suspicions, TrustAnchor
from smki.relying_party.verdict import Outcome, Verdict
from smki.sec.role import KeyUsage
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.edits import another, extension, issued_by, put, signed_by, valid
from smki.testing.defects.sample_pki import Edit
from smki.testing.vectors import MOMENT

PKI = SamplePki(MOMENT, "inputs alone")
HOUR = timedelta(hours=1)
SUPPLIER, DEVICE = PKI.good_bytes(Base.ORGANISATION), PKI.good_bytes(Base.DEVICE)
REVOKED_KEY = "a revoked one"
REVOKED = PKI.make(Base.ORGANISATION, another(REVOKED_KEY))
ROOT_OCA, ROOT_DCA = PKI.good_bytes(Base.ROOT_OCA), PKI.good_bytes(Base.ROOT_DCA)
ISSUING_OCA, ISSUING_DCA = PKI.good_bytes(Base.ISSUING_OCA), PKI.good_bytes(Base.ISSUING_DCA)
ROOT = Certificate.from_der(ROOT_OCA)
ANCHORS = (ROOT, Certificate.from_der(ROOT_DCA))
CHAIN = (ISSUING_OCA, ISSUING_DCA)


def revocation_list(
    base: Base,
    *edits: Edit,
    number: int = 1000,
    revoked: Sequence[RevokedEntry] = (),
    since: datetime = MOMENT - 6 * HOUR,
    until: datetime | None = None,
) -> bytes:
    """A list (DER) that by default revokes nothing and is current at the moment and some hours before it."""
    return PKI.revocation_list(base, *edits, number=number, revoked=revoked, since=since, until=until)


ENTRY = RevokedEntry(PKI.serial_number(REVOKED_KEY), MOMENT - 5 * HOUR)
OTHER_ENTRY = RevokedEntry(PKI.serial_number("another"), MOMENT - 5 * HOUR)
OLD_CRL = revocation_list(Base.CRL)
CRL = revocation_list(Base.CRL, number=1001, revoked=[ENTRY])
ARL = revocation_list(Base.ARL)


def issued_by_authority(base: Base) -> Edit:
    """Name and sign as this authority."""
    return issued_by(PKI.name(base), base.value)


def numbered(label: str) -> Edit:
    """Give a certificate the serial number of that label."""
    return put(serial_number=der.integer(PKI.serial_number(label).value))


def by_nobody(base: Base) -> Edit:
    """Sign in the name of the right issuer, with a key that nobody knows and its key identifier."""
    assert base.issuer is not None
    return issued_by(PKI.name(base.issuer), "nobody")


def look_alike(base: Base, *edits: Edit) -> bytes:
    """A certificate (DER) that claims to be the valid one with these changes, signed by nobody that is known."""
    return PKI.make(base, *edits, by_nobody(base))


FORGED_AUTHORITY = PKI.make(
    Base.ISSUING_OCA, another("forged oca"), issued_by_authority(Base.ISSUING_OCA), signed_by("nobody")
)
"""It looks like an authority, and names the Issuing OCA and its key as its issuer."""


def party(
    crls: Iterable[bytes], arls: Iterable[bytes], chain: Iterable[bytes] = CHAIN, seen: NumbersSeen | None = None
) -> RelyingParty:
    lists = RevocationLists.of(crls, arls)
    return RelyingParty(ANCHORS, lists, chain=chain, clock=FixedClock(MOMENT), seen=seen)


def code(verdict: Verdict) -> str:
    return verdict.reason.code if verdict.reason is not None else "trusted"


def test_a_forged_authority_does_not_spoil_the_verdicts_after_it() -> None:
    judge = party([CRL], [ARL])
    assert not judge.verify(FORGED_AUTHORITY).trusted
    assert judge.verify(SUPPLIER).trusted


def test_a_forged_authority_does_not_make_a_revoked_certificate_good() -> None:
    """The list that it is looked up in, among the ARLs, is not the one for Organisation Certificates."""
    judge = party([CRL], [OLD_CRL, ARL])
    assert not judge.verify(FORGED_AUTHORITY).trusted
    assert code(judge.verify(REVOKED)) == "revocation.revoked"


def test_a_newer_list_among_the_arls_counts_whatever_was_asked_first() -> None:
    first, second = (party([OLD_CRL], [CRL, ARL]) for _ in range(2))
    first.verify(FORGED_AUTHORITY)
    assert first.verify(SUPPLIER) == second.verify(SUPPLIER)
    assert code(second.verify(SUPPLIER)) == "revocation.list-rolled-back"


def test_a_number_noted_by_another_party_counts_at_once() -> None:
    seen = NumbersSeen()
    one, other = party([OLD_CRL], [ARL], seen=seen), party([CRL], [ARL], seen=seen)
    assert one.verify(SUPPLIER).trusted
    assert other.verify(SUPPLIER).trusted
    assert code(one.verify(SUPPLIER)) == "revocation.list-rolled-back"


def test_lists_of_an_authority_that_nobody_issued_are_not_remembered() -> None:
    """It has the name of the right one, and whoever offers it signed a list of a very high number."""
    by_fake = issued_by(PKI.name(Base.ISSUING_OCA), "fake oca")
    fake = look_alike(Base.ISSUING_OCA, another("fake oca"))
    forged = revocation_list(Base.CRL, by_fake, number=1 << 100)
    seen = NumbersSeen()
    judge = party([CRL, forged], [ARL], seen=seen)
    below_it = PKI.make(Base.ORGANISATION, by_fake)
    assert not judge.verify(below_it, chain=[fake]).trusted
    assert judge.verify(SUPPLIER).trusted
    assert 1 << 100 not in {number for _, number, _ in seen.known()}


def test_suspicions_that_are_exchanged_count_at_once() -> None:
    judge = party([CRL], [ARL])
    assert judge.verify(SUPPLIER).trusted
    oca = Certificate.from_der(ISSUING_OCA).serial_number
    judge.suspicions = Suspicions([Suspicion(oca, "its key was copied", MOMENT)])
    assert code(judge.verify(SUPPLIER)) == "suspicion.suspected"
    judge.suspicions = Suspicions()
    assert judge.verify(SUPPLIER).trusted


@pytest.mark.parametrize("own_key", [True, False], ids=["their own key", "the key of the right one"])
def test_any_number_of_look_alikes_ahead_of_the_right_authority(own_key: bool) -> None:
    its_own = another if own_key else numbered
    chaff = [look_alike(Base.ISSUING_OCA, its_own(f"chaff {number}")) for number in range(60)]
    for chain in ([*chaff, ISSUING_OCA], [ISSUING_OCA, *chaff]):
        assert party([CRL], [ARL], chain=chain).verify(SUPPLIER).trusted
        assert party([CRL], [ARL], chain=[]).verify(SUPPLIER, chain=chain).trusted


def test_look_alikes_below_a_genuine_end_entity_are_not_issued() -> None:
    """A Supplier's certificate is genuine, but what its key signs is no authority; however much of it there is."""
    by_supplier = issued_by(Certificate.from_der(SUPPLIER).subject, Base.ORGANISATION.value)
    chaff = [PKI.make(Base.ISSUING_OCA, numbered(f"sold {number}"), by_supplier) for number in range(30)]
    judge = party([CRL], [ARL], chain=[])
    assert judge.verify(SUPPLIER, chain=[SUPPLIER, *chaff, ISSUING_OCA]).trusted
    verdict = judge.verify(SUPPLIER, chain=[SUPPLIER, *chaff])
    assert not verdict.trusted


def test_the_order_of_the_chain_means_nothing() -> None:
    renewed = PKI.make(Base.ISSUING_OCA, numbered("renewed"))
    expired = PKI.make(Base.ISSUING_OCA, numbered("expired"), valid(MOMENT - 9 * HOUR, MOMENT - HOUR))
    stranger = look_alike(Base.ISSUING_OCA, another("stranger"))
    for offered in ((renewed, ISSUING_OCA, expired), (expired, stranger), (stranger, ROOT_OCA)):
        verdicts = [party([CRL], [ARL], chain=[]).verify(SUPPLIER, chain=order) for order in permutations(offered)]
        assert all(verdict == verdicts[0] for verdict in verdicts)


def test_two_anchors_of_one_name_and_key_are_two() -> None:
    point = ROOT.point
    assert point is not None
    unknown = TrustAnchor(ROOT.subject, point)
    wrong = TrustAnchor(ROOT.subject, point, b"\1" * 8)
    lists = RevocationLists.of([CRL], [ARL])
    for anchors in ((unknown, wrong), (wrong, unknown)):
        judge = RelyingParty(anchors, lists, chain=[ISSUING_OCA], clock=FixedClock(MOMENT))
        assert judge.verify(SUPPLIER).trusted


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [(None, "trusted"), (ROOT.subject_key_identifier, "trusted"), (b"\1" * 8, "path.key-identifier")],
    ids=["not known", "right", "wrong"],
)
def test_anchors_by_name_and_key(identifier: bytes | None, expected: str) -> None:
    assert ROOT.point is not None
    anchor = TrustAnchor(ROOT.subject, ROOT.point, identifier)
    lists = RevocationLists.of([CRL], [ARL])
    judge = RelyingParty([anchor], lists, chain=[ISSUING_OCA], clock=FixedClock(MOMENT))
    verdict = judge.verify(SUPPLIER)
    assert code(verdict) == expected
    assert {check.requirement.name for check in verdict.checks if check.outcome is Outcome.NOT_APPLICABLE} == {
        "path.authority", "path.key-cert-sign", "revocation.list-crl-sign",
    }  # fmt: skip
    # The list of an anchor whose identifier is not known may have any; of another one, only its own.
    list_check = next(
        check
        for check in verdict.checks
        if check.requirement.name == "revocation.list-issuer" and check.certificate.startswith("Organisation ARL")
    )
    assert (list_check.outcome is Outcome.HELD) == (expected == "trusted")


def test_an_issuing_authority_as_anchor_without_a_certificate() -> None:
    oca = Certificate.from_der(ISSUING_OCA)
    assert oca.point is not None
    lists = RevocationLists.of([CRL])
    for identifier in (None, oca.subject_key_identifier):
        judge = RelyingParty([TrustAnchor(oca.subject, oca.point, identifier)], lists, clock=FixedClock(MOMENT))
        assert judge.verify(SUPPLIER).trusted
        assert code(judge.verify(REVOKED)) == "revocation.revoked"
    dca = Certificate.from_der(ISSUING_DCA)
    assert dca.point is not None
    judge = RelyingParty([TrustAnchor(dca.subject, dca.point)], clock=FixedClock(MOMENT))
    assert judge.verify(DEVICE).trusted
    assert code(judge.verify(look_alike(Base.DEVICE))) == "path.signature"


# Lists


def all_orders(crls: tuple[bytes, ...], certificate: bytes) -> Verdict:
    verdicts = [party(order, [ARL]).verify(certificate) for order in permutations(crls)]
    assert all(verdict == verdicts[0] for verdict in verdicts)
    return verdicts[0]


def test_a_number_that_was_used_twice() -> None:
    silent = revocation_list(Base.CRL, number=1001, revoked=[OTHER_ENTRY])
    verdict = all_orders((silent, CRL), REVOKED)
    assert code(verdict) == "revocation.revoked"
    assert verdict.reason is not None
    assert "by list number 1001, which was used for 2 different lists" in verdict.reason.seen
    good = all_orders((silent, CRL), SUPPLIER)
    assert good.trusted
    seen = {check.requirement.name: check.seen for check in good.checks if check.certificate.endswith("X1")}
    assert seen["revocation.list-number"] == "number 1001, which was used for 2 different lists"


def test_the_same_list_twice_is_one() -> None:
    number = [
        check.seen for check in all_orders((CRL, CRL), SUPPLIER).checks if "list-number" in check.requirement.name
    ]
    assert number[0] == "number 1001"


def test_what_a_list_of_the_same_number_says_counts_also_when_it_is_overdue() -> None:
    overdue = revocation_list(Base.CRL, number=1002, revoked=[ENTRY], since=MOMENT - 5 * HOUR, until=MOMENT - HOUR)
    current = revocation_list(Base.CRL, number=1002)
    assert code(all_orders((overdue, current), REVOKED)) == "revocation.revoked"


def test_a_later_list_of_the_same_number_does_not_count_yet() -> None:
    later = revocation_list(Base.CRL, number=1002, revoked=[ENTRY], since=MOMENT + HOUR)
    current = revocation_list(Base.CRL, number=1002)
    assert all_orders((later, current), REVOKED).trusted


def test_a_forged_list_of_the_same_number_does_not_count() -> None:
    entry = RevokedEntry(PKI.serial_number(Base.ORGANISATION.value), MOMENT)
    forged = revocation_list(Base.CRL, by_nobody(Base.CRL), number=1001, revoked=[entry])
    verdict = all_orders((forged, CRL), SUPPLIER)
    assert verdict.trusted
    assert not any("used for" in check.seen for check in verdict.checks)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: revocation_list(Base.CRL, number=1000), "revocation.revoked"),
        (lambda: revocation_list(Base.CRL, number=1001), "revocation.revoked"),
        (lambda: revocation_list(Base.CRL, number=1002), "trusted"),
        (lambda: revocation_list(Base.CRL, number=1002, since=MOMENT + HOUR), "revocation.revoked"),
        (lambda: revocation_list(Base.CRL, by_nobody(Base.CRL), number=1002), "revocation.revoked"),
        (lambda: revocation_list(Base.CRL, issued_by_authority(Base.ROOT_OCA), number=1002), "revocation.revoked"),
        # A later one that has fallen due says that 1001 is an old one.
        (
            lambda: revocation_list(Base.CRL, number=1002, since=MOMENT - 9 * HOUR, until=MOMENT - HOUR),
            "revocation.list-rolled-back",
        ),
        (lambda: b"no list at all", "revocation.revoked"),
    ],
    ids=["lower", "same", "higher", "higher, later", "higher, forged", "of another", "higher, overdue", "rubbish"],
)
def test_which_of_two_lists_is_chosen(make: Callable[[], bytes], expected: str) -> None:
    """CRL, of number 1001, revokes the certificate; the other one does not."""
    verdict = all_orders((CRL, make()), REVOKED)
    assert code(verdict) == expected


@pytest.mark.parametrize(
    ("kept", "expected"),
    [(999, "trusted"), (1000, "trusted"), (1001, "revocation.list-rolled-back")],
    ids=["n - 1", "n", "n + 1"],
)
@pytest.mark.parametrize("ahead", [-1, 0, 1], ids=["before", "at", "after"])
def test_the_edges_of_the_numbers_seen(kept: int, expected: str, ahead: int) -> None:
    """OLD_CRL has number 1000; what was seen with a thisUpdate after the moment does not count at it."""
    seen = NumbersSeen()
    oca = Certificate.from_der(ISSUING_OCA)
    assert oca.point is not None
    seen.note(oca.subject + oca.point, kept, MOMENT + timedelta(seconds=ahead))
    verdict = party([OLD_CRL], [ARL], seen=seen).verify(SUPPLIER)
    assert code(verdict) == (expected if ahead <= 0 else "trusted")


notes = st.lists(st.tuples(st.integers(0, 12), st.integers(-6, 6)), max_size=12)


@given(notes, st.integers(-7, 7))
def test_numbers_seen_are_the_same_in_any_order(noted: list[tuple[int, int]], asked: int) -> None:
    wanted = max((number for number, hours in noted if hours <= asked), default=None)
    for order in (noted, noted[::-1], sorted(noted)):
        seen = NumbersSeen()
        for number, hours in order:
            before = seen.version
            known = seen.known()
            seen.note(b"x", number, MOMENT + hours * HOUR)
            assert (seen.version != before) == (seen.known() != known)
        assert seen.highest(b"x", MOMENT + asked * HOUR) == wanted
        assert seen.highest(b"y", MOMENT + asked * HOUR) is None
        assert NumbersSeen(seen.known()).highest(b"x", MOMENT + asked * HOUR) == wanted


def test_numbers_seen_are_bounded_and_the_earliest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smki.relying_party.lists.MAX_REMEMBERED", 3)
    seen = NumbersSeen()
    for number in range(5):
        seen.note(b"x", number, MOMENT + number * HOUR)
    assert [seen.highest(b"x", MOMENT + at * HOUR) for at in range(6)] == [None, None, 2, 3, 4, 4]


# Everything together

POOL: list[bytes] = [
    SUPPLIER,
    REVOKED,
    DEVICE,
    PKI.make(
        Base.ORGANISATION,
        another("for key agreement"),
        extension(Oid.KEY_USAGE, key_usage_bit_string(KeyUsage.KEY_AGREEMENT)),
    ),
    FORGED_AUTHORITY,
    look_alike(Base.ORGANISATION),
    look_alike(Base.DEVICE),
    PKI.make(Base.ISSUING_DCA, issued_by(PKI.name(Base.ISSUING_DCA), "nobody")),
    PKI.make(Base.DEVICE, issued_by_authority(Base.ISSUING_OCA)),
    ISSUING_OCA,
    ROOT_OCA,
    ROOT_DCA,
    SUPPLIER[:-1] + bytes((SUPPLIER[-1] ^ 1,)),
    b"\x30\x00",
]
LIST_POOL: list[bytes] = [
    OLD_CRL,
    CRL,
    ARL,
    revocation_list(Base.CRL, number=1001, revoked=[OTHER_ENTRY]),
    revocation_list(Base.CRL, number=1002, since=MOMENT + HOUR),
    revocation_list(Base.CRL, by_nobody(Base.CRL), number=2000),
    revocation_list(Base.ARL, number=1001, until=MOMENT - HOUR),
    b"rubbish",
]
MOMENTS = [MOMENT, MOMENT + 2 * HOUR, MOMENT - 3 * HOUR, MOMENT + timedelta(days=30)]
LISTS = st.tuples(st.lists(st.sampled_from(LIST_POOL), max_size=4), st.lists(st.sampled_from(LIST_POOL), max_size=3))


@settings(max_examples=60, deadline=None)
@given(
    LISTS,
    st.lists(st.tuples(st.sampled_from(POOL), st.sampled_from(MOMENTS)), min_size=2, max_size=8),
    st.lists(st.sampled_from(POOL), max_size=3),
    st.data(),
)
def test_any_questions_in_any_order_to_one_party_or_to_fresh_ones(
    lists: tuple[list[bytes], list[bytes]],
    asked: list[tuple[bytes, object]],
    offered: list[bytes],
    data: st.DataObject,
) -> None:
    crls, arls = lists
    one = party(crls, arls)
    shuffled = party(
        data.draw(st.permutations(crls)), data.draw(st.permutations(arls)), data.draw(st.permutations(CHAIN))
    )
    for at, (certificate, moment) in enumerate(asked):
        chain = offered if at % 2 else []
        wanted = {"at": moment, "chain": chain}
        fresh = party(crls, arls).verify(certificate, **wanted)  # type: ignore[arg-type]
        assert one.verify(certificate, **wanted) == fresh  # type: ignore[arg-type]
        wanted["chain"] = chain[::-1]
        assert shuffled.verify(certificate, **wanted) == fresh  # type: ignore[arg-type]


def test_on_many_threads_as_on_fresh_parties() -> None:
    crls, arls = [OLD_CRL, CRL, LIST_POOL[3]], [OLD_CRL, ARL]
    expected = {(item, moment): party(crls, arls).verify(item, at=moment) for item in POOL for moment in MOMENTS}
    one = party(crls, arls)
    wrong: list[object] = []

    def work(start: int) -> None:
        questions = list(expected)
        for (certificate, moment), verdict in [(key, expected[key]) for key in questions[start:] + questions[:start]]:
            if one.verify(certificate, at=moment) != verdict:
                wrong.append((certificate, moment))

    threads = [threading.Thread(target=work, args=(7 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
