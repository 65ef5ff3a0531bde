"""Step 4: find a genuine, current list by the right issuer, and look up the certificate in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smki.clock import iso, to_seconds
from smki.pki.revocation_list import ListHeader, RevocationList
from smki.pki.x509 import name_text
from smki.profile.forms import RevocationListProfile
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL
from smki.relying_party.anchor import Authority
from smki.relying_party.examine import Examined
from smki.relying_party.lists import HeldList, NumbersSeen, ReadList, RevocationLists
from smki.relying_party.requirements import (
    LIST,
    LIST_CURRENT,
    LIST_ISSUER,
    LIST_NUMBER,
    LIST_PROFILE,
    LIST_SIGNATURE,
    LIST_SIGNER,
    REVOKED,
)
from smki.relying_party.verdict import Check, Checks, Outcome, held, judge, not_applicable, not_held, not_reached
from smki.sec.role import CertificateKind, KeyUsage

_LISTS_OF = {
    CertificateKind.ORGANISATION: ORGANISATION_CRL,
    CertificateKind.ISSUING_OCA: ORGANISATION_ARL,
}
"""The kind of list that covers each kind of certificate. Devices and DCAs have none (assumption, by contrast with the
Organisation clause); a Root OCA is trusted or not regardless of any list."""

_ON_A_LIST = (LIST_PROFILE, LIST_ISSUER, LIST_SIGNATURE, LIST_SIGNER, LIST_CURRENT, LIST_NUMBER)
_AS_MADE = (LIST_ISSUER, LIST_SIGNATURE, LIST_PROFILE, LIST_SIGNER, LIST_CURRENT, LIST_NUMBER)
"""The checks of a list in the order in which they are made. The verdict has them in the order of the table, unless the
signature does not verify: then those that are not made come last."""
_PASSED = (Outcome.HELD, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class ListJudgement:
    """The checks of the list for the certificates of one issuer at one moment."""

    checks: Checks
    lists: tuple[RevocationList, ...]
    """The list if all its checks passed, along with other genuine lists with the same number but different content: a
    certificate revoked by any of them counts as revoked. Empty if a check failed."""


def list_profile_for(kind: CertificateKind) -> RevocationListProfile | None:
    """Return the kind of list that covers certificates of a kind; None if there is none."""
    return _LISTS_OF.get(kind)


def judge_list(
    profile: RevocationListProfile, issuer: Authority, lists: RevocationLists, moment: datetime, seen: NumbersSeen
) -> ListJudgement:
    """Choose the list for certificates of *issuer* and check that it can be trusted.

    The result depends on the lists given, though not on their order, and on the list numbers seen.
    """
    # Every genuine list counts towards the numbers its issuer has reached, whichever kind it was offered as.
    genuine = [read for held in (*lists.crls, *lists.arls) if (read := _read_if_genuine(held, issuer)) is not None]
    highest = _highest(issuer, genuine, moment, seen)
    found = [_judge(candidate, issuer, moment, highest, genuine) for candidate in lists.held(profile)]
    if not found:
        problem = lists.problem(profile)
        text = f"{problem.seen} [{problem.code}]" if problem else "no list was given"
        missing = not_held(LIST, issuer.label, "revocation.unavailable", text, f"the {profile.title} of {issuer.label}")
        return ListJudgement((missing, *(not_reached(requirement, issuer.label) for requirement in _ON_A_LIST)), ())
    return max(found, key=lambda item: item[0])[1]


def note_numbers(issuer: Authority, lists: RevocationLists, seen: NumbersSeen) -> None:
    """Remember the numbers of an authority's genuine lists.

    Only for authorities verified up to a trust anchor; otherwise anyone could offer an authority and lists of their own
    and so choose what is remembered.
    """
    for held_list in (*lists.crls, *lists.arls):
        read = _read_if_genuine(held_list, issuer)
        found = read.revocation_list if read is not None and read.complaint is None else None
        if found is not None and found.number is not None:
            held_list.is_genuine = True
            seen.note(_identity(issuer), found.number, found.this_update)


def _read_if_genuine(candidate: HeldList, issuer: Authority) -> ReadList | None:
    return candidate.read_by(issuer) if candidate.issuer == issuer.name else None


def _highest(issuer: Authority, genuine: list[ReadList], moment: datetime, seen: NumbersSeen) -> int | None:
    numbers = [seen.highest(_identity(issuer), moment)]
    for read in genuine:
        found = read.revocation_list
        if found is not None and read.complaint is None and found.this_update <= moment:
            numbers.append(found.number)
    return max((number for number in numbers if number is not None), default=None)


def _identity(issuer: Authority) -> bytes:
    return issuer.name + (issuer.point or b"")


_Rank = tuple[int, int, int, bytes]
"""The number of checks passed, the list number, thisUpdate, and the bytes, so that different lists never tie."""


def _rank(checks: Checks, is_good: bool, found: ListHeader | None, candidate: HeldList) -> _Rank:
    """Rank a list: valid ones by highest number, ahead of invalid ones by how far they got."""
    since = to_seconds(found.this_update) if found is not None else 0
    number = found.number or 0 if found is not None else 0
    if is_good:
        return len(checks) + 1, number, since, candidate.encoded
    # In the order in which the checks are made: the profile only of a list by the right issuer, whose signature verifies.
    order = {check.requirement: check.outcome in _PASSED for check in checks}
    stage = next((at for at, item in enumerate(_AS_MADE) if not order[item]), len(_AS_MADE))
    return stage, number, since, candidate.encoded


def _judge(
    candidate: HeldList, issuer: Authority, moment: datetime, highest: int | None, genuine: list[ReadList]
) -> tuple[_Rank, ListJudgement]:
    read = candidate.read_by(issuer)
    if read is None:
        return _judge_unsigned(candidate, issuer)
    label = _label(candidate)
    found, complaint = read.revocation_list, read.complaint
    profile_check = (
        held(LIST_PROFILE, label, "no finding at error or above")
        if complaint is None
        else not_held(LIST_PROFILE, label, "revocation.list-profile", *complaint)
    )
    if found is None:
        return _unreadable(candidate, profile_check)
    same_number = _same_number(found, genuine, moment)
    checks = (
        held(LIST, label),
        profile_check,
        _check_issuer(found, issuer, label),
        held(LIST_SIGNATURE, label, "it verifies"),
        _check_signer(issuer),
        _check_current(found, moment, label),
        _check_number(found, highest, len(same_number), label),
    )
    is_good = all(check.outcome in _PASSED for check in checks)
    return _rank(checks, is_good, found, candidate), ListJudgement(checks, same_number if is_good else ())


def _judge_unsigned(candidate: HeldList, issuer: Authority) -> tuple[_Rank, ListJudgement]:
    """Judge a list that *issuer* did not sign, without reading its entries."""
    label, outline = _label(candidate), candidate.outline
    if not outline.digest:
        assert outline.complaint is not None, "it says why there is nothing to verify"
        return _unreadable(candidate, not_held(LIST_PROFILE, label, "revocation.list-profile", *outline.complaint))
    header, expected = outline.header, f"a signature by {issuer.label}"
    checks = (
        held(LIST, label),
        *(() if header is None else (_check_issuer(header, issuer, label),)),
        not_held(LIST_SIGNATURE, label, "revocation.list-signature", "it does not verify", expected),
        *(() if header is not None else (not_reached(LIST_ISSUER, label),)),
        _check_signer(issuer),
        not_reached(LIST_PROFILE, label),  # after what it follows from
        not_reached(LIST_CURRENT, label),
        not_reached(LIST_NUMBER, label),
    )
    return _rank(checks, False, header, candidate), ListJudgement(checks, ())


def _unreadable(candidate: HeldList, profile_check: Check) -> tuple[_Rank, ListJudgement]:
    label = _label(candidate)
    rest = (not_reached(requirement, label) for requirement in _ON_A_LIST[1:])
    checks: Checks = (held(LIST, label), profile_check, *rest)
    return _rank(checks, False, None, candidate), ListJudgement(checks, ())


def _same_number(found: RevocationList, genuine: list[ReadList], moment: datetime) -> tuple[RevocationList, ...]:
    """Return the list, and any genuine list to which the issuer gave the same number although its content differs."""
    lists = (item for read in genuine if (item := read.revocation_list) is not None and item is not found)
    same = {item.tbs: item for item in lists if item.number == found.number and item.this_update <= moment}
    same.pop(found.tbs, None)
    return (found, *sorted(same.values(), key=lambda item: item.tbs))


def _label(candidate: HeldList) -> str:
    issuer = name_text(candidate.issuer) if candidate.issuer is not None else "nobody"
    return f"{candidate.profile.title} of {issuer}"


def _check_issuer(found: ListHeader, issuer: Authority, label: str) -> Check:
    seen, expected = found.issuer.hex(), issuer.name.hex()
    if found.issuer == issuer.name:
        wanted = issuer.key_identifier
        seen, expected = _hex(found.authority_key_identifier), _hex(wanted)
        if wanted is None or found.authority_key_identifier == wanted:
            return held(LIST_ISSUER, label, issuer.label)
    return not_held(LIST_ISSUER, label, "revocation.list-issuer", seen, f"{expected} ({issuer.label})")


def _check_signer(issuer: Authority) -> Check:
    certificate = issuer.certificate
    if certificate is None:
        return not_applicable(LIST_SIGNER, issuer.label, "the trust anchor is a name and key without a certificate")
    usages = ", ".join(sorted(usage.label for usage in certificate.key_usages)) or "no key usage"
    holds = KeyUsage.CRL_SIGN in certificate.key_usages
    return judge(LIST_SIGNER, issuer.label, holds, "revocation.list-crl-sign", usages, "cRLSign")


def _check_current(found: RevocationList, moment: datetime, label: str) -> Check:
    until = found.next_update
    seen = f"{iso(found.this_update)} to {iso(until) if until else 'no end'}"
    if moment < found.this_update:
        return not_held(LIST_CURRENT, label, "revocation.list-not-yet-current", seen, f"current at {iso(moment)}")
    # Current up to and including the second of nextUpdate, as for validity (RFC 5280 4.1.2.5); OpenSSL stops one second
    # earlier.
    if until is None or moment > until:
        return not_held(LIST_CURRENT, label, "revocation.list-overdue", seen, f"current at {iso(moment)}")
    return held(LIST_CURRENT, label, seen)


def _check_number(found: RevocationList, highest: int | None, used: int, label: str) -> Check:
    number = found.number
    holds = number is not None and (highest is None or number >= highest)
    expected = f"{highest} or above, as already seen"
    return judge(LIST_NUMBER, label, holds, "revocation.list-rolled-back", _number_text(found, used), expected)


def _number_text(found: RevocationList, used: int) -> str:
    return f"number {found.number}" + (f", which was used for {used} different lists" if used > 1 else "")


def check_entry(examined: Examined, judgement: ListJudgement | None) -> Check:
    """Check whether a trusted list contains the certificate."""
    certificate, label = examined.certificate, examined.label
    if judgement is None or not judgement.lists or certificate is None:
        return not_reached(REVOKED, label)
    number = _number_text(judgement.lists[0], len(judgement.lists))
    for found in judgement.lists:
        if certificate.serial_number in found:
            entry = found.entry(certificate.serial_number)
            reason = entry.reason.label if entry and entry.reason else "no reason given"
            seen = f"revoked {iso(entry.revoked_at) if entry else ''}, {reason}, by list {number}"
            return not_held(REVOKED, label, "revocation.revoked", seen)
    return held(REVOKED, label, f"not in list {number}")


def no_list_needed(examined: Examined) -> Check:
    """Return the check for a certificate whose kind has no revocation list."""
    return not_applicable(REVOKED, examined.label, f"no list is published for {examined.kind.title}s")


def _hex(encoded: bytes | None) -> str:
    return encoded.hex().upper() if encoded is not None else "none"
