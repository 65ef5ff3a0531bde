"""Decides on applications, and makes and records the certificates that are granted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smki.authority.certification_authority import CertificationAuthority
from smki.authority.issuance import Subject
from smki.eligibility import Applicant, Decision
from smki.ledger import EventKind, NewApplication, NewEvent
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest
from smki.problem import Problem
from smki.profile.clearance import NotConformant
from smki.registration.application import Application, Issued, Refusal
from smki.registration.command import Context, Happened
from smki.registration.duties import added_text, statement_lines, statement_of, unstated
from smki.registration.examination import ExaminedApplication
from smki.registration.facts import BatchFacts
from smki.registration.inquiry import decide_on
from smki.registration.participation import has_quota
from smki.registration.storing import DecisionsInTheMaking, Denial, Grant, RecordedDecision
from smki.registration.who_and_what import CannotBeJudged, NewDevice, WhoAndWhat, find_applicant
from smki.sec.lodged import LODGED_ROLES
from smki.sec.party import NonParty, is_the_dcc
from smki.sec.registry_fields import registrant_id
from smki.sec.role import CertificateKind, CertificateStatus


@dataclass(frozen=True, slots=True)
class _Approval:
    """A decision to grant an application."""

    grant: Grant
    remarks: tuple[str, ...]


def decide_and_issue(
    context: Context, applications: Sequence[ExaminedApplication]
) -> tuple[Sequence[Issued | Refusal], Sequence[tuple[int, NewEvent]]]:
    """Decide on each application, make the certificates that are granted, and record all of them. Return the outcomes,
    and the events with their numbers.

    If a certificate would break its profile, its application is refused after all. As that changes what later applications
    of the batch are decided on, the batch is then decided one by one.
    """
    outcomes = _together(context, applications, None)
    if not isinstance(outcomes, NotConformant):
        return outcomes
    if len(applications) == 1:
        outcomes = _together(context, applications, outcomes)
        assert not isinstance(outcomes, NotConformant)
        return outcomes
    each_by_itself = [decide_and_issue(context, (each,)) for each in applications]
    return [one for (one,), _ in each_by_itself], [event for _, (event,) in each_by_itself]


def _together(
    context: Context, applications: Sequence[ExaminedApplication], impossible: NotConformant | None
) -> tuple[Sequence[Issued | Refusal], Sequence[tuple[int, NewEvent]]] | NotConformant:
    """Decide on applications, and record the decisions; or record nothing, and return why a certificate would break its
    profile.

    :param impossible: why the certificates cannot be made, if that was tried.
    """
    requests = [each.request for each in applications if each.request is not None and not each.unfit]
    decider = _Decider(context, requests, impossible)
    making = DecisionsInTheMaking(context, {each.entity_identifier for each in requests})
    decisions = []
    for each in applications:
        decision = decider.decide(each)
        decisions.append(decision)
        making.add(decision.grant if isinstance(decision, _Approval) else decision)
    failure = making.failure()
    if failure is not None:
        return failure
    recorded = making.record()
    outcomes = tuple(map(_outcome, applications, decisions, recorded))
    return outcomes, [(each.event_id, each.event) for each in recorded]


def _outcome(
    examined: ExaminedApplication, decision: _Approval | Denial, recorded: RecordedDecision
) -> Issued | Refusal:
    if isinstance(decision, Denial):
        return Refusal(decision.problems, recorded.application_id)
    assert recorded.certificate is not None
    return Issued(recorded.certificate, examined.notes, decision.remarks)


class _Decider:
    """Decides on the applications of a batch, one after the other.

    :param impossible: why the certificates cannot be made, if that was tried.
    """

    def __init__(
        self, context: Context, requests: Sequence[CertificationRequest], impossible: NotConformant | None
    ) -> None:
        self._context = context
        self._impossible = impossible
        self._facts = BatchFacts(context.transaction, requests)
        self._issuers = _Issuers(context)
        self._named: dict[CertificateKind, Applicant] = {}
        """The applicant, which is the same for every application of a kind if the actor names one."""
        self._favourable: dict[tuple[Any, ...], Decision] = {}

    def decide(self, examined: ExaminedApplication) -> _Approval | Denial:
        """Decide on an application."""
        wanted, request, context = examined.application, examined.request, self._context
        if request is None or examined.unfit:
            return self._denial(examined.unfit, wanted, request, None)
        applicant = None
        new = NewDevice(wanted.device_type, wanted.model, wanted.under_test)
        try:
            entity, day = request.entity_identifier, context.now.date()
            named = self._named.get(wanted.kind)
            found = find_applicant(self._facts, context.actor, wanted.kind, entity, new, day, named=named)
            applicant = found.applicant
            if context.actor.party:
                self._named[wanted.kind] = applicant
            decision = self._decision(found, request)
            problems = [*decision.problems, *unstated(self._facts, wanted.statement)]
            if problems:
                return self._denial(problems, wanted, request, applicant)
            issuer = self._issuers.of(wanted, self._facts.last_certificate_id())
            if self._impossible is not None:
                raise self._impossible
        except (NotConformant, CannotBeJudged) as error:
            return self._denial(error.problems, wanted, request, applicant)
        return self._approval(wanted, request, found, decision.test, issuer)

    def _decision(self, found: WhoAndWhat, request: CertificationRequest) -> Decision:
        """Return the decision. A favourable one about a Device is also that of equal questions about other Devices: only
        refusals name the Device."""
        key = self._key(found, request) if found.device is not None and self._context.actor.party else None
        decision = self._favourable.get(key) if key is not None else None
        if decision is None:
            decision = decide_on(
                self._facts, found.applicant, found.device, request.role, request.usage, request.entity_identifier,
                self._context.now.date(), request.public_key_info, to_be_added=found.to_be_added,
            )  # fmt: skip
            if key is not None and decision.eligible:
                self._favourable[key] = decision
        return decision

    def _key(self, found: WhoAndWhat, request: CertificationRequest) -> tuple[Any, ...] | None:
        """Return what a decision about a Device depends on but for the applicant, who is the same for the whole batch; None
        if that changes with every certificate, as a quota does."""
        facts, device, subscriber = self._facts, found.device, found.applicant.subscriber
        if device is None or isinstance(subscriber, NonParty) or has_quota(subscriber):
            return None
        return (
            device.device_type, device.status, device.returns_to, device.smets_version, device.enrolled,
            device.responsible, device.model, device.under_test, facts.register.threshold(device.device_id),
            facts.certificates_for_device(device.device_id), facts.is_certified(request.public_key_info),
            found.to_be_added,
        )  # fmt: skip

    def _denial(
        self,
        problems: Sequence[Problem],
        wanted: Application,
        request: CertificationRequest | None,
        applicant: Applicant | None,
    ) -> Denial:
        application = _new_application(wanted, self._context, self._facts, request, applicant)
        happened = Happened(kind=EventKind.REFUSED, detail=problems[0].code)
        return Denial(application, happened, tuple(problems))

    def _approval(
        self,
        wanted: Application,
        request: CertificationRequest,
        found: WhoAndWhat,
        test: str,
        issuer: CertificationAuthority,
    ) -> _Approval:
        context, facts = self._context, self._facts
        applicant, device, to_be_added = found
        delay = context.settings.deemed_accepted_after
        # A Device Certificate counts as accepted at once (SEC L11); it may be rejected afterwards.
        # What the DCC lodges before anyone else can start (SEC L3.12) is in use at once.
        is_lodged = request.role in LODGED_ROLES and is_the_dcc(applicant.subscriber)
        is_pending = wanted.kind is CertificateKind.ORGANISATION and bool(delay) and not is_lodged
        added = device if to_be_added is not None else None
        application = _new_application(wanted, context, facts, request, applicant, test)
        facts.grant(application, request, added)
        addition = added_text(added) if added is not None else ""
        grant = Grant(
            application=application,
            happened=Happened(kind=EventKind.ISSUED, detail=addition),
            kind=wanted.kind,
            role=request.role,
            usage=request.usage,
            entity_identifier=request.entity_identifier,
            subject=_subject(request),
            issuer=issuer.facts,
            key=issuer.signing_key,
            status=CertificateStatus.PENDING if is_pending else CertificateStatus.IN_USE,
            deemed_accepted=context.now + delay if is_pending else None,
            device=added,
        )
        about_device = [f"{addition}."] if addition else []
        return _Approval(grant, (*about_device, *statement_lines(wanted.statement, applicant.officer)))


class _Issuers:
    """The authorities that issue the certificates of a batch, read once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._of_kind: dict[CertificateKind, list[CertificationAuthority]] = {}

    def of(self, application: Application, turn: int) -> CertificationAuthority:
        """Return the issuing authority that the application names, or the next one in turn.

        :param turn: the id of the last certificate.
        :raises CannotBeJudged: if there is none of that name.
        """
        issuers = self._of_kind.get(application.kind)
        if issuers is None:
            issuers = self._context.hierarchy.issuing(self._context.transaction, application.kind)
            self._of_kind[application.kind] = issuers
        if not application.issuer:
            return issuers[turn % len(issuers)]
        for issuer in issuers:
            if issuer.certificate.common_name == application.issuer:
                return issuer
        names = ", ".join(str(issuer.certificate.common_name) for issuer in issuers)
        raise CannotBeJudged(
            Problem(
                code="authority.unknown",
                subject=f"authority {application.issuer[:16]}",
                seen="does not issue certificates of this kind",
                expected=names,
                remedy=f"Name one of {names}, or leave it out.",
            )
        )


def _new_application(
    application: Application,
    context: Context,
    facts: BatchFacts,
    request: CertificationRequest | None,
    applicant: Applicant | None,
    test: str = "",
) -> NewApplication:
    """Return the application as it is recorded: as much of it as is known."""
    actor = context.actor
    subscriber = applicant.subscriber if applicant else None
    acts_for_another = applicant is not None and applicant.on_behalf_of is not None
    return NewApplication(
        received=context.now,
        interface=actor.interface,
        subscriber=_id_of(subscriber) if subscriber else actor.party,
        officer=applicant.officer if applicant else actor.officer,
        applied_by=_id_of(applicant.who) if applicant and acts_for_another else None,
        kind=application.kind,
        entity_identifier=request.entity_identifier if request else None,
        role=request.role if request else None,
        usage=request.usage if request else None,
        request=application.request or None,
        top_up=application.top_up,
        test=test or None,
        statement=statement_of(facts, application.statement) if applicant else None,
    )


def _id_of(who: object) -> str:
    return who.name if isinstance(who, NonParty) else registrant_id(who)  # type: ignore[arg-type]


def _subject(request: CertificationRequest) -> Subject:
    carried_over = {Oid.KEY_USAGE: request.key_usage}
    if request.subject_alt_name is not None:
        carried_over[Oid.SUBJECT_ALT_NAME] = request.subject_alt_name
    return Subject(request.subject, request.public_key_info, carried_over)
