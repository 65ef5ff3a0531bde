"""Cases of steps 2, 3 and 6: path, time and use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from smki.clock import NO_WELL_DEFINED_EXPIRY
from smki.pki import der
from smki.pki.x509 import Oid, key_identifier, key_usage_bit_string
from smki.sec.role import CertificateKind, KeyUsage
from smki.testing.vectors.case import TRUSTED, Case
from smki.testing.vectors.edits import dropped, flipped, turned
from smki.testing.vectors.setting import Setting
from smki.testing.vectors.world import MOMENT, Plan, World, authority_name, changed

_SECOND = timedelta(seconds=1)
_DS, _KA = KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT
_OTHER_POLICY = "1.2.826.0.1.8641679.1.2.1.99"
_ANY_POLICY = "2.5.29.32.0"


def in_other_strings(name: bytes) -> bytes:
    """The Name with UTF8String where it has PrintableString: the same text, other octets."""
    return name.replace(b"\x13", b"\x0c")


def links(setting: Setting) -> Iterator[Case]:
    """What ties an end entity to its issuer."""
    world = setting.world
    for base, plan in (("organisation", world.organisation()), ("device", world.device())):
        cases: tuple[tuple[str, str, str, Plan], ...] = (
            ("signature-flipped", "a signature with a bit turned over", "path.signature", changed(plan, outer=flipped(2))),
            ("signed-by-another", "signed by another key", "path.signature", changed(plan, signer="stranger", issuer_key=key_identifier(world.point(plan.signer)))),
            ("self-signed", "signed by its own key, naming the issuer", "path.signature", changed(plan, signer=plan.key, issuer_key=key_identifier(world.point(plan.signer)))),
            ("aki-wrong", "the key identifier of another key", "path.key-identifier", changed(plan, issuer_key=key_identifier(world.point("stranger")))),
            ("policy-other", "the policy of another environment", "path.policy", changed(plan, policy=_OTHER_POLICY)),
            ("policy-any", "anyPolicy", "path.policy", changed(plan, policy=_ANY_POLICY)),
        )  # fmt: skip
        for name, about, expected, made in cases:
            yield setting.case(f"path-{base}-{name}", f"{base}: {about}", expected, made)
        yield setting.case(f"path-{base}-no-issuer", f"{base}: no issuer given", "path.issuer-unknown", plan, chain=())
        strangers = (world.certificate(world.authority(CertificateKind.ROOT_OCA, "VX", "stranger", None)),)
        about = f"{base}: a root that is not trusted"
        yield setting.case(f"path-{base}-other-root", about, "path.issuer-unknown", plan, trust_anchors=strangers)
        kind = CertificateKind.ISSUING_OCA if base == "organisation" else CertificateKind.ISSUING_DCA
        other = changed(plan, issuer=authority_name(kind, "VX09" if base == "device" else "VX"))
        about = f"{base}: an issuer that nobody knows"
        yield setting.case(f"path-{base}-issuer-unknown", about, "path.issuer-unknown", other)


def names(setting: Setting) -> Iterator[Case]:
    """Names that are alike, authorities that are alike."""
    world = setting.world
    dca, oca = world.issuing_dca, world.issuing_oca
    utf8 = changed(dca, name=in_other_strings(dca.name))
    device = world.device()
    about = "the issuer's subject differs from the issuer field in its string type only"
    chain: tuple[bytes, ...] = (world.certificate(utf8),)
    yield setting.case("path-string-type-issuing-dca", about, "path.issuer-unknown", device, chain=chain)
    both = (*chain, setting.issuing_dca)
    yield setting.case("path-string-type-both", "the same beside the right one", TRUSTED, device, chain=both)
    twin = changed(oca, key="twin oca")
    supplier = world.organisation(issuer=twin)
    crls = (setting.crl, world.crl(twin))
    chain = (setting.issuing_oca, world.certificate(twin))
    about = "two Issuing OCAs of one name, the certificate by the second"
    yield setting.case("path-two-issuers-one-name", about, TRUSTED, supplier, chain=chain, crls=crls)
    yield setting.case(
        "path-two-issuers-reversed",
        f"{about}, in the other order",
        TRUSTED,
        supplier,
        chain=chain[::-1],
        crls=crls[::-1],
    )
    about = "two Issuing OCAs of one name, the list of the other one alone"
    yield setting.case("path-two-issuers-other-list", about, "revocation.list-issuer", supplier, chain=chain)
    yield from _impostors(setting)


def _impostors(setting: Setting) -> Iterator[Case]:
    world = setting.world
    oca = world.issuing_oca
    collision = changed(
        oca,
        key="twin oca",
        extensions={Oid.SUBJECT_KEY_IDENTIFIER: der.octet_string(key_identifier(world.point(oca.key)))},
    )
    chain = (world.certificate(collision), setting.issuing_oca)
    yield setting.case(
        "path-key-identifiers-collide", "two Issuing OCAs of one name and key identifier", TRUSTED, chain=chain
    )
    fake = changed(oca, signer="stranger", key="stranger", issuer_key=key_identifier(world.point("root oca")))
    forged = changed(world.organisation(), signer="stranger")
    chain = (world.certificate(fake), setting.issuing_oca)
    crl = world.crl(fake)
    yield setting.case(
        "path-forged-issuer",
        "an Issuing OCA that the root did not sign",
        "path.signature",
        forged,
        chain=chain,
        crls=(crl,),
    )
    yield setting.case(
        "path-much-chaff",
        "the issuer among others that do not matter",
        chain=(setting.issuing_dca, *chain, setting.root_dca),
    )


def authorities(setting: Setting) -> Iterator[Case]:
    """What is wrong with the authorities of the path."""
    world = setting.world
    for base, leaf, above in (
        ("oca", world.organisation(), world.issuing_oca),
        ("dca", world.device(), world.issuing_dca),
    ):
        sign_lists = {Oid.KEY_USAGE: key_usage_bit_string(KeyUsage.CRL_SIGN)}
        no_ca = {Oid.BASIC_CONSTRAINTS: der.sequence(der.integer(0))}
        cases: tuple[tuple[str, str, str, Plan], ...] = (
            ("signature-flipped", "a signature with a bit turned over", "path.signature", changed(above, outer=flipped(2))),
            ("policy-other", "the policy of another environment", "path.policy", changed(above, policy=_OTHER_POLICY)),
            ("aki-wrong", "the key identifier of another root", "path.key-identifier", changed(above, issuer_key=key_identifier(world.point("stranger")))),
            ("no-key-cert-sign", "keyUsage without keyCertSign", "profile", changed(above, extensions=sign_lists)),
            ("not-ca", "basicConstraints without cA", "profile", changed(above, extensions=no_ca)),
            ("no-basic-constraints", "no basicConstraints", "profile", changed(above, edit=dropped(Oid.BASIC_CONSTRAINTS))),
            ("constraints-not-critical", "basicConstraints not critical", "profile", changed(above, edit=turned(Oid.BASIC_CONSTRAINTS))),
            ("no-path-length", "no pathLenConstraint", "profile", changed(above, extensions={Oid.BASIC_CONSTRAINTS: der.sequence(der.boolean(True))})),
        )  # fmt: skip
        for name, about, expected, plan in cases:
            chain = (world.certificate(plan),)
            yield setting.case(
                f"authority-{base}-{name}", f"Issuing {base.upper()}: {about}", expected, leaf, chain=chain
            )
        octets = world.certificate(above)
        about = f"the Issuing {base.upper()} itself offered as an end entity"
        yield setting.case(
            f"authority-{base}-offered", about, "path.authority-offered", leaf, certificate=octets, chain=()
        )
        root = setting.root_oca if base == "oca" else setting.root_dca
        about = f"the Root {base.upper()} itself offered as an end entity"
        yield setting.case(f"authority-root-{base}-offered", about, "path.authority-offered", leaf, certificate=root)
    yield from _hierarchies(setting, world)


def _hierarchies(setting: Setting, world: World) -> Iterator[Case]:
    oca, dca = world.issuing_oca, world.issuing_dca
    second = changed(world.authority(CertificateKind.ISSUING_DCA, "VD02", "second dca", dca))
    chain = (world.certificate(second), setting.issuing_dca)
    about = "an Issuing DCA below an Issuing DCA, whose pathLenConstraint is 0"
    yield setting.case("path-length", about, "path.length", world.device(issuer=second), chain=chain)
    both = (setting.root_oca, setting.root_dca)
    oca_name = changed(world.device(), issuer=oca.name, signer=oca.key)
    about = "a Device Certificate by the Issuing OCA"
    yield setting.case(
        "hierarchy-device-by-oca",
        about,
        "profile",
        oca_name,
        chain=(setting.issuing_oca,),
        trust_anchors=both,
    )
    by_root = changed(world.device(), issuer=world.root_dca.name, signer=world.root_dca.key)
    yield setting.case("hierarchy-device-by-root", "a Device Certificate by the Root DCA", "path.hierarchy", by_root)
    by_dca = changed(world.organisation(), issuer=dca.name, signer=dca.key)
    about = "an Organisation Certificate by the Issuing DCA"
    yield setting.case(
        "hierarchy-organisation-by-dca", about, "profile", by_dca, chain=(setting.issuing_dca,), trust_anchors=both
    )
    end_entity = changed(world.device(), issuer=authority_name(CertificateKind.ISSUING_DCA, "VD03"), signer="device DS")
    # Issued by the Root DCA, so that neither its place nor the length of the path is wrong.
    pretender = changed(
        world.authority(CertificateKind.ISSUING_DCA, "VD03", "device DS", world.root_dca),
        extensions={Oid.KEY_USAGE: key_usage_bit_string(_DS)},
        edit=dropped(Oid.BASIC_CONSTRAINTS),
    )
    about, issuer = "an end entity that plays the authority", world.certificate(pretender)
    yield setting.case("path-end-entity-as-issuer", about, "profile", end_entity, chain=(issuer,))


def times(setting: Setting) -> Iterator[Case]:
    """Validity, to the second."""
    world = setting.world
    for base, plan in (("organisation", world.organisation()), ("device", world.device())):
        later = (MOMENT + timedelta(days=1), NO_WELL_DEFINED_EXPIRY)
        if base == "organisation":
            begins = MOMENT.replace(hour=0)
            ends = begins.replace(year=begins.year + 10) - _SECOND
            later = (begins, ends)
            crl = world.crl(since=ends - timedelta(hours=1))
            arl = world.arl(since=ends - timedelta(days=1))
            made = changed(plan, validity=later)
            lists: dict[str, Any] = {"crls": (crl,), "arls": (arl,)}
            yield setting.case("time-organisation-last-second", "the last second", TRUSTED, made, at=ends, **lists)
            yield setting.case(
                "time-organisation-after", "a second after", "time.expired", made, at=ends + _SECOND, **lists
            )
        begins = later[0]
        made = changed(plan, validity=later)
        fresh: dict[str, Any] = {} if base == "device" else {
            "crls": (world.crl(since=begins - timedelta(hours=1)),), "arls": (world.arl(since=begins - timedelta(hours=1)),)
        }  # fmt: skip
        yield setting.case(f"time-{base}-first-second", f"{base}: the first second", TRUSTED, made, at=begins, **fresh)
        about = f"{base}: a second before"
        yield setting.case(f"time-{base}-before", about, "time.not-yet-valid", made, at=begins - _SECOND, **fresh)
    # An authority's certificate outlived by those below it.
    begins = MOMENT.replace(year=MOMENT.year - 25, hour=0)
    ends = begins.replace(year=begins.year + 25) - _SECOND
    old = changed(world.issuing_oca, validity=(begins, ends))
    lists = {
        "crls": (world.crl(since=ends - timedelta(hours=1)),),
        "arls": (world.arl(since=ends - timedelta(days=1)),),
    }
    chain = (world.certificate(old),)
    root = (
        world.certificate(changed(world.root_oca, validity=(begins, begins.replace(year=begins.year + 50) - _SECOND))),
    )
    for name, at, expected in (("last-second", ends, TRUSTED), ("after", ends + _SECOND, "time.expired")):
        about = f"an Issuing OCA, {name}"
        yield setting.case(f"time-oca-{name}", about, expected, chain=chain, trust_anchors=root, at=at, **lists)
    begins = MOMENT.replace(hour=0) + timedelta(days=1)
    young = changed(world.root_oca, validity=(begins, begins.replace(year=begins.year + 50) - _SECOND))
    about = "a Root OCA that is not yet valid"
    yield setting.case("time-root-before", about, "time.not-yet-valid", trust_anchors=(world.certificate(young),))


def uses(setting: Setting) -> Iterator[Case]:
    """What it is to be relied on for."""
    world = setting.world
    supplier, device = world.organisation(), world.device()
    for name, plan, use, expected in (
        ("other-role", supplier, "networkOperator/DS", "use.role"),
        ("other-usage", supplier, "supplier/KA", "use.key-usage"),
        ("device-for-organisation", device, "supplier/DS", "use.role"),
        ("organisation-for-device", supplier, "device/DS", "use.role"),
        ("device-other-usage", device, "device/KA", "use.key-usage"),
        ("role-alone", supplier, "supplier", TRUSTED),
    ):
        yield setting.case(f"use-{name}", f"wanted: {use}", expected, plan, use=use)
