"""Vectors of revocation and suspicion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from smki.identity import SerialNumber
from smki.pki.oid import Oid
from smki.pki.revocation_entry import RevocationReason, RevokedEntry
from smki.pki.x509 import key_usage_bit_string
from smki.profile.tables import ARL_HOURS, CRL_HOURS
from smki.sec.role import KeyUsage, RemotePartyRole
from smki.testing.defects.case import TRUSTED, Case, case_of
from smki.testing.defects.edits import another, extension, issued_by, put, signed_by
from smki.testing.defects.sample_pki import LIST_NUMBER, Base, SamplePki, authority_name
from smki.testing.vectors.path import in_other_strings

_SECOND, _HOUR, _DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
_HUGE = 100_000
_CRL, _ARL, _OCA = Base.CRL, Base.ARL, Base.ISSUING_OCA
_LISTS = (("crl", _CRL, timedelta(hours=CRL_HOURS)), ("arl", _ARL, timedelta(hours=ARL_HOURS)))


def revoked(pki: SamplePki) -> Iterator[Case]:
    """What is on a list, and what is not."""
    before, serial = pki.moment - 30 * _DAY, pki.serial_number(Base.ORGANISATION.value)
    code = "revocation.revoked"

    def listing(*entries: RevokedEntry, base: Base = _CRL) -> dict[str, Any]:
        return {"crls" if base is _CRL else "arls": (pki.revocation_list(base, revoked=entries),)}

    for reason in (
        None,
        RevocationReason.KEY_COMPROMISE,
        RevocationReason.SUPERSEDED,
        RevocationReason.CESSATION_OF_OPERATION,
        RevocationReason.CERTIFICATE_HOLD,
    ):
        name, entry = reason.label if reason else "no-reason", RevokedEntry(serial, before, reason)
        yield case_of(pki, f"revoked-{name}", f"revoked, {name}", code, **listing(entry))
    others = [RevokedEntry(SerialNumber(serial.value + offset), before) for offset in (-1, 1)]
    yield case_of(pki, "revoked-neighbours", "the serial numbers beside it", **listing(*others))
    other = RevokedEntry(pki.serial_number("another"), before)
    yield case_of(pki, "revoked-another", "another certificate revoked", **listing(other))
    many = [RevokedEntry(SerialNumber((1 << 126) + number), before) for number in range(_HUGE)]
    yield case_of(pki, "huge-list", f"a list of {_HUGE} others", **listing(*many))
    many.insert(_HUGE // 2, RevokedEntry(serial, before, RevocationReason.KEY_COMPROMISE))
    about = f"revoked, in the middle of a list of {_HUGE}"
    yield case_of(pki, "huge-list-revoked", about, code, **listing(*many))
    oca = RevokedEntry(pki.serial_number(_OCA.value), before, RevocationReason.CA_COMPROMISE)
    yield case_of(pki, "revoked-oca", "its Issuing OCA revoked", code, **listing(oca, base=_ARL))
    about = "its Issuing OCA on the CRL, where it does not belong"
    yield case_of(pki, "revoked-oca-on-crl", about, **listing(oca))
    entry, about = RevokedEntry(serial, before), "itself on the ARL, where it does not belong"
    yield case_of(pki, "revoked-on-arl", about, **listing(entry, base=_ARL))
    device = RevokedEntry(pki.serial_number(Base.DEVICE.value), before)
    about = "a Device's serial number on the Organisation CRL, which does not apply to Devices"
    fields = {**listing(device), "arls": (pki.good_bytes(_ARL),)}
    yield case_of(pki, "device-on-crl", about, TRUSTED, Base.DEVICE, **fields)
    about = "revoked by another Issuing OCA of the same name, whose certificates may have the same serial numbers"
    by_twin = issued_by(pki.name(_OCA), "twin oca")
    fields = {
        "chain": (pki.good_bytes(_OCA), pki.make(_OCA, another("twin oca"))),
        "crls": (pki.good_bytes(_CRL), pki.revocation_list(_CRL, by_twin, revoked=[entry])),
    }
    yield case_of(pki, "revoked-by-twin", about, **fields)


def currency(pki: SamplePki) -> Iterator[Case]:
    """Times and numbers of lists, to the second."""
    moment = pki.moment
    for kind, base, period in _LISTS:
        field, upper = f"{kind}s", kind.upper()
        for name, about, since, expected in (
            ("first-second", "its first second", moment, TRUSTED),
            ("not-yet", "of a second later", moment + _SECOND, "revocation.list-not-yet-current"),
            ("last-second", "its last second", moment - period, TRUSTED),
            ("overdue", "overdue by a second", moment - period - _SECOND, "revocation.list-overdue"),
            ("long-overdue", "overdue by a year", moment - period - 365 * _DAY, "revocation.list-overdue"),
            ("of-next-year", "of next year", moment + 365 * _DAY, "revocation.list-not-yet-current"),
        ):
            # Without entries: no certificate is revoked after thisUpdate.
            given: dict[str, Any] = {field: (pki.revocation_list(base, since=since, revoked=[]),)}
            yield case_of(pki, f"{kind}-{name}", f"{upper}: {about}", expected, **given)
        given = {field: ()}
        yield case_of(pki, f"{kind}-missing", f"no {upper} given", "revocation.unavailable", **given)
        for name, seen, expected in (
            ("rolled-back", LIST_NUMBER + 1, "revocation.list-rolled-back"),
            ("rolled-back-far", 1 << 100, "revocation.list-rolled-back"),
            ("same-number", LIST_NUMBER, TRUSTED),
            ("newer", LIST_NUMBER - 1, TRUSTED),
        ):
            about = f"{upper} number {LIST_NUMBER}, {seen} seen before"
            yield case_of(pki, f"{kind}-{name}", about, expected, numbers_seen={kind: seen})
    entry = RevokedEntry(pki.serial_number(Base.ORGANISATION.value), moment - _DAY)
    newer = pki.revocation_list(_CRL, number=LIST_NUMBER + 1, revoked=[entry])
    older, code = pki.revocation_list(_CRL, since=moment - 6 * _HOUR), "revocation.revoked"
    about = "an older list that is still current beside the newer one, which names it"
    yield case_of(pki, "crl-older-beside-newer", about, code, crls=(older, newer))
    yield case_of(pki, "crl-newer-beside-older", f"{about}; in the other order", code, crls=(newer, older))


def genuineness(pki: SamplePki) -> Iterator[Case]:
    """Lists by somebody else, or for something else."""
    for kind, base, _ in _LISTS:
        field, upper = f"{kind}s", kind.upper()
        right, forged = pki.good_bytes(base), pki.make(base, signed_by("stranger"))
        about = f"{upper}: a forged one beside the right one"
        given: dict[str, Any] = {field: (forged, right)}
        yield case_of(pki, f"{kind}-forged-beside-right", about, **given)
        about = f"{upper}: a forged one of a very high number, which must not make the right one look old"
        given = {field: (pki.revocation_list(base, signed_by("stranger"), number=1 << 60), right)}
        yield case_of(pki, f"{kind}-forged-number", about, **given)
    crl, arl, code = pki.good_bytes(_CRL), pki.good_bytes(_ARL), "revocation.list-issuer"
    yield case_of(pki, "crl-is-arl", "the ARL where the CRL is wanted", code, crls=(arl,))
    yield case_of(pki, "arl-is-crl", "the CRL where the ARL is wanted", code, arls=(crl,))
    no_lists = extension(Oid.KEY_USAGE, key_usage_bit_string(KeyUsage.KEY_CERT_SIGN))
    about, chain = "an Issuing OCA without cRLSign", (pki.make(_OCA, no_lists),)
    yield case_of(pki, "crl-signer-without-crl-sign", about, "profile", chain=chain)
    other = authority_name(RemotePartyRole.ISSUING_AUTHORITY, "X9")
    crls = (pki.make(_CRL, issued_by(other, "stranger")),)
    yield case_of(pki, "crl-of-another-oca", "the CRL of another Issuing OCA", code, crls=crls)
    about = "a CRL whose issuer differs from the Issuing OCA's name in its string type only"
    crls = (pki.make(_CRL, put(issuer=in_other_strings(pki.name(_OCA)))),)
    yield case_of(pki, "crl-string-type", about, code, crls=crls)


def suspicion(pki: SamplePki) -> Iterator[Case]:
    """What the Relying Party itself suspects."""
    code = "suspicion.suspected"
    for name, base, suspect, expected in (
        ("itself", Base.ORGANISATION, Base.ORGANISATION.value, code),
        ("its-oca", Base.ORGANISATION, _OCA.value, code),
        ("its-root", Base.ORGANISATION, Base.ROOT_OCA.value, code),
        ("device", Base.DEVICE, Base.DEVICE.value, code),
        ("another", Base.ORGANISATION, "stranger", TRUSTED),
    ):
        suspected = (pki.serial_number(suspect).hex,)
        yield case_of(pki, f"suspected-{name}", f"suspected: {name}", expected, base, suspected=suspected)
