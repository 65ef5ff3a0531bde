"""Cases of steps 4 and 5: revocation and suspicion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from smki.identity import SerialNumber
from smki.pki import der
from smki.pki.revocation_entry import RevocationReason, RevokedEntry
from smki.pki.x509 import Oid, key_identifier, key_usage_bit_string
from smki.profile.tables import ARL_HOURS, CRL_HOURS
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole
from smki.testing.vectors.case import TRUSTED, Case
from smki.testing.vectors.edits import UNKNOWN, added, appended, dropped, flipped, put, turned, without
from smki.testing.vectors.setting import Setting
from smki.testing.vectors.world import LIST_NUMBER, MOMENT, Edit, Plan, authority_name, changed

_SECOND, _HOUR, _DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
_HUGE = 100_000
_LISTS = (("crl", timedelta(hours=CRL_HOURS)), ("arl", timedelta(hours=ARL_HOURS)))


def _given(kind: str, *octets: bytes) -> dict[str, Any]:
    return {f"{kind}s": octets}


def _serial(setting: Setting, plan: Plan) -> SerialNumber:
    return setting.world.serial(plan.serial or plan.key)


def revoked(setting: Setting) -> Iterator[Case]:
    """What is on a list, and what is not."""
    world = setting.world
    supplier, before = world.organisation(), MOMENT - 30 * _DAY
    serial = _serial(setting, supplier)
    for reason in (
        None,
        RevocationReason.KEY_COMPROMISE,
        RevocationReason.SUPERSEDED,
        RevocationReason.CESSATION_OF_OPERATION,
        RevocationReason.CERTIFICATE_HOLD,
    ):
        crl = world.crl(revoked=[RevokedEntry(serial, before, reason)])
        name = reason.label if reason else "no-reason"
        yield setting.case(f"revoked-{name}", f"revoked, {name}", "revocation.revoked", crls=(crl,))
    others = [RevokedEntry(SerialNumber(serial.value + offset), before) for offset in (-1, 1)]
    yield setting.case("revoked-neighbours", "the serial numbers beside it", crls=(world.crl(revoked=others),))
    reversed_octets = SerialNumber(int.from_bytes(serial.octets[::-1], "big") or 1)
    crl = world.crl(revoked=[RevokedEntry(SerialNumber(reversed_octets.value >> 1 or 1), before)])
    yield setting.case("revoked-another", "another certificate revoked", crls=(crl,))
    many = [RevokedEntry(SerialNumber((1 << 126) + number), before) for number in range(_HUGE)]
    yield setting.case("huge-list", f"a list of {_HUGE} others", crls=(world.crl(revoked=many),))
    many.insert(_HUGE // 2, RevokedEntry(serial, before, RevocationReason.KEY_COMPROMISE))
    about = f"revoked, in the middle of a list of {_HUGE}"
    yield setting.case("huge-list-revoked", about, "revocation.revoked", crls=(world.crl(revoked=many),))
    oca = RevokedEntry(world.serial("issuing oca"), before, RevocationReason.CA_COMPROMISE)
    yield setting.case("revoked-oca", "its Issuing OCA revoked", "revocation.revoked", arls=(world.arl(revoked=[oca]),))
    about = "its Issuing OCA on the CRL, where it does not belong"
    yield setting.case("revoked-oca-on-crl", about, crls=(world.crl(revoked=[oca]),))
    entry = RevokedEntry(serial, before)
    yield setting.case(
        "revoked-on-arl", "itself on the ARL, where it does not belong", arls=(world.arl(revoked=[entry]),)
    )
    device = world.device()
    entry = RevokedEntry(_serial(setting, device), before)
    about = "a Device's serial number on the Organisation CRL, which says nothing of Devices"
    yield setting.case("device-on-crl", about, TRUSTED, device, crls=(world.crl(revoked=[entry]),), arls=(setting.arl,))
    twin = changed(world.issuing_oca, key="twin oca")
    about = "revoked by another Issuing OCA of the same name, whose certificates may have the same serial numbers"
    crls = (setting.crl, world.crl(twin, revoked=[RevokedEntry(serial, before)]))
    chain = (setting.issuing_oca, world.certificate(twin))
    yield setting.case("revoked-by-twin", about, TRUSTED, chain=chain, crls=crls)


def currency(setting: Setting) -> Iterator[Case]:
    """Lists and the moment, to the second."""
    world = setting.world
    for kind, period in _LISTS:
        make = world.crl if kind == "crl" else world.arl
        for name, about, since, expected in (
            ("first-second", "its first second", MOMENT, TRUSTED),
            ("not-yet", "of a second later", MOMENT + _SECOND, "revocation.list-not-yet-current"),
            ("last-second", "its last second", MOMENT - period, TRUSTED),
            ("overdue", "overdue by a second", MOMENT - period - _SECOND, "revocation.list-overdue"),
            ("long-overdue", "overdue by a year", MOMENT - period - 365 * _DAY, "revocation.list-overdue"),
            ("of-next-year", "of next year", MOMENT + 365 * _DAY, "revocation.list-not-yet-current"),
        ):
            given = _given(kind, make(since=since))
            yield setting.case(f"{kind}-{name}", f"{kind.upper()}: {about}", expected, **given)
        given = _given(kind)
        yield setting.case(f"{kind}-missing", f"no {kind.upper()} to be had", "revocation.unavailable", **given)
        for name, seen, expected in (
            ("rolled-back", LIST_NUMBER + 1, "revocation.list-rolled-back"),
            ("rolled-back-far", 1 << 100, "revocation.list-rolled-back"),
            ("same-number", LIST_NUMBER, TRUSTED),
            ("newer", LIST_NUMBER - 1, TRUSTED),
        ):
            about = f"{kind.upper()} number {LIST_NUMBER}, {seen} seen before"
            yield setting.case(f"{kind}-{name}", about, expected, numbers_seen={kind: seen})
    serial = _serial(setting, world.organisation())
    newer = world.crl(number=LIST_NUMBER + 1, revoked=[RevokedEntry(serial, MOMENT - _DAY)], since=MOMENT - _HOUR)
    about = "an older list that is still current beside the newer one, which names it"
    yield setting.case("crl-older-beside-newer", about, "revocation.revoked", crls=(setting.crl, newer))
    yield setting.case(
        "crl-newer-beside-older", f"{about}; in the other order", "revocation.revoked", crls=(newer, setting.crl)
    )


_SPOILT: tuple[tuple[str, str, str, Edit | None, Edit | None], ...] = (
    ("signature-flipped", "a signature with a bit turned over", "revocation.list-signature", None, flipped(2)),
    ("version-1", "version 1", "revocation.list-profile", without(0), None),
    ("no-next-update", "no nextUpdate", "revocation.list-profile", without(4), None),
    ("no-number", "no cRLNumber", "revocation.list-profile", dropped(Oid.CRL_NUMBER, 5), None),
    ("number-critical", "cRLNumber critical", "revocation.list-profile", turned(Oid.CRL_NUMBER, 5), None),
    ("no-key-identifier", "no authorityKeyIdentifier", "revocation.list-profile", dropped(Oid.AUTHORITY_KEY_IDENTIFIER, 5), None),
    ("unknown-critical", "an unknown critical extension", "revocation.list-profile", added(UNKNOWN, der.sequence(), critical=True, at=5), None),
    ("partitioned", "an issuingDistributionPoint: a part of the list only", "revocation.list-profile", added("2.5.29.28", der.sequence(der.element(0x81, b"\xff")), critical=True, at=5), None),
    ("delta", "a delta CRL", "revocation.list-profile", added("2.5.29.27", der.integer(1), critical=True, at=5), None),
    ("field-more", "a field after the extensions", "revocation.list-profile", appended(der.integer(1)), None),
    ("no-signature", "no signature", "revocation.list-profile", None, without(2)),
    ("algorithm-outside", "another algorithm named outside", "revocation.list-profile", None, put(1, der.sequence(der.oid("1.2.840.10045.4.3.3")))),
)  # fmt: skip


def genuineness(setting: Setting) -> Iterator[Case]:
    """Lists that are not what they seem."""
    world = setting.world
    for kind in ("crl", "arl"):
        make = world.crl if kind == "crl" else world.arl
        for name, about, expected, edit, outer in _SPOILT:
            given = _given(kind, make(edit=edit, outer=outer))
            yield setting.case(f"{kind}-{name}", f"{kind.upper()}: {about}", expected, **given)
        yield from _forgeries(setting, kind)
    yield setting.case("crl-is-arl", "the ARL where the CRL is wanted", "revocation.list-issuer", crls=(setting.arl,))
    yield setting.case("arl-is-crl", "the CRL where the ARL is wanted", "revocation.list-issuer", arls=(setting.crl,))
    yield from _signers(setting)


def _forgeries(setting: Setting, kind: str) -> Iterator[Case]:
    world = setting.world
    make, upper = (world.crl if kind == "crl" else world.arl), kind.upper()
    key = key_identifier(world.point("issuing oca" if kind == "crl" else "root oca"))
    forged = make(signer="stranger", issuer_key=key)
    yield setting.case(
        f"{kind}-forged", f"{upper}: signed by another key", "revocation.list-signature", **_given(kind, forged)
    )
    both = (forged, make())
    yield setting.case(
        f"{kind}-forged-beside-right", f"{upper}: a forged one beside the right one", **_given(kind, *both)
    )
    high = make(signer="stranger", issuer_key=key, number=1 << 60)
    about = f"{upper}: a forged one of a very high number, which must not make the right one look old"
    yield setting.case(f"{kind}-forged-number", about, **_given(kind, high, make()))
    of_other = make(issuer_key=key_identifier(world.point("stranger")))
    about = f"{upper}: the key identifier of another key"
    yield setting.case(f"{kind}-key-identifier", about, "revocation.list-issuer", **_given(kind, of_other))
    octets = make()
    yield setting.case(
        f"{kind}-cut-short", f"{upper}: the end missing", "revocation.list-profile", **_given(kind, octets[:-20])
    )
    yield setting.case(
        f"{kind}-trailing",
        f"{upper}: an octet too many",
        "revocation.list-profile",
        **_given(kind, octets + b"\0"),
    )
    yield setting.case(
        f"{kind}-web-page",
        f"{upper}: a web page",
        "revocation.list-profile",
        **_given(kind, b"<html>Not here</html>"),
    )


def _signers(setting: Setting) -> Iterator[Case]:
    world = setting.world
    no_lists = {Oid.KEY_USAGE: key_usage_bit_string(KeyUsage.KEY_CERT_SIGN)}
    chain = (world.certificate(changed(world.issuing_oca, extensions=no_lists)),)
    yield setting.case("crl-signer-without-crl-sign", "an Issuing OCA without cRLSign", "profile", chain=chain)
    other = world.crl(
        changed(world.issuing_oca, name=authority_name(CertificateKind.ISSUING_OCA, "V9"), key="stranger")
    )
    yield setting.case("crl-of-another-oca", "the CRL of another Issuing OCA", "revocation.list-issuer", crls=(other,))
    utf8 = world.issuing_oca.name.replace(b"\x13", b"\x0c")
    about = "a CRL whose issuer differs from the Issuing OCA's name in its string type only"
    yield setting.case(
        "crl-string-type", about, "revocation.list-issuer", crls=(world.crl(changed(world.issuing_oca, name=utf8)),)
    )


def suspicion(setting: Setting) -> Iterator[Case]:
    """What the Relying Party itself suspects."""
    world = setting.world
    recovery = world.organisation(RemotePartyRole.RECOVERY)
    for name, plan, suspect, expected in (
        ("itself", world.organisation(), world.organisation().key, "suspicion.suspected"),
        ("its-oca", recovery, "issuing oca", "suspicion.suspected"),
        ("its-root", recovery, "root oca", "suspicion.suspected"),
        ("device", world.device(), "device DS", "suspicion.suspected"),
        ("another", recovery, "stranger", TRUSTED),
    ):
        serials = (world.serial(suspect).hex,)
        yield setting.case(f"suspected-{name}", f"suspected: {name}", expected, plan, suspected=serials)
