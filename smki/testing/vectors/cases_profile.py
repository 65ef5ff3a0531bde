"""Cases of step 1 (DER, and the profile), and the good ones."""

from __future__ import annotations

from collections.abc import Iterator

from smki.pki import der
from smki.pki.request import organisation_subject
from smki.pki.x509 import Oid, encode_attribute, key_usage_bit_string
from smki.sec.role import ORGANISATION_ROLES, KeyUsage, RemotePartyRole
from smki.testing.vectors.case import Case
from smki.testing.vectors.edits import (
    ALGORITHM_NULL,
    ALGORITHM_SHA384,
    OUTER_NULL,
    OUTER_SHA384,
    SERIAL,
    SUBJECT,
    UNKNOWN,
    VALIDITY,
    VERSION,
    added,
    appended,
    doubled,
    dropped,
    generalized_not_before,
    long_length,
    padded_signature,
    point,
    put,
    turned,
    without,
)
from smki.testing.vectors.setting import Setting
from smki.testing.vectors.world import ISSUED, SUPPLIER, Edit, Plan, changed

_DS, _KA = KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT
_CA = der.sequence(der.boolean(True))


def good(setting: Setting) -> Iterator[Case]:
    """What everybody must trust."""
    world = setting.world
    for role in ORGANISATION_ROLES:
        for usage in role.usages:
            plan = world.organisation(role, usage)
            use = f"{role.label}/{usage.code}"
            yield setting.case(f"good-{role.label}-{usage.code.lower()}", f"good: {use}", plan=plan, use=use)
    for usage in (_DS, _KA):
        use = f"device/{usage.code}"
        yield setting.case(f"good-device-{usage.code.lower()}", f"good: {use}", plan=world.device(usage), use=use)


_BOTH: tuple[tuple[str, str, Edit], ...] = (
    ("version-1", "version 1, with extensions", without(VERSION)),
    ("serial-nought", "serial number 0", put(SERIAL, der.integer(0))),
    ("serial-negative", "a negative serial number", put(SERIAL, der.integer(-(1 << 100)))),
    ("serial-17-octets", "a serial number of 17 octets", put(SERIAL, der.integer(1 << 130))),
    ("serial-padded", "a serial number with a needless zero octet", put(SERIAL, b"\x02\x11\x00" + b"\x11" * 16)),
    ("algorithm-sha384", "another algorithm named inside", ALGORITHM_SHA384),
    ("algorithm-null", "NULL parameters inside", ALGORITHM_NULL),
    ("issuer-ber-length", "a length that is not minimal", long_length),
    ("validity-reversed", "notAfter before notBefore", put(VALIDITY, der.sequence(der.time(ISSUED), der.time(ISSUED.replace(year=2024))))),
    ("validity-generalized", "GeneralizedTime for a year before 2050", generalized_not_before),
    ("key-compressed", "a compressed point", point(lambda octets: bytes((2 + (octets[-1] & 1),)) + octets[1:33])),
    ("key-not-on-curve", "a point that is not on the curve", point(lambda octets: octets[:-1] + bytes((octets[-1] ^ 1,)))),
    ("extensions-none", "no extensions", without(7)),
    ("field-after-extensions", "a field after the extensions", appended(der.integer(1))),
    ("key-usage-missing", "no keyUsage", dropped(Oid.KEY_USAGE)),
    ("key-usage-not-critical", "keyUsage not critical", turned(Oid.KEY_USAGE)),
    ("key-usage-twice", "keyUsage twice", doubled(Oid.KEY_USAGE)),
    ("ski-missing", "no subjectKeyIdentifier", dropped(Oid.SUBJECT_KEY_IDENTIFIER)),
    ("ski-critical", "subjectKeyIdentifier critical", turned(Oid.SUBJECT_KEY_IDENTIFIER)),
    ("aki-missing", "no authorityKeyIdentifier", dropped(Oid.AUTHORITY_KEY_IDENTIFIER)),
    ("aki-critical", "authorityKeyIdentifier critical", turned(Oid.AUTHORITY_KEY_IDENTIFIER)),
    ("policies-missing", "no certificatePolicies", dropped(Oid.CERTIFICATE_POLICIES)),
    ("policies-not-critical", "certificatePolicies not critical", turned(Oid.CERTIFICATE_POLICIES)),
    ("basic-constraints", "basicConstraints with cA TRUE in an end entity", added(Oid.BASIC_CONSTRAINTS, _CA, critical=True)),
    ("extension-unknown", "an unknown extension, not critical", added(UNKNOWN, der.sequence(), critical=False)),
    ("extension-unknown-critical", "an unknown critical extension", added(UNKNOWN, der.sequence(), critical=True)),
    ("extension-eku-critical", "a critical extKeyUsage", added("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.1")), critical=True)),
    ("extension-name-constraints", "critical nameConstraints", added("2.5.29.30", der.sequence(), critical=True)),
)  # fmt: skip
_OUTSIDE: tuple[tuple[str, str, Edit], ...] = (
    ("outer-algorithm-null", "NULL parameters outside alone", OUTER_NULL),
    ("outer-algorithm-sha384", "another algorithm named outside", OUTER_SHA384),
    ("signature-padded", "a signature INTEGER that is not minimal", padded_signature),
    ("signature-nought", "a signature of r = s = 0", put(2, der.bit_string(der.sequence(der.integer(0), der.integer(0))))),
    ("signature-unused-bits", "a signature BIT STRING with unused bits", lambda parts: put(2, der.element(der.BIT_STRING, b"\x01", der.read(parts[2]).content[1:]))(parts)),
    ("signature-missing", "no signature", without(2)),
    ("fourth-part", "a fourth part", appended(der.integer(1))),
)  # fmt: skip


def broken(setting: Setting) -> Iterator[Case]:
    """Certificates that break the profile; their signatures are right wherever that is possible."""
    world = setting.world
    bases: tuple[tuple[str, Plan], ...] = (("organisation", world.organisation()), ("device", world.device()))
    for base, plan in bases:
        for name, about, edit in _BOTH:
            yield setting.case(f"profile-{base}-{name}", f"{base}: {about}", "profile", changed(plan, edit=edit))
        for name, about, outer in _OUTSIDE:
            yield setting.case(f"profile-{base}-{name}", f"{base}: {about}", "profile", changed(plan, outer=outer))
        octets = world.certificate(plan)
        for name, about, data in (
            ("trailing-octet", "an octet after the end", octets + b"\0"),
            ("cut-short", "the last octet missing", octets[:-1]),
            ("empty", "no octets at all", b""),
        ):
            yield setting.case(f"profile-{base}-{name}", f"{base}: {about}", "profile", plan, certificate=data)
        for name, usages in (("both", (_DS, _KA)), ("non-repudiation", (KeyUsage.NON_REPUDIATION,))):
            extensions = {**plan.extensions, Oid.KEY_USAGE: key_usage_bit_string(*usages)}
            wrong = changed(plan, extensions=extensions)
            yield setting.case(f"profile-{base}-key-usage-{name}", f"{base}: keyUsage {name}", "profile", wrong)
    yield from _organisations(setting)
    device = world.device()
    for name, about, edit in (
        ("san-missing", "no subjectAltName", dropped(Oid.SUBJECT_ALT_NAME)),
        ("san-not-critical", "subjectAltName not critical", turned(Oid.SUBJECT_ALT_NAME)),
        ("subject", "a subject that is not empty", put(SUBJECT, der.sequence(encode_attribute(Oid.COMMON_NAME, der.utf8_string("Meter"))))),
    ):  # fmt: skip
        yield setting.case(f"profile-device-{name}", f"device: {about}", "profile", changed(device, edit=edit))


def _organisations(setting: Setting) -> Iterator[Case]:
    plan = setting.world.organisation()
    supplier = organisation_subject(RemotePartyRole.SUPPLIER, SUPPLIER, None)
    for name, about, subject in (
        ("unit-root", "the role of a root", supplier.replace(b"\x0c\x0202", b"\x0c\x0200")),
        ("unit-unknown", "a role that does not exist", supplier.replace(b"\x0c\x0202", b"\x0c\x0255")),
        ("unit-printable", "the role as a PrintableString", supplier.replace(b"\x0c\x0202", b"\x13\x0202")),
        ("no-unit", "no organizationalUnitName", der.sequence(der.read(supplier).children()[-1].encoded)),
    ):
        yield setting.case(
            f"profile-organisation-{name}", f"organisation: {about}", "profile", changed(plan, name=subject)
        )
    recovery = setting.world.organisation(RemotePartyRole.RECOVERY, _KA)
    yield setting.case(
        "profile-organisation-recovery-ka", "a recovery certificate for key agreement", "profile", recovery
    )
