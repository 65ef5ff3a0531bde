"""Applications for certificates: the command that decides on an application and issues the certificate if it is
granted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smki.authority.certification_authority import CertificationAuthority
from smki.authority.issuance import Subject
from smki.eligibility import Applicant
from smki.ledger import CertificateRecord, EventKind, NewApplication
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest
from smki.pki.template import RequestTemplates
from smki.problem import Finding, Problem, SmkiError, errors_among
from smki.profile.clearance import NotConformant
from smki.profile.lint import examine_request, looks_like_certificate
from smki.profile.tables import profile_of
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.duties import added_text, statement_lines, statement_of, unstated
from smki.registration.inquiry import CannotBeJudged, NewDevice, WhoAndWhat, decide_on, find_applicant
from smki.registration.storing import store_certificate
from smki.sec.device import DeviceType
from smki.sec.lodged import LODGED_ROLES
from smki.sec.party import NonParty, is_the_dcc
from smki.sec.registry_fields import registrant_id
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

MAX_REQUEST_BYTES = 64 * 1024
"""Maximum size of a certification request in bytes. Ordinary requests have about 300; a larger one is refused
unread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application for an Organisation or a Device Certificate. The actor says who applies."""

    kind: CertificateKind
    """The kind of certificate that is applied for, ORGANISATION or DEVICE, whatever the request looks like."""
    request: bytes
    """The certification request, DER."""
    device_type: DeviceType | None = None
    """The type of a Device that is not yet in the Smart Metering Inventory. If the subscriber may add it
    (:mod:`smki.eligibility.inventory`), the Device is added as pending when the application is granted."""
    model: str = ""
    """The product identifier of the model of such a Device; empty if it is not given."""
    under_test: bool = False
    """Whether such a Device is added as a Device under test of the subscriber."""
    statement: bool = False
    """Whether the officer states what SEC L11 requires (:data:`~smki.registration.duties.STATEMENT`)."""
    issuer: str = ""
    """The common name of the issuing authority; empty to use the authorities in turn."""
    top_up: bool = False
    """Whether it is a Supplier's key agreement certificate for prepayment top-up, which is separate from that for
    management."""


@dataclass(frozen=True, slots=True)
class Issued:
    """The application was granted."""

    record: CertificateRecord
    notes: tuple[Finding, ...] = ()
    """What the lint found in the request below error, for instance extensions that were not copied."""
    remarks: tuple[str, ...] = ()
    """What else was done: the statement of SEC L11 that was recorded, and the Device that was added to the inventory."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The application was refused; nothing was issued."""

    problems: tuple[Problem, ...]
    """Every reason, the decisive one first."""
    application_id: int
    """The number of the application in the record of applications."""


class Refused(SmkiError):
    """A refusal as an exception, for callers that prefer one."""


@dataclass(frozen=True, slots=True)
class Apply(Command[Issued | Refusal]):
    """Decide on an application and issue the certificate if it is granted. A refusal is recorded too.

    The applicant is the Party of the actor. If the actor names none, it is the Party that the Entity Identifier belongs
    to or, for a Device, the first that is eligible (:mod:`smki.registration.applicants`).
    """

    application: Application

    def prepare(self, templates: RequestTemplates | None = None) -> Command[Issued | Refusal]:
        """Parse, lint and verify the request."""
        wanted = self.application
        if len(wanted.request) > MAX_REQUEST_BYTES:
            return _Decide(replace(wanted, request=b""), None, (), (_too_large(wanted.request),))
        request, findings = examine_request(wanted.request, wanted.kind, templates)
        if request is None:
            return _Decide(wanted, None, (), tuple(_unfit(wanted, findings)))
        if wanted.top_up and (
            request.role is not RemotePartyRole.SUPPLIER or request.usage is not KeyUsage.KEY_AGREEMENT
        ):
            return _Decide(wanted, request, (), (_no_top_up(request),))
        return _Decide(wanted, request, tuple(findings), ())

    def carry_out(self, context: Context) -> Done[Issued | Refusal]:
        """Decide on the application, and issue the certificate if it is granted."""
        return self.prepare().carry_out(context)


@dataclass(frozen=True, slots=True)
class _Decide(Command[Issued | Refusal]):
    """An application whose request has been checked."""

    application: Application
    request: CertificationRequest | None
    notes: tuple[Finding, ...]
    unfit: tuple[Problem, ...]
    """Why no certificate can be issued for the request, whoever applies."""

    def carry_out(self, context: Context) -> Done[Issued | Refusal]:
        if self.request is None or self.unfit:
            return self._refuse(context, self.unfit, None)
        applicant = None
        day = context.now.date()
        entity = self.request.entity_identifier
        wanted = self.application
        new = NewDevice(wanted.device_type, wanted.model, wanted.under_test)
        try:
            found = find_applicant(context.transaction, context.actor, wanted.kind, entity, new, day)
            applicant = found.applicant
            decision = decide_on(
                context.transaction, applicant, found.device, self.request.role, self.request.usage, entity, day,
                self.request.public_key_info, to_be_added=found.to_be_added,
            )  # fmt: skip
            problems = [*decision.problems, *unstated(context.transaction, wanted.statement)]
            if problems:
                return self._refuse(context, problems, applicant)
            return self._issue(context, self.request, found, decision.test)
        except (NotConformant, CannotBeJudged) as error:
            return self._refuse(context, error.problems, applicant)

    def _issue(
        self, context: Context, request: CertificationRequest, found: WhoAndWhat, test: str
    ) -> Done[Issued | Refusal]:
        applicant, device, to_be_added = found
        kind, delay = self.application.kind, context.settings.deemed_accepted_after
        # A Device Certificate counts as accepted at once (SEC L11); it may be rejected afterwards.
        # What the DCC lodges before anyone else can start (SEC L3.12) is in use at once.
        is_lodged = request.role in LODGED_ROLES and is_the_dcc(applicant.subscriber)
        is_pending = kind is CertificateKind.ORGANISATION and bool(delay) and not is_lodged
        issuer = _issuer(context, self.application)
        record = store_certificate(
            context,
            profile_of(kind, request.role),
            _subject(request),
            issuer.facts,
            issuer.signing_key,
            _new_application(self.application, context, request, applicant, test),
            status=CertificateStatus.PENDING if is_pending else CertificateStatus.IN_USE,
            deemed_accepted=context.now + delay if is_pending else None,
        )
        addition = ""
        if device is not None and to_be_added is not None:
            context.transaction.add_device(device)
            addition = added_text(device)
        happened = Happened(kind=EventKind.ISSUED, certificate=record, detail=addition)
        remarks = (
            *([f"{addition}."] if addition else []),
            *statement_lines(self.application.statement, applicant.officer),
        )
        return Done(Issued(record, self.notes, remarks), happened)

    def _refuse(
        self, context: Context, problems: Sequence[Problem], applicant: Applicant | None
    ) -> Done[Issued | Refusal]:
        new = _new_application(self.application, context, self.request, applicant)
        number = context.transaction.add_application(new, reasons=problems)
        happened = Happened(kind=EventKind.REFUSED, application_id=number, detail=problems[0].code)
        return Done(Refusal(tuple(problems), number), happened)


def _issuer(context: Context, application: Application) -> CertificationAuthority:
    """Return the issuing authority that the application names, or the next one in turn.

    :raises CannotBeJudged: if there is none of that name.
    """
    issuers = context.hierarchy.issuing(context.transaction, application.kind)
    if not application.issuer:
        turn = context.transaction.last_certificate_id()
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
        statement=statement_of(context.transaction, application.statement) if applicant else None,
    )


def _id_of(who: object) -> str:
    return who.name if isinstance(who, NonParty) else registrant_id(who)  # type: ignore[arg-type]


def _too_large(data: bytes) -> Problem:
    expected = f"at most {MAX_REQUEST_BYTES} bytes"
    return Problem(
        code="request.too-large", subject="certification request", seen=f"{len(data)} bytes", expected=expected
    )


def _unfit(application: Application, findings: Sequence[Finding]) -> Sequence[Problem]:
    """Return why no certificate can be issued for the request: the errors that the lint found in it."""
    if looks_like_certificate(application.request):
        expected = "a certification request (PKCS#10)"
        remedy = "Submit the request that was made for its key."
        seen = "a certificate"
        return (
            Problem(
                code="request.is-certificate",
                subject="certification request",
                seen=seen,
                expected=expected,
                remedy=remedy,
            ),
        )
    errors = errors_among(findings)
    # A request of the other kind breaks every rule of this kind; only the first reason is useful.
    decisive = [finding for finding in errors if finding.code == "kind.unexpected"] or errors
    return [finding.as_problem(_remedy(finding.code, application.kind)) for finding in decisive]


def _no_top_up(request: CertificationRequest) -> Problem:
    seen = f"{request.role.label if request.role else 'no role'}, {request.usage.label}"
    return Problem(
        code="top-up.not-a-supplier",
        subject="prepayment top-up",
        seen=seen,
        expected="a Supplier's key agreement certificate",
    )


_OTHER_COMMAND = {
    CertificateKind.DEVICE: "kind.apply-for-organisation",
    CertificateKind.ORGANISATION: "kind.apply-for-device",
}


def _remedy(code: str, kind: CertificateKind) -> str:
    return _OTHER_COMMAND[kind] if code == "kind.unexpected" else ""


def _subject(request: CertificationRequest) -> Subject:
    carried_over = {Oid.KEY_USAGE: request.key_usage}
    if request.subject_alt_name is not None:
        carried_over[Oid.SUBJECT_ALT_NAME] = request.subject_alt_name
    return Subject(request.subject, request.public_key_info, carried_over)
