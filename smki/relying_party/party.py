"""A Relying Party (SEC L12): decides whether a certificate may be trusted, and reports every check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from smki.clock import Clock, RealClock, iso, utc
from smki.identity import EntityIdentifier
from smki.pki.certificate import Certificate
from smki.profile.check_extensions import policies_value
from smki.profile.tables import TEST_POLICY_OID
from smki.relying_party.anchor import (
    Authority,
    TrustAnchor,
    anchors_among,
    authority_of_anchor,
    authority_of_certificate,
)
from smki.relying_party.authorities import Authorities, Path, PathsFound
from smki.relying_party.examine import Examined, Examiner
from smki.relying_party.lists import FixedLists, ListSource, NumbersSeen, RevocationLists
from smki.relying_party.path import check_contents, check_end_entity, check_lengths, check_link
from smki.relying_party.requirements import ENTITY, KEY_USAGE, LIST, REVOKED, ROLE, SUSPICION, VALIDITY
from smki.relying_party.revocation import (
    ListJudgement,
    check_entry,
    judge_list,
    list_profile_for,
    no_list_needed,
    note_numbers,
)
from smki.relying_party.suspicion import Suspicions
from smki.relying_party.use import ANY_USE, Use, check_use
from smki.relying_party.verdict import (
    Check,
    Checks,
    Outcome,
    Verdict,
    held,
    left_out,
    not_applicable,
    not_held,
    not_reached,
)

_NO_LISTS = RevocationLists()
_MAX_CHAINS = 256
"""Maximum number of judged chains in the cache: those of one moment, or a few."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """The checks of the authorities in a path at one moment, with the lists of that moment. They are the same for every
    certificate below these authorities, so they are made once."""

    profile: Checks
    path: Checks
    time: Checks
    revocation: Checks
    suspicion: Checks
    judgement: ListJudgement | None
    """The judgement of the list that covers the end entity; None if its kind has no list, or it has no issuer."""


class _ChainKey(NamedTuple):
    """Everything that the judgement of a chain depends on, apart from what never changes in a Relying Party."""

    path: Path
    moment: datetime
    wanted: str
    """The name of the list that covers the end entity's kind; empty for none."""
    numbers: int
    """The version of the list numbers seen."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The chains judged with one set of lists and suspicions; replaced when either changes."""

    lists: RevocationLists
    suspicions: Suspicions
    chains: dict[_ChainKey, _Chain] = field(default_factory=dict)


class RelyingParty:
    """Judges certificates. Safe for threads.

    :param trust_anchors: authorities to trust. A certificate whose issuer is among them only helps to build paths; see
        :func:`smki.relying_party.anchor.anchors_among`.
    :param lists: the revocation lists, or their source (a :class:`RepositoryClient`).
    :param chain: authority certificates used to build paths; they are not trusted themselves.
    :param clock: the source of the current time.
    :param suspicions: certificates that this Relying Party itself suspects of compromise.
    :param policy_oids: the certificate policies accepted.
    :param ignore_time: skip the validity check, as a Device may (``applyTimeBasedCPVChecks`` false). Lists must still
        be current.
    :param seen: the list numbers seen before, if they outlive this object; by default those of the list source.
    :raises Malformed: if a trust anchor is unusable.
    """

    def __init__(
        self,
        trust_anchors: Iterable[TrustAnchor | Certificate],
        lists: RevocationLists | ListSource | None = None,
        *,
        chain: Iterable[Certificate | bytes] = (),
        clock: Clock | None = None,
        suspicions: Suspicions | None = None,
        policy_oids: Iterable[str] = (TEST_POLICY_OID,),
        ignore_time: bool = False,
        seen: NumbersSeen | None = None,
    ) -> None:
        given = list(trust_anchors)
        anchors, others = anchors_among(item for item in given if isinstance(item, Certificate))
        anchors += (item for item in given if isinstance(item, TrustAnchor))
        known = [authority_of_anchor(anchor) for anchor in anchors]
        self._authorities = Authorities((*known, *_authorities_of((*others, *chain), known)))
        self._source: ListSource = (
            lists
            if lists is not None and not isinstance(lists, RevocationLists)
            else FixedLists(lists or RevocationLists())
        )
        self._clock: Clock = clock or RealClock()
        self.suspicions = suspicions or Suspicions()
        self._policies = frozenset(policies_value(oid) for oid in policy_oids)
        self._ignore_time = ignore_time
        self._seen = seen or getattr(lists, "seen", None) or NumbersSeen()
        self._examiner = Examiner()
        self._known = {needs_lists: _Known(_NO_LISTS, self.suspicions) for needs_lists in (False, True)}

    def verify(
        self,
        certificate: Certificate | bytes,
        *,
        for_: Use | str | None = None,
        entity: EntityIdentifier | str | None = None,
        at: datetime | None = None,
        chain: Iterable[Certificate | bytes] = (),
    ) -> Verdict:
        """Judge one certificate (DER). Never raises because of its content or a Repository's response.

        :param for_: the intended use; None for any.
        :param entity: the expected holder, as the EUI-64 of an Organisation or a Device; None for any.
        :param at: the moment of the judgement, UTC; None for now.
        :param chain: additional authority certificates, which are not trusted themselves.
        :raises Malformed: if *for_* or *entity* is invalid, or *at* has no time zone.
        :raises OSError: if a list number cannot be stored (for instance because the disk is full).
        """
        moment = self._clock.now() if at is None else utc(at, "at")
        use = Use.parse(for_) if isinstance(for_, str) else for_ or ANY_USE
        wanted = EntityIdentifier.parse(entity) if isinstance(entity, str) else entity
        examined = self._examiner.examine(certificate.der if isinstance(certificate, Certificate) else certificate)
        suspicions = self.suspicions
        # A verdict on a Device Certificate does not wait for a Repository that it does not need.
        needs_lists = list_profile_for(examined.kind) is not None
        lists = self._source.revocation_lists(moment) if needs_lists else _NO_LISTS
        authorities = self._authorities
        if offered := tuple(chain):
            authorities = authorities.extended(_authorities_of(offered, authorities))
        found = authorities.paths_above(examined)
        if found.is_issued and examined.structure is not None:
            self._examiner.learn(examined)
        best: Verdict | None = None
        for path in found.paths:
            above = self._judge_chain(examined, path, authorities, lists, moment, suspicions)
            checks = self._judge(examined, path, found, above, moment, suspicions)
            verdict = Verdict(
                examined.label,
                examined.certificate,
                moment,
                (*checks, *_check_use(examined, use, wanted)),
                str(use),
                wanted,
            )
            if verdict.trusted:
                return verdict
            if best is None or _progress(verdict) > _progress(best):
                best = verdict
        assert best is not None
        return best

    def _judge(
        self,
        examined: Examined,
        path: Path,
        found: PathsFound,
        above: _Chain,
        moment: datetime,
        suspicions: Suspicions,
    ) -> Checks:
        return (
            examined.profile,
            *above.profile,
            *check_link(examined, path[0] if path else None, found.is_issued),
            *check_contents(examined, self._policies),
            *above.path,
            check_end_entity(examined),
            self._check_validity(examined, moment),
            *above.time,
            *_check_revocation(examined, above.judgement),
            *above.revocation,
            _check_suspicion(examined, suspicions),
            *above.suspicion,
        )

    def _judge_chain(
        self,
        examined: Examined,
        path: Path,
        authorities: Authorities,
        lists: RevocationLists,
        moment: datetime,
        suspicions: Suspicions,
    ) -> _Chain:
        wanted = list_profile_for(examined.kind)
        known = self._known[wanted is not None]
        if known.lists is not lists or known.suspicions is not suspicions or len(known.chains) >= _MAX_CHAINS:
            known = self._known[wanted is not None] = _Known(lists, suspicions)
        list_name = wanted.name if wanted is not None else ""
        chain = known.chains.get(_ChainKey(path, moment, list_name, self._seen.version))
        if chain is not None:
            return chain
        issued = [authority for authority in path if authorities.is_issued(authority)]
        for authority in issued:
            note_numbers(authority, lists, self._seen)
        version = self._seen.version
        judgement = judge_list(wanted, path[0], lists, moment, self._seen) if wanted is not None and path else None
        chain = self._find_out(path, authorities, judgement, known, moment)
        # Chains offered with one call are not cached here, and a number noted in the meantime makes this judgement
        # stale.
        if path and len(issued) == len(path):
            known.chains[_ChainKey(path, moment, list_name, version)] = chain
        return chain

    def _find_out(
        self, path: Path, authorities: Authorities, judgement: ListJudgement | None, known: _Known, moment: datetime
    ) -> _Chain:
        above = [item.examined for item in path if item.examined is not None]
        links: list[Check] = list(check_lengths(path))
        revocation: list[Check] = []
        for at, authority in enumerate(path):
            if authority.examined is None:
                continue
            links += check_contents(authority.examined, self._policies)
            issuer = path[at + 1] if at + 1 < len(path) else None
            certificate = authority.certificate
            if authority.is_anchor and certificate is not None and certificate.issuer == certificate.subject:
                issuer = authority
            if issuer is not None or not authority.is_anchor:
                is_signed = issuer is not None and authorities.is_signed(authority, issuer)
                links += check_link(authority.examined, issuer, is_signed)
            revocation += self._check_authority_revocation(authority, issuer, known.lists, moment)
        return _Chain(
            profile=tuple(examined.profile for examined in above),
            path=tuple(links),
            time=tuple(self._check_validity(examined, moment) for examined in above),
            revocation=tuple(revocation),
            suspicion=tuple(_check_suspicion(examined, known.suspicions) for examined in above),
            judgement=judgement,
        )

    def _check_authority_revocation(
        self, authority: Authority, issuer: Authority | None, lists: RevocationLists, moment: datetime
    ) -> Checks:
        assert authority.examined is not None
        wanted = list_profile_for(authority.kind)
        if authority.is_anchor:
            nobody = "a trust anchor: no authority above it could revoke it"
            return (not_applicable(REVOKED, authority.label, nobody),)
        if wanted is None:
            return (no_list_needed(authority.examined),)
        if issuer is None:
            return (not_reached(LIST, authority.label), not_reached(REVOKED, authority.label))
        judgement = judge_list(wanted, issuer, lists, moment, self._seen)
        return (*judgement.checks, check_entry(authority.examined, judgement))

    def _check_validity(self, examined: Examined, moment: datetime) -> Check:
        certificate, label = examined.certificate, examined.label
        if self._ignore_time:
            return left_out(VALIDITY, label, "skipped, as requested")
        if certificate is None:
            return not_reached(VALIDITY, label)
        if certificate.not_before <= moment <= certificate.not_after:
            return held(VALIDITY, label, "within its validity")
        is_early = moment < certificate.not_before
        seen = f"valid {iso(certificate.not_before)} to {iso(certificate.not_after)}"
        code = "time.not-yet-valid" if is_early else "time.expired"
        return not_held(VALIDITY, label, code, seen, f"valid at {iso(moment)}")


def _check_use(examined: Examined, use: Use, entity: EntityIdentifier | None) -> Checks:
    certificate, label = examined.certificate, examined.label
    if certificate is None:
        return (not_reached(ROLE, label), not_reached(ENTITY, label), not_reached(KEY_USAGE, label))
    return check_use(certificate, examined.kind, label, use, entity)


def _check_revocation(examined: Examined, judgement: ListJudgement | None) -> Checks:
    if list_profile_for(examined.kind) is None:
        return (no_list_needed(examined),)
    if judgement is None:
        return (not_reached(LIST, examined.label), not_reached(REVOKED, examined.label))
    return (*judgement.checks, check_entry(examined, judgement))


def _check_suspicion(examined: Examined, suspicions: Suspicions) -> Check:
    certificate, label = examined.certificate, examined.label
    if certificate is None:
        return not_reached(SUSPICION, label)
    suspicion = suspicions.of(certificate.serial_number)
    if suspicion is None:
        return held(SUSPICION, label, "not suspected")
    seen = f"suspected since {iso(suspicion.since)}: {suspicion.because}"
    return not_held(SUSPICION, label, "suspicion.suspected", seen)


def _authorities_of(certificates: Iterable[Certificate | bytes], known: Iterable[Authority]) -> list[Authority]:
    """Return the authorities in the certificates, without those that are unreadable or already known."""
    seen = {authority.encoded for authority in known if authority.examined is not None}
    found = []
    for item in certificates:
        encoded = item.der if isinstance(item, Certificate) else item
        authority = authority_of_certificate(encoded) if encoded not in seen else None
        if authority is not None:
            seen.add(encoded)
            found.append(authority)
    return found


def _progress(verdict: Verdict) -> tuple[list[int], int]:
    """Rank a verdict by how far it got: if every path fails, the one that failed last is reported; of several that
    failed at the same check, the one with the fewest failures."""
    failures = [at for at, check in enumerate(verdict.checks) if check.outcome is Outcome.NOT_HELD]
    return failures[:1], -len(failures)
