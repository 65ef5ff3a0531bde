"""Questions whose answers are tested word for word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from smki import DeviceType, RemotePartyRole, SerialNumber, Smki
from smki.eligibility import Decision
from smki.identity import PartyId
from smki.registration import Actor
from smki.registration.comparison import compare
from smki.registration.duties import statement_of, unstated
from smki.registration.parties import SetStanding
from smki.registration.settings import ChangeSetting, Setting
from smki.registration.who_and_what import Supposing
from smki.sec.device import SmetsVersion, SmiStatus
from smki.sec.party import Party, Standing
from smki.sec.role import CertificateKind
from tests.commands import change_party
from tests.registration.register_cases import (
    FREE,
    LARGE,
    NEW_DEVICE,
    OPERATOR,
    STRANGER,
)
from tests.registration.wording_cases import MAKER, NOBODY, OTHER, START, authority, meter, organisation, run
from tests.support import DEVICE, DS, KA, SUPPLIER

YESTERDAY, LONG_AGO = START.date() - timedelta(days=1), date(2014, 7, 30)
_S = SmiStatus


def without_dcc(smki: Smki) -> Decision:
    """Ask about an authority where no DCC is registered."""
    other = smki.ledger.register.registrant(OTHER)
    assert isinstance(other, Party)
    change_party(smki, PartyId("DCC"), lambda dcc: replace(other, party_id=dcc.party_id, identifiers=dcc.identifiers))
    return smki.inquiry.authority(CertificateKind.ROOT_OCA)


def later_suspended(smki: Smki) -> Decision:
    run(SetStanding(LARGE, Standing.SUSPENDED, YESTERDAY))(smki)
    return smki.inquiry.organisation(SUPPLIER, RemotePartyRole.SUPPLIER, DS, as_of=YESTERDAY)


def not_certified(smki: Smki) -> Decision:
    """Ask about a Device that may be added as a Device under test alone."""
    run(ChangeSetting(Setting.CERTIFIED_PRODUCTS, "listed"))(smki)
    return smki.inquiry.device(NEW_DEVICE, DeviceType.ESME)


def stating(setting: str, *, is_stated: bool) -> Callable[[Smki], object]:
    """What is missing of the statement with an application, and what is recorded of it."""

    def work(smki: Smki) -> object:
        run(ChangeSetting(Setting.STATEMENT, setting))(smki)
        recorded = statement_of(smki.ledger, is_stated)
        missing = [problem.as_json() for problem in unstated(smki.ledger, is_stated)]
        return {"recorded": recorded and recorded.value, "missing": missing}

    return work


def compared(smki: Smki, issue: Callable[[Smki], SerialNumber], actor: Actor = OPERATOR) -> object:
    return compare(smki.ledger, issue(smki), actor).as_json()


QUESTIONS: dict[str, Callable[[Smki], object]] = {
    "whose is the identifier": lambda smki: smki.inquiry.organisation(FREE, RemotePartyRole.OTHER, DS),
    "may nobody known": lambda smki: smki.inquiry.organisation(
        SUPPLIER, RemotePartyRole.SUPPLIER, DS, applicant="NOBODY", officer="Jo"
    ),
    "may somebody on behalf of nobody known": lambda smki: smki.inquiry.organisation(
        SUPPLIER, RemotePartyRole.SUPPLIER, DS, applicant="SHARED-RESOURCE", on_behalf_of="NOBODY"
    ),
    "may it yesterday": later_suspended,
    "might it long ago": lambda smki: smki.inquiry.organisation(SUPPLIER, RemotePartyRole.SUPPLIER, DS, as_of=LONG_AGO),
    "may it have another usage": lambda smki: smki.inquiry.organisation(SUPPLIER, RemotePartyRole.XML_SIGN, KA),
    "which Device": lambda smki: smki.inquiry.device(NEW_DEVICE),
    "a Device of another type": lambda smki: smki.inquiry.device(DEVICE, DeviceType.GSME),
    "a Device of another model": lambda smki: smki.inquiry.device(DEVICE, model="ACME 1"),
    "a Device that is not under test": lambda smki: smki.inquiry.device(DEVICE, under_test=True),
    "a new Device": lambda smki: smki.inquiry.device(NEW_DEVICE, DeviceType.GSME),
    "a new Device under test": lambda smki: smki.inquiry.device(
        NEW_DEVICE, DeviceType.GSME, applicant="LARGE-SUPPLIER", under_test=True
    ),
    "a new hub": lambda smki: smki.inquiry.device(NEW_DEVICE, DeviceType.CHF),
    "a new Device under test of whoever may": lambda smki: smki.inquiry.device(
        NEW_DEVICE, DeviceType.ESME, under_test=True
    ),
    "a new Device whose model is not certified": not_certified,
    "a Device supposed suspended": lambda smki: smki.inquiry.device(
        DEVICE, supposing=Supposing(status=_S.SUSPENDED, returns_to=_S.COMMISSIONED)
    ),
    "a Device supposed commissioned, for the DCC": lambda smki: smki.inquiry.device(
        DEVICE, applicant="DCC", supposing=Supposing(status=_S.COMMISSIONED, smets_version=SmetsVersion.SMETS1)
    ),
    "an authority": lambda smki: smki.inquiry.authority(CertificateKind.ISSUING_OCA),
    "an authority for a supplier": lambda smki: smki.inquiry.authority(
        CertificateKind.ISSUING_OCA, applicant="LARGE-SUPPLIER", as_of=YESTERDAY
    ),
    "an authority on behalf of nobody known": lambda smki: smki.inquiry.authority(
        CertificateKind.ISSUING_OCA, on_behalf_of="NOBODY"
    ),
    "an authority without the DCC": without_dcc,
    "who without a certificate": lambda smki: smki.inquiry.who(),
    "who with two": lambda smki: smki.inquiry.who(role=RemotePartyRole.SUPPLIER, authority=CertificateKind.ISSUING_OCA),
    "who with a usage and no role": lambda smki: smki.inquiry.who(device_type=DeviceType.ESME, usage=DS),
    "who with a status and no Device": lambda smki: smki.inquiry.who(
        role=RemotePartyRole.SUPPLIER, supposing=Supposing(status=_S.COMMISSIONED)
    ),
    "who in a role": lambda smki: smki.inquiry.who(role=RemotePartyRole.SUPPLIER),
    "who by usage": lambda smki: smki.inquiry.who(role=RemotePartyRole.XML_SIGN, usage=KA),
    "who for a type": lambda smki: smki.inquiry.who(device_type=DeviceType.GSME),
    "who for a Device": lambda smki: smki.inquiry.who(device=DEVICE, supposing=Supposing(status=_S.COMMISSIONED)),
    "who yesterday": lambda smki: smki.inquiry.who(device=DEVICE, as_of=YESTERDAY),
    "who for a new Device": lambda smki: smki.inquiry.who(device=NEW_DEVICE, device_type=DeviceType.CHF),
    "who for an unknown Device": lambda smki: smki.inquiry.who(device=NEW_DEVICE),
    "who for an authority": lambda smki: smki.inquiry.who(authority=CertificateKind.ROOT_DCA, as_of=YESTERDAY),
    "what for nobody known": lambda smki: smki.inquiry.what("NOBODY"),
    "what for no id": lambda smki: smki.inquiry.what("no id"),
    "what on behalf of nobody known": lambda smki: smki.inquiry.what("SHARED-RESOURCE", on_behalf_of="NOBODY"),
    "what": lambda smki: smki.inquiry.what("MANUFACTURER"),
    "what on behalf of a supplier": lambda smki: smki.inquiry.what(
        "SHARED-RESOURCE", on_behalf_of="SMALL-SUPPLIER", smets_version=SmetsVersion.SMETS1, as_of=YESTERDAY
    ),
    "a statement that is recorded automatically": stating("automatic", is_stated=False),
    "a statement that is made": stating("explicit", is_stated=True),
    "a statement that is missing": stating("explicit", is_stated=False),
    "compare": lambda smki: compared(smki, organisation),
    "compare a Device Certificate": lambda smki: compared(smki, meter, STRANGER),
    "compare an authority's": lambda smki: compared(smki, authority),
    "compare what is not there": lambda smki: compared(smki, lambda _: NOBODY),
    "compare somebody else's": lambda smki: compared(smki, organisation, MAKER),
}
"""Questions, which record nothing: they are told by their answer."""
