"""Decides on applications, and makes and records the certificates that are granted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smki.authority.certification_authority import CertificationAuthority
from smki.authority.issuance import Subject
from smki.eligibility import Applicant
from smki.ledger import DecidedApplication, EventKind, NewApplication, NewEvent, RecordedDecision
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest
from smki.problem import Problem
from smki.profile.clearance import NotConformant
from smki.registration.application import Application, Issued, Refusal
from smki.registration.command import Context, Happened
from smki.registration.duties import added_text, statement_lines, statement_of, unstated
from smki.registration.examination import ExaminedApplication
from smki.registration.facts import BatchFacts
from smki.registration.inquiry import CannotBeJudged, NewDevice, WhoAndWhat, decide_on, find_applicant
from smki.registration.storing import Grant, make_certificates
from smki.sec.lodged import LODGED_ROLES
from smki.sec.party import NonParty, is_the_dcc
from smki.sec.registry_fields import registrant_id
from smki.sec.role import CertificateKind, CertificateStatus


@dataclass(frozen=True, slots=True)
class _Denial:
    """A decision to refuse an application."""

    problems: tuple[Problem, ...]
    application: NewApplication


@dataclass(frozen=True, slots=True)
class _Approval:
    """A decision to grant an application."""

    grant: Grant
    remarks: tuple[str, ...]


def decide_and_issue(
    context: Context, applications: Sequence[ExaminedApplication]
) -> tuple[tuple[Issued | Refusal, ...], Sequence[tuple[int, NewEvent]]]:
    """Decide on each application, make the certificates that are granted, and record all of them. Return the outcomes,
    and the events with their numbers.

    A certificate that would break its profile is refused after all. As that changes what later applications of the batch
    are decided on, all are decided again then.
    """
    requests = [each.request for each in applications if each.request is not None and not each.unfit]
    impossible: dict[int, NotConformant] = {}
    while True:
        facts = BatchFacts(context.transaction, requests)
        issuers = _Issuers(context)
        decisions = [
            _decide(context, facts, issuers, each, impossible.get(index)) for index, each in enumerate(applications)
        ]
        approved = [index for index, decision in enumerate(decisions) if isinstance(decision, _Approval)]
        grants = [decision.grant for decision in decisions if isinstance(decision, _Approval)]
        made = dict(zip(approved, make_certificates(context, grants), strict=True))
        failed = {index: each for index, each in made.items() if isinstance(each, NotConformant)}
        if not failed:
            break
        impossible |= failed
    decided = []
    for index, decision in enumerate(decisions):
        if isinstance(decision, _Denial):
            happened = Happened(kind=EventKind.REFUSED, detail=decision.problems[0].code)
            decided.append(
                DecidedApplication(
                    application=decision.application,
                    event=happened.event(context.actor, context.now),
                    reasons=decision.problems,
                )
            )
        else:
            granted = made[index]
            assert isinstance(granted, DecidedApplication)
            decided.append(granted)
    recorded = context.transaction.record_decisions(decided)
    outcomes = zip(applications, decisions, recorded, strict=True)
    appended = [(numbers.event_id, each.event) for numbers, each in zip(recorded, decided, strict=True)]
    return tuple(_outcome(*each) for each in outcomes), appended


def _outcome(
    examined: ExaminedApplication, decision: _Approval | _Denial, recorded: RecordedDecision
) -> Issued | Refusal:
    if isinstance(decision, _Denial):
        return Refusal(decision.problems, recorded.application_id)
    assert recorded.certificate is not None
    return Issued(recorded.certificate, examined.notes, decision.remarks)


def _decide(
    context: Context,
    facts: BatchFacts,
    issuers: _Issuers,
    examined: ExaminedApplication,
    impossible: NotConformant | None,
) -> _Approval | _Denial:
    """Decide on one application of a batch.

    :param impossible: why the certificate cannot be made, if that was tried.
    """
    wanted, request = examined.application, examined.request
    if request is None or examined.unfit:
        return _Denial(examined.unfit, _new_application(wanted, context, facts, request, None))
    applicant = None
    day, entity = context.now.date(), request.entity_identifier
    new = NewDevice(wanted.device_type, wanted.model, wanted.under_test)
    try:
        found = find_applicant(facts, context.actor, wanted.kind, entity, new, day)
        applicant = found.applicant
        decision = decide_on(
            facts, applicant, found.device, request.role, request.usage, entity, day, request.public_key_info,
            to_be_added=found.to_be_added,
        )  # fmt: skip
        problems = [*decision.problems, *unstated(facts, wanted.statement)]
        if problems:
            return _Denial(tuple(problems), _new_application(wanted, context, facts, request, applicant))
        issuer = issuers.of(wanted, facts.last_certificate_id())
        if impossible is not None:
            raise impossible
    except (NotConformant, CannotBeJudged) as error:
        return _Denial(tuple(error.problems), _new_application(wanted, context, facts, request, applicant))
    return _grant(context, facts, wanted, request, found, decision.test, issuer)


def _grant(
    context: Context,
    facts: BatchFacts,
    wanted: Application,
    request: CertificationRequest,
    found: WhoAndWhat,
    test: str,
    issuer: CertificationAuthority,
) -> _Approval:
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
    remarks = ([f"{addition}."] if addition else []), statement_lines(wanted.statement, applicant.officer)
    return _Approval(grant, (*remarks[0], *remarks[1]))


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
