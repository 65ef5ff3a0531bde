"""Answers a question using the provisions and tables. No other code reads them.

Every relevant provision is applied, even after one has failed, so that a refusal lists everything that must be put
right. The order is: the applicant, what is applied for, and earlier certificates.

Our interpretations of the Code:

* Everything issued here is a Test Certificate (SEC H14.11). A Party that takes part in a test is judged as for a live
  certificate, because the emulator exists to rehearse that; in open mode every Party counts as taking part.
* For an applicant that is not a Party, an agreement on Schedule 7 and what is recorded of its test replace everything
  that is required of Parties: it may have what its test calls for. What is assumed there is in ``assumptions``.
* If there are several tests, the certificate is for the first that admits it. If none does, the reasons are those of
  the test for which there are the fewest.
* If a Shared Resource applies for a User or a supplier, the certificate and the rights are the latter's, and the
  officer is the Shared Resource's. Before SEC G5.29 the Shared Resource did not have to be a Party, but it always had
  to be named.
* A supplier does not have to be the one responsible for the Device.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, partial

from smki.eligibility import participation, provisions
from smki.eligibility.assumptions import PARTICIPANTS_WHILE_IN_SERVICE
from smki.eligibility.decision import Applied, Decision, Note, fails, holds
from smki.eligibility.descriptions import described
from smki.eligibility.inventory import adding, given_of
from smki.eligibility.provisions import Provision
from smki.eligibility.question import (
    Applicant,
    AuthorityQuestion,
    DeviceQuestion,
    InventoryQuestion,
    OrganisationQuestion,
    Question,
    id_of,
)
from smki.eligibility.smets1 import security_sections
from smki.eligibility.tables import (
    AUTHORITY_PROVISIONS,
    DEVICE_ROWS,
    IN_SERVICE,
    ROLE_ROWS,
    SHARE_AN_IDENTIFIER,
    SUSPENDED_COUNTS_AS_BEFORE,
    DeviceRow,
    RoleRow,
    Who,
)
from smki.sec.device import Device
from smki.sec.party import SUPPLIERS, NonParty, Party, Standing, TestingParticipant, is_the_dcc
from smki.sec.recorded_test import RecordedTest
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole, UserRole
from smki.sec.vocabulary import listed

_REGISTERED_SUPPLIER_AGENT_ONLY = frozenset({UserRole.REGISTERED_SUPPLIER_AGENT})


def decide(question: Question) -> Decision:
    """Decide whether the applicant is an Eligible Subscriber for the certificate, and why."""
    if isinstance(question, InventoryQuestion | AuthorityQuestion):
        applied = _inventory(question) if isinstance(question, InventoryQuestion) else _authority(question)
        return Decision.of(applied, question.as_of, partial(_given, question, None))
    best = None
    for test in participation.tests_to_judge(question):
        asked = _device(question, test) if isinstance(question, DeviceQuestion) else _organisation(question, test)
        name = test.name if test is not None else ""
        decision = Decision.of(asked, question.as_of, partial(_given, question, test), name)
        if decision.eligible:
            return decision
        if best is None or len(decision.problems) < len(best.problems):
            best = decision
    assert best is not None, "there is always a test to judge, or none"
    return best


def _given(question: Question, test: RecordedTest | None) -> dict[str, str]:
    """Return the values for the remedies of a refusal."""
    if isinstance(question, InventoryQuestion):
        return {"party": id_of(question.who), **given_of(question.device)}
    given = {"party": id_of(question.applicant.subscriber)}
    if test is not None:
        given["test"] = test.name
    if isinstance(question, DeviceQuestion):
        given |= given_of(question.device)
    elif isinstance(question, OrganisationQuestion):
        given |= {"role": question.role.label, "eui": str(question.entity_identifier)}
    return given


def _organisation(question: OrganisationQuestion, test: RecordedTest | None) -> Iterator[Applied | Note | None]:
    applicant, kind = question.applicant, CertificateKind.ORGANISATION
    yield from _who(question, kind, provisions.ORGANISATION_SUBSCRIBERS, test)
    subscriber = applicant.subscriber
    if not isinstance(subscriber, NonParty):
        yield from participation.organisation_called_for(subscriber, question, test)
    if isinstance(subscriber, Party):
        yield _entity_identifier(subscriber, question)
    yield from _dcc_identifier(subscriber, question)
    if isinstance(subscriber, Party):
        yield from _role(subscriber, ROLE_ROWS[question.role], question)
    yield _usage(question.role, question.usage)
    yield from _issued_before(question, test)


def _device(question: DeviceQuestion, test: RecordedTest | None) -> Iterator[Applied | Note | None]:
    device, subscriber = question.device, question.applicant.subscriber
    yield from _who(question, CertificateKind.DEVICE, provisions.DEVICE_SUBSCRIBERS, test)
    row = DEVICE_ROWS.get(device.device_type)
    if row is None:
        yield fails(provisions.DEVICE_TYPE_2, "device.type-2", device.device_type.value)
    else:
        if not isinstance(subscriber, NonParty):
            yield participation.device_called_for(subscriber, question, test)
        if not (isinstance(subscriber, TestingParticipant) and PARTICIPANTS_WHILE_IN_SERVICE):
            yield from _device_row(question.applicant, device, row)
    if question.to_be_added is not None:
        yield from adding(question.applicant.subscriber, device, question.to_be_added)
    yield _replacement(question)
    yield _device_limit(question)
    yield from _issued_before(question, test)
    yield _smets1(question)


def _inventory(question: InventoryQuestion) -> Iterator[Applied]:
    who = question.who
    if isinstance(who, Party):
        yield _standing(who, question)
    else:
        yield participation.agreement(who, question)
    if question.device.under_test is not None:
        yield from participation.takes_part_in_any(who, question)
    yield from adding(who, question.device, question.listing)


def _authority(question: AuthorityQuestion) -> Iterator[Applied | None]:
    provision = AUTHORITY_PROVISIONS[question.kind]
    subscriber = question.applicant.subscriber
    yield _acting_for(question.applicant)
    yield _shared_resource(question.applicant, question)
    if isinstance(subscriber, Party):
        yield _standing(subscriber, question)
        if is_the_dcc(subscriber):
            yield holds(provision, "the DCC")
            return
    yield fails(provision, "authority.dcc-only", _described(question.applicant))


# The applicant


def _who(
    question: OrganisationQuestion | DeviceQuestion,
    kind: CertificateKind,
    provision: Provision,
    test: RecordedTest | None,
) -> Iterator[Applied | None]:
    """Apply the provisions about the applicant that do not depend on what is applied for."""
    applicant = question.applicant
    subscriber = applicant.subscriber
    if isinstance(subscriber, Party):
        yield holds(provision, "a Party")
        yield from participation.takes_part(subscriber, question, test)
        yield _standing(subscriber, question)
        yield participation.as_if_authorised(subscriber, kind, test) or _authorised_subscriber(subscriber, kind)
    elif isinstance(subscriber, TestingParticipant):
        yield holds(provision, "a Testing Participant")
        yield from participation.takes_part(subscriber, question, test)
        yield participation.agreement(subscriber, question)
    else:
        yield fails(provision, "party.none", subscriber.name)
        yield fails(provisions.TEST_CERTIFICATES, "participant.none", subscriber.name)
    yield _acting_for(applicant)
    yield _shared_resource(applicant, question)
    yield _officer(applicant, kind)


_STANDING_REFUSALS = {
    None: "party.not-yet-acceded",
    Standing.SUSPENDED: "party.suspended",
    Standing.EXPELLED: "party.expelled",
    Standing.WITHDRAWN: "party.withdrawn",
}


def _standing(party: Party, question: Question) -> Applied:
    standing = party.standing_on(question.as_of)
    if standing is Standing.ACCEDED:
        return holds(provisions.STANDING, "acceded")
    return fails(provisions.STANDING, _STANDING_REFUSALS[standing], f"{party.name}: {standing or 'not acceded'}")


def _authorised_subscriber(party: Party, kind: CertificateKind) -> Applied:
    if kind in party.authorised_for:
        return holds(provisions.AUTHORISED_SUBSCRIBER, kind.title)
    kinds = listed(sorted(f"{each.title}s" for each in party.authorised_for)) or "nothing"
    seen = f"{party.name}: Authorised Subscriber for {kinds}"
    return fails(provisions.AUTHORISED_SUBSCRIBER, "party.not-authorised-subscriber", seen)


def _officer(applicant: Applicant, kind: CertificateKind) -> Applied:
    who, name = applicant.who, applicant.officer
    officers = who.officers if isinstance(who, Party | TestingParticipant) else ()
    known = False
    for officer in officers:
        if officer.name == name:
            if kind in officer.kinds:
                return holds(provisions.OFFICER, name)
            known = True
    seen = f"{name or 'no officer'}, for {who.name}"
    code = "officer.other-kind" if known else "officer.unknown"
    return fails(provisions.OFFICER, code, seen, given={"party": id_of(who)})


def _acting_for(applicant: Applicant) -> Applied | None:
    user, who = applicant.on_behalf_of, applicant.who
    if user is None:
        return None
    if not isinstance(who, Party) or user.party_id not in who.acts_for:
        remedy = "" if isinstance(who, Party) else "acting-for.as-itself"
        seen, resource = f"{who.name}, not named by {user.name}", {"resource": id_of(who)}
        return fails(provisions.ACTING_FOR, "acting-for.not-named", seen, remedy, resource)
    if not user.is_user and user.category not in SUPPLIERS:
        return fails(provisions.ACTING_FOR, "acting-for.not-a-user", f"{who.name}, for {user.name}, not a User")
    not_a_user = "" if user.is_user else ", a supplier that is not a User"
    return holds(provisions.ACTING_FOR, f"{who.name}, named by {user.name}{not_a_user}")


def _shared_resource(applicant: Applicant, question: Question) -> Applied | None:
    if applicant.on_behalf_of is None:
        return None
    who = applicant.who
    standing = who.standing_on(question.as_of) if isinstance(who, Party) else None
    if standing is Standing.ACCEDED:
        return holds(provisions.SHARED_RESOURCE, "acceded")
    seen = f"{who.name}: {standing or 'not acceded'}"
    return fails(provisions.SHARED_RESOURCE, "shared-resource.not-a-party", seen)


# What is applied for


def _entity_identifier(party: Party, question: OrganisationQuestion) -> Applied:
    wanted = question.entity_identifier
    if wanted in party.identifiers:
        return holds(provisions.ENTITY_IDENTIFIER, f"{wanted}, of {party.name}")
    own = listed(str(each) for each in sorted(party.identifiers)) or "none"
    seen = f"{wanted}; {party.name} has {own}"
    return fails(provisions.ENTITY_IDENTIFIER, "entity-identifier.not-owned", seen)


def _role(party: Party, row: RoleRow, question: OrganisationQuestion) -> Iterator[Applied | None]:
    acts_as = party.acts_as
    seen = f"{question.role} for {described(party)}"
    if row.who.admits(party):
        yield holds(row.provision, seen)
    else:
        yield fails(row.provision, row.refusal, seen)
    yield _separate_roles(acts_as, row.who)
    if acts_as == _REGISTERED_SUPPLIER_AGENT_ONLY and row.in_seed:
        # Never decisive, because the row above refuses too; it tells the agent which role it may have.
        if row.provision is provisions.ROLE_OTHER:
            yield holds(provisions.REGISTERED_SUPPLIER_AGENT, seen)
        else:
            yield fails(provisions.REGISTERED_SUPPLIER_AGENT, "role.registered-supplier-agent", seen)


def _dcc_identifier(
    subscriber: Party | TestingParticipant | NonParty, question: OrganisationQuestion
) -> Iterator[Applied | Note]:
    is_own = is_the_dcc(subscriber)
    if not (is_own or question.is_the_dccs) or not question.role.usages:
        return
    before = question.roles_before - {question.role}
    seen = _certified_before(question.roles_before)
    if not before or before | {question.role} <= SHARE_AN_IDENTIFIER:
        yield holds(provisions.DCC_IDENTIFIERS, seen)
        if before:
            text = f"{question.entity_identifier} has certificates in the role {_labels(before)} too"
            yield Note(provisions.DCC_XML_IDENTIFIER, text)
    else:
        seen = f"{question.entity_identifier}, {seen}"
        remedy = "" if is_own else "participant.other-identifier"
        yield fails(provisions.DCC_IDENTIFIERS, "entity-identifier.other-role", seen, remedy)


@cache
def _usage(role: RemotePartyRole, usage: KeyUsage) -> Applied:
    if not role.usages:
        return fails(provisions.ROLE_USAGES, "role.by-ceremony", f"{role}, the role of an Organisation authority")
    has = listed(each.label for each in role.usages)
    if usage in role.usages:
        return holds(provisions.ROLE_USAGES, f"{role} has {has}")
    return fails(provisions.ROLE_USAGES, "role.usage", f"{usage} for {role}, which has only {has}")


@cache
def _certified_before(roles: frozenset[RemotePartyRole]) -> str:
    return f"certified in {_labels(roles) or 'no role'} before"


def _labels(roles: Iterable[RemotePartyRole]) -> str:
    return listed(sorted(role.label for role in roles))


def _device_row(applicant: Applicant, device: Device, row: DeviceRow) -> Iterator[Applied | Note | None]:
    subscriber = applicant.subscriber
    party = subscriber if isinstance(subscriber, Party) else None
    described = _described(applicant)
    if party is not None and row.who.admits(party):
        yield holds(row.provision, f"{device.device_type.name} for {described}")
    elif row.others_while_not_in_service:
        status = device.lasting_status if SUSPENDED_COUNTS_AS_BEFORE else device.status
        seen = f"{device.device_type.name}, {_status(device)}, for {described}"
        if status in IN_SERVICE and device.status in IN_SERVICE:
            yield fails(provisions.DEVICE_NOT_IN_SERVICE, row.refusal, seen)
        elif status in IN_SERVICE:
            # Only the assumption refuses it.
            seen = f"{device.device_type.name}, {device.status}, which we assume to count as {status}, for {described}"
            yield fails(provisions.DEVICE_SUSPENDED, row.refusal, seen)
        else:
            yield holds(provisions.DEVICE_NOT_IN_SERVICE, seen)
    else:
        yield fails(row.provision, row.refusal, f"{device.device_type.name} for {described}")
    if party is not None:
        yield _separate_roles(party.acts_as, row.who)
    if row.others_while_not_in_service and device.returns_to is not None and SUSPENDED_COUNTS_AS_BEFORE:
        seen = f"counted as {device.returns_to}, the status to which it returns, which is an assumption of this project"
        yield Note(provisions.DEVICE_SUSPENDED, seen)


def _separate_roles(acts_as: frozenset[UserRole], who: Who) -> Applied | None:
    if len(acts_as) < 2 or not who.acting_as:
        return None
    return holds(provisions.SEPARATE_ROLES, _judged_separately(acts_as, who.acting_as))


def _smets1(question: DeviceQuestion) -> Note | None:
    sections = security_sections(question.device, question.as_of)
    return Note(provisions.SMETS1_SECURITY, sections.text) if sections else None


# Earlier certificates


def _replacement(question: DeviceQuestion) -> Applied | None:
    if not question.replacement:
        return None
    if question.certificates_issued:
        return holds(provisions.REPLACEMENT, f"{question.certificates_issued} issued")
    seen = f"no certificate issued for {question.device.device_id}"
    return fails(provisions.REPLACEMENT, "device.no-previous-certificate", seen)


def _device_limit(question: DeviceQuestion) -> Applied:
    seen = f"{question.certificates_issued} issued, threshold {question.threshold}"
    if question.certificates_issued < question.threshold:
        return holds(provisions.DEVICE_LIMIT, seen)
    return fails(provisions.DEVICE_LIMIT, "device.limit-reached", seen)


def _issued_before(
    question: OrganisationQuestion | DeviceQuestion, test: RecordedTest | None
) -> Iterator[Applied | None]:
    if question.public_key_certified:
        yield fails(provisions.PUBLIC_KEY, "public-key.already-certified", "a certificate has been issued for it")
    else:
        yield holds(provisions.PUBLIC_KEY, "not certified before")
    yield participation.quota(question.applicant.subscriber, question, test)


# Descriptions


def _described(applicant: Applicant) -> str:
    subscriber = applicant.subscriber
    if isinstance(subscriber, Party):
        return described(subscriber)
    return "a Testing Participant" if isinstance(subscriber, TestingParticipant) else "an unknown applicant"


def _status(device: Device) -> str:
    return f"{device.status}" if device.returns_to is None else f"{device.status} from {device.returns_to}"


@cache
def _judged_separately(acts_as: frozenset[UserRole], sufficient: frozenset[UserRole]) -> str:
    judged = (f"as {role}: {'yes' if role in sufficient else 'no'}" for role in UserRole if role in acts_as)
    return "; ".join(judged)
