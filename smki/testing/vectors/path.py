"""Vectors of the path, of time and of use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.x509 import key_identifier, key_usage_bit_string
from smki.sec.role import KeyUsage, RemotePartyRole
from smki.testing.defects import DEFECTS
from smki.testing.defects.case import TRUSTED, Case, case_of
from smki.testing.defects.edits import another, extension, issued_by, put, signed_by, valid, without
from smki.testing.defects.sample_pki import Base, Edit, SamplePki, authority_name

_SECOND, _HOUR, _DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
_ORGANISATION, _DEVICE = Base.ORGANISATION, Base.DEVICE
_ROOT_OCA, _ROOT_DCA, _OCA, _DCA = Base.ROOT_OCA, Base.ROOT_DCA, Base.ISSUING_OCA, Base.ISSUING_DCA


def in_other_strings(name: bytes) -> bytes:
    """The Name with UTF8String where it has PrintableString: the same text, other bytes."""
    return name.replace(b"\x13", b"\x0c")


def _by(base: Base) -> Edit:
    """Issued by another valid authority."""
    return issued_by(lambda pki: pki.name(base), base.value)


def issuers(pki: SamplePki) -> Iterator[Case]:
    """Issuers that are unknown, not trusted, of the wrong kind, or no authorities at all."""
    stranger = authority_name(RemotePartyRole.ROOT, "XX")
    other_root = pki.make(_ROOT_OCA, another("stranger"), signed_by("stranger"), put(subject=stranger, issuer=stranger))
    for base, nobody in (
        (_ORGANISATION, authority_name(RemotePartyRole.ISSUING_AUTHORITY, "XX")),
        (_DEVICE, authority_name(None, "XX09")),
    ):
        prefix, code = f"path-{base.value}", "path.issuer-unknown"
        yield case_of(pki, f"{prefix}-no-issuer", f"{base.value}: no issuer given", code, base, chain=())
        about = f"{base.value}: a root that is not trusted"
        yield case_of(pki, f"{prefix}-other-root", about, code, base, trust_anchors=(other_root,))
        about, made = f"{base.value}: an issuer that nobody knows", pki.make(base, put(issuer=nobody))
        yield case_of(pki, f"{prefix}-issuer-unknown", about, code, base, certificate=made)
    for label, issuing, root in (("oca", _OCA, _ROOT_OCA), ("dca", _DCA, _ROOT_DCA)):
        code, upper = "path.authority-offered", label.upper()
        offered: dict[str, Any] = {"certificate": pki.good_bytes(issuing), "chain": ()}
        about = f"the Issuing {upper} itself offered as an end entity"
        yield case_of(pki, f"authority-{label}-offered", about, code, issuing, **offered)
        offered = {"certificate": pki.good_bytes(root)}
        about = f"the Root {upper} itself offered as an end entity"
        yield case_of(pki, f"authority-root-{label}-offered", about, code, root, **offered)
    (below,) = [defect for defect in DEFECTS if defect.name == "issuing-dca-below-an-issuing-dca"]
    case = below.case(pki)
    assert case is not None
    yield replace(case, name="path-length", use="")
    yield from _wrong_hierarchies(pki)


def _wrong_hierarchies(pki: SamplePki) -> Iterator[Case]:
    roots = (pki.good_bytes(_ROOT_OCA), pki.good_bytes(_ROOT_DCA))
    for name, about, expected, base, issuer in (
        ("device-by-oca", "a Device Certificate by the Issuing OCA", "profile", _DEVICE, _OCA),
        ("device-by-root", "a Device Certificate by the Root DCA", "path.hierarchy", _DEVICE, _ROOT_DCA),
        ("organisation-by-dca", "an Organisation Certificate by the Issuing DCA", "profile", _ORGANISATION, _DCA),
    ):
        made, chain = pki.make(base, _by(issuer)), (pki.good_bytes(issuer),)
        fields: dict[str, Any] = {"certificate": made, "chain": chain, "trust_anchors": roots}
        yield case_of(pki, f"hierarchy-{name}", about, expected, base, **fields)
    # The end entity is issued by the Root DCA: neither its place nor the length of the path is wrong.
    pretender = authority_name(None, "XD03")
    end_entity = pki.make(
        _DCA,
        put(subject=pretender),
        another("pretender"),
        extension(Oid.KEY_USAGE, key_usage_bit_string(KeyUsage.DIGITAL_SIGNATURE)),
        without(Oid.BASIC_CONSTRAINTS),
    )
    made = pki.make(_DEVICE, issued_by(pretender, "pretender"))
    about = "an end entity as the issuer"
    yield case_of(pki, "path-end-entity-as-issuer", about, "profile", _DEVICE, certificate=made, chain=(end_entity,))


def names(pki: SamplePki) -> Iterator[Case]:
    """Names that look the same, and two authorities of one name."""
    other_strings = pki.make(_DCA, put(subject=in_other_strings(pki.name(_DCA))))
    about = "the issuer's subject differs from the issuer field in its string type only"
    yield case_of(pki, "path-string-type-issuing-dca", about, "path.issuer-unknown", _DEVICE, chain=(other_strings,))
    chain = (other_strings, pki.good_bytes(_DCA))
    yield case_of(pki, "path-string-type-both", "the same beside the right one", TRUSTED, _DEVICE, chain=chain)
    by_twin = issued_by(pki.name(_OCA), "twin oca")
    supplier = pki.make(_ORGANISATION, by_twin)
    chain = (pki.good_bytes(_OCA), pki.make(_OCA, another("twin oca")))
    crls = (pki.good_bytes(Base.CRL), pki.make(Base.CRL, by_twin))
    about = "two Issuing OCAs of one name, the certificate by the second"
    fields: dict[str, Any] = {"certificate": supplier, "chain": chain, "crls": crls}
    yield case_of(pki, "path-two-issuers-one-name", about, **fields)
    fields = {"certificate": supplier, "chain": chain[::-1], "crls": crls[::-1]}
    yield case_of(pki, "path-two-issuers-reversed", f"{about}, in the other order", **fields)
    about = "two Issuing OCAs of one name, the list of the other one alone"
    fields = {"certificate": supplier, "chain": chain}
    yield case_of(pki, "path-two-issuers-other-list", about, "revocation.list-issuer", **fields)


def impostors(pki: SamplePki) -> Iterator[Case]:
    """Authorities that claim the name or key identifier of the right one."""
    right = pki.good_bytes(_OCA)
    identifier = der.octet_string(key_identifier(pki.point(_OCA.value)))
    collision = pki.make(_OCA, another("twin oca"), extension(Oid.SUBJECT_KEY_IDENTIFIER, identifier))
    about = "two Issuing OCAs of one name and key identifier"
    yield case_of(pki, "path-key-identifiers-collide", about, chain=(collision, right))
    by_fake = issued_by(pki.name(_OCA), "stranger")
    fake = pki.make(_OCA, another("stranger"), signed_by("stranger"))
    fields: dict[str, Any] = {
        "certificate": pki.make(_ORGANISATION, by_fake),
        "chain": (fake, right),
        "crls": (pki.make(Base.CRL, by_fake),),
    }
    about = "an Issuing OCA that the root did not sign"
    yield case_of(pki, "path-forged-issuer", about, "path.signature", **fields)
    chain = (pki.good_bytes(_DCA), fake, right, pki.good_bytes(_ROOT_DCA))
    yield case_of(pki, "path-much-chaff", "the issuer among others that do not matter", chain=chain)


def _lists(pki: SamplePki, crl: datetime, arl: datetime) -> dict[str, Any]:
    return {
        "crls": (pki.revocation_list(Base.CRL, since=crl),),
        "arls": (pki.revocation_list(Base.ARL, since=arl),),
    }


def times(pki: SamplePki) -> Iterator[Case]:
    """Validity, to the second."""
    begins = pki.today
    ends = begins.replace(year=begins.year + 10) - _SECOND
    late, early = _lists(pki, ends - _HOUR, ends - _DAY), _lists(pki, begins - _HOUR, begins - _HOUR)
    fields: dict[str, Any] = {"certificate": pki.make(_ORGANISATION, valid(begins, ends))}
    for name, about, expected, at, lists in (
        ("last-second", "the last second", TRUSTED, ends, late),
        ("after", "a second after", "time.expired", ends + _SECOND, late),
        ("first-second", "organisation: the first second", TRUSTED, begins, early),
        ("before", "organisation: a second before", "time.not-yet-valid", begins - _SECOND, early),
    ):
        yield case_of(pki, f"time-organisation-{name}", about, expected, at=at, **fields, **lists)
    begins = pki.moment + _DAY
    fields = {"certificate": pki.make(_DEVICE, valid(begins))}
    about = "device: the first second"
    yield case_of(pki, "time-device-first-second", about, TRUSTED, _DEVICE, at=begins, **fields)
    about = "device: a second before"
    yield case_of(pki, "time-device-before", about, "time.not-yet-valid", _DEVICE, at=begins - _SECOND, **fields)
    # An authority that expires before the certificates below it.
    begins = pki.today.replace(year=pki.today.year - 25)
    ends = pki.today - _SECOND
    fields = {"chain": (pki.make(_OCA, valid(begins, ends)),), **_lists(pki, ends - _HOUR, ends - _DAY)}
    for name, at, expected in (("last-second", ends, TRUSTED), ("after", ends + _SECOND, "time.expired")):
        yield case_of(pki, f"time-oca-{name}", f"an Issuing OCA, {name}", expected, at=at, **fields)
    begins = pki.today + _DAY
    young = pki.make(_ROOT_OCA, valid(begins, begins.replace(year=begins.year + 50) - _SECOND))
    about = "a Root OCA that is not yet valid"
    yield case_of(pki, "time-root-before", about, "time.not-yet-valid", trust_anchors=(young,))


def uses(pki: SamplePki) -> Iterator[Case]:
    """What a certificate is to be relied on for."""
    for name, base, use, expected in (
        ("other-role", _ORGANISATION, "networkOperator/DS", "use.role"),
        ("other-usage", _ORGANISATION, "supplier/KA", "use.key-usage"),
        ("device-for-organisation", _DEVICE, "supplier/DS", "use.role"),
        ("organisation-for-device", _ORGANISATION, "device/DS", "use.role"),
        ("device-other-usage", _DEVICE, "device/KA", "use.key-usage"),
        ("role-alone", _ORGANISATION, "supplier", TRUSTED),
    ):
        yield case_of(pki, f"use-{name}", f"wanted: {use}", expected, base, use=use)
