"""Step 4: is there a list by the right issuer, genuine and current, and does it not name the certificate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smki.clock import iso
from smki.pki.revocation_list import RevocationList
from smki.pki.x509 import name_text
from smki.profile.forms import RevocationListProfile
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL
from smki.relying_party.anchor import Authority
from smki.relying_party.examine import Examined
from smki.relying_party.lists import HeldList, NumbersSeen, RevocationLists
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
from smki.relying_party.verdict import Check, Checks, Outcome, held, judge, not_held, not_reached
from smki.sec.role import CertificateKind, KeyUsage

_LISTS_OF = {
    CertificateKind.ORGANISATION: ORGANISATION_CRL,
    CertificateKind.ISSUING_OCA: ORGANISATION_ARL,
}
"""Which list says what is revoked. There is none for Devices and DCAs (assumption, by contrast with the Organisation
clause); a Root OCA is trusted or not, and no list says so."""

_ON_A_LIST = (LIST_PROFILE, LIST_ISSUER, LIST_SIGNATURE, LIST_SIGNER, LIST_CURRENT, LIST_NUMBER)


@dataclass(frozen=True, slots=True)
class ListJudgement:
    """What was found out about the list for the certificates of one issuer, at one moment."""

    checks: Checks
    list: RevocationList | None
    """The list where every check of it held; else None, and nothing may be read from it."""


def list_profile_for(kind: CertificateKind) -> RevocationListProfile | None:
    """The kind of list that certificates of a kind are looked up in; None where there is none."""
    return _LISTS_OF.get(kind)


def judge_list(
    profile: RevocationListProfile, issuer: Authority, lists: RevocationLists, moment: datetime, seen: NumbersSeen
) -> ListJudgement:
    """Choose the list for certificates of *issuer* and check that it may be believed."""
    candidates = lists.held(profile)
    # The numbers of all genuine ones first: a current list does not hide that a newer one is known.
    for candidate in candidates:
        _note_number(candidate, issuer, seen)
    found = [_judge(candidate, issuer, moment, seen) for candidate in candidates]
    if not found:
        problem = lists.problem(profile)
        text = f"{problem.seen} [{problem.code}]" if problem else "none was given"
        missing = not_held(LIST, issuer.label, "revocation.unavailable", text, f"the {profile.title} of {issuer.label}")
        return ListJudgement((missing, *(not_reached(requirement, issuer.label) for requirement in _ON_A_LIST)), None)
    return max(found, key=_rank)


def _rank(judgement: ListJudgement) -> tuple[int, int]:
    """The one that is right with the highest number, else the one that got furthest."""
    if judgement.list is not None:
        return len(judgement.checks) + 1, judgement.list.number or 0
    # The issuer counts before the profile: a broken list of somebody else's is not the one that was wanted.
    order = {check.requirement: check.outcome is Outcome.HELD for check in judgement.checks}
    held_so_far = [order[LIST_ISSUER], *(order[item] for item in _ON_A_LIST if item is not LIST_ISSUER)]
    return next((at for at, holds in enumerate(held_so_far) if not holds), len(held_so_far)), 0


def _is_genuine(found: RevocationList, issuer: Authority) -> bool:
    return found.issuer == issuer.name and issuer.verifies(found.signature, found.tbs)


def _note_number(candidate: HeldList, issuer: Authority, seen: NumbersSeen) -> None:
    found = candidate.revocation_list if candidate.issuer == issuer.name else None
    if found is not None and found.number is not None and candidate.complaint is None and _is_genuine(found, issuer):
        seen.note(_identity(issuer), found.number, found.this_update)


def _identity(issuer: Authority) -> bytes:
    return issuer.name + (issuer.point or b"")


def _judge(candidate: HeldList, issuer: Authority, moment: datetime, seen: NumbersSeen) -> ListJudgement:
    label = _label(candidate)
    found = candidate.revocation_list
    complaint = candidate.complaint
    profile_check = (
        held(LIST_PROFILE, label, "nothing at error or above")
        if complaint is None
        else not_held(LIST_PROFILE, label, "revocation.list-profile", *complaint)
    )
    if found is None:
        rest = (not_reached(requirement, label) for requirement in _ON_A_LIST[1:])
        return ListJudgement((held(LIST, label), profile_check, *rest), None)
    checks = (
        held(LIST, label),
        profile_check,
        _check_issuer(found, issuer, label),
        _check_signature(found, issuer, label),
        _check_signer(issuer),
        _check_current(found, moment, label),
        _check_number(found, issuer, moment, seen, label),
    )
    is_good = all(check.outcome is Outcome.HELD for check in checks)
    return ListJudgement(checks, found if is_good else None)


def _label(candidate: HeldList) -> str:
    issuer = name_text(candidate.issuer) if candidate.issuer is not None else "nobody"
    return f"{candidate.profile.title} of {issuer}"


def _check_issuer(found: RevocationList, issuer: Authority, label: str) -> Check:
    seen, expected = found.issuer.hex(), issuer.name.hex()
    if found.issuer == issuer.name:
        wanted = issuer.key_identifier
        seen, expected = _hex(found.authority_key_identifier), _hex(wanted)
        if wanted is None or found.authority_key_identifier == wanted:
            return held(LIST_ISSUER, label, issuer.label)
    return not_held(LIST_ISSUER, label, "revocation.list-issuer", seen, f"{expected} ({issuer.label})")


def _check_signature(found: RevocationList, issuer: Authority, label: str) -> Check:
    holds = issuer.verifies(found.signature, found.tbs)
    seen = "it verifies" if holds else "it does not verify"
    return judge(LIST_SIGNATURE, label, holds, "revocation.list-signature", seen, f"a signature by {issuer.label}")


def _check_signer(issuer: Authority) -> Check:
    certificate = issuer.certificate
    if certificate is None:
        return held(LIST_SIGNER, issuer.label, "a trust anchor by name and key")
    usages = ", ".join(sorted(usage.label for usage in certificate.key_usages)) or "no key usage"
    holds = KeyUsage.CRL_SIGN in certificate.key_usages
    return judge(LIST_SIGNER, issuer.label, holds, "revocation.list-crl-sign", usages, "cRLSign")


def _check_current(found: RevocationList, moment: datetime, label: str) -> Check:
    until = found.next_update
    seen = f"{iso(found.this_update)} to {iso(until) if until else 'no end'}"
    if moment < found.this_update:
        return not_held(LIST_CURRENT, label, "revocation.list-not-yet-current", seen, f"current at {iso(moment)}")
    # Through the second of nextUpdate, as validity counts (RFC 5280 4.1.2.5); OpenSSL ends a second earlier.
    if until is None or moment > until:
        return not_held(LIST_CURRENT, label, "revocation.list-overdue", seen, f"current at {iso(moment)}")
    return held(LIST_CURRENT, label, seen)


def _check_number(found: RevocationList, issuer: Authority, moment: datetime, seen: NumbersSeen, label: str) -> Check:
    highest = seen.highest(_identity(issuer), moment)
    number = found.number
    text = f"number {number}"
    holds = number is not None and (highest is None or number >= highest)
    return judge(LIST_NUMBER, label, holds, "revocation.list-rolled-back", text, f"{highest} or above, seen before")


def check_entry(examined: Examined, judgement: ListJudgement | None) -> Check:
    """Whether a list that may be believed names the certificate."""
    certificate, label = examined.certificate, examined.label
    if judgement is None or judgement.list is None or certificate is None:
        return not_reached(REVOKED, label)
    if certificate.serial_number not in judgement.list:
        return held(REVOKED, label, f"not in list number {judgement.list.number}")
    entry = judgement.list.entry(certificate.serial_number)
    reason = entry.reason.label if entry and entry.reason else "no reason given"
    seen = f"revoked {iso(entry.revoked_at) if entry else ''}, {reason}, by list number {judgement.list.number}"
    return not_held(REVOKED, label, "revocation.revoked", seen)


def no_list_needed(examined: Examined) -> Check:
    """The check of a certificate for which no list is published."""
    return held(REVOKED, examined.label, f"no list is published for {examined.kind.title}s")


def _hex(octets: bytes | None) -> str:
    return octets.hex().upper() if octets is not None else "none"
