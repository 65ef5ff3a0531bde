"""The profiles: the required content of every field of SMKI certificates, certification requests and revocation lists.

One row per field: its requirement, its clause, and a mark for its certainty. The authority builds from these rows and
the lint checks against them.
"""

from __future__ import annotations

from smki.pki import der
from smki.pki.oid import Oid
from smki.profile.forms import (
    Algorithm,
    AttributeForm,
    AuthorityKeyIdentifierForm,
    BasicConstraintsForm,
    CertificateProfile,
    ContentForm,
    CrlNumberForm,
    EntriesForm,
    ExtensionForm,
    HardwareModuleNameForm,
    KeyIdentifierForm,
    KeyUsageForm,
    Mark,
    NameForm,
    NextUpdateForm,
    PoliciesForm,
    Profile,
    PublicKey,
    RequestProfile,
    RevocationListProfile,
    Row,
    Serial,
    Validity,
    Value,
    Version,
)
from smki.sec.role import ORGANISATION_ROLES, CertificateKind, KeyUsage, RemotePartyRole

TEST_POLICY_OID = "1.2.826.0.1.8641679.1.2.1.4"
"""The policy of the published test certificates. It identifies the environment, so a home can configure another; a
production OID is never a default, because everything issued here is a Test Certificate (SEC H14.11)."""

MAX_CA_NAME_CHARACTERS = 4
"""Assumption: the longest common name seen in an authority's certificate."""

ROOT_OCA_YEARS = 50
"""Assumption: no Root OCA certificate is published."""

CRL_HOURS = 48
"""Assumption: hours from thisUpdate to nextUpdate of an Organisation CRL."""

ARL_HOURS = 366 * 24
"""Assumption: hours from thisUpdate to nextUpdate of the Organisation ARL, twelve months."""

ISSUING_OCA_YEARS = 25
ORGANISATION_YEARS = 10

_GBCS = "GBCS 12"
_STATED, _MEASURED, _ASSUMED = Mark.STATED, Mark.MEASURED, Mark.ASSUMED

_VERSION = Row(Version(2, "v3"), "RFC 5280 4.1.2.1", _STATED)
_SERIAL = Row(Serial(max_bytes=16, made_bytes=16), "RFC 5280 4.1.2.2", _MEASURED)
_ALGORITHM = Row(Algorithm(Oid.ECDSA_WITH_SHA256), "RFC 5758 3.2", _STATED)
_KEY = Row(PublicKey(Oid.P256, point_bytes=65), "RFC 5480 2", _STATED)

_DIGITAL_SIGNATURE = frozenset({KeyUsage.DIGITAL_SIGNATURE})
_KEY_AGREEMENT = frozenset({KeyUsage.KEY_AGREEMENT})
_AUTHORITY_USAGES = KeyUsageForm((frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN}),))
_END_ENTITY_USAGES = KeyUsageForm((_DIGITAL_SIGNATURE, _KEY_AGREEMENT))


def _extension(
    oid: str, critical: bool | None, content: ContentForm, clause: str, mark: Mark = _STATED, *, optional: bool = False
) -> Row[ExtensionForm]:
    return Row(ExtensionForm(oid, critical, content, optional), clause, mark)


_ISSUER_KEY = AuthorityKeyIdentifierForm(length=8)
_SKI = _extension(Oid.SUBJECT_KEY_IDENTIFIER, False, KeyIdentifierForm(length=8), "RFC 5280 4.2.1.2")
_POLICIES = _extension(Oid.CERTIFICATE_POLICIES, True, PoliciesForm(count=1), _GBCS)
_AKI = _extension(Oid.AUTHORITY_KEY_IDENTIFIER, False, _ISSUER_KEY, "RFC 5280 4.2.1.1")
_AKI_OPTIONAL = _extension(Oid.AUTHORITY_KEY_IDENTIFIER, False, _ISSUER_KEY, "RFC 5280 4.2.1.1", optional=True)


def _common_name(tag: int, max_characters: int, *, optional: bool = False) -> AttributeForm:
    return AttributeForm(Oid.COMMON_NAME, tag, Value.TEXT, optional, max_characters)


def _role(tag: int, *roles: RemotePartyRole) -> AttributeForm:
    return AttributeForm(Oid.ORGANIZATIONAL_UNIT_NAME, tag, Value.ROLE, roles=roles)


_EUI64 = AttributeForm(Oid.X500_UNIQUE_IDENTIFIER, der.BIT_STRING, Value.EUI64)
_CA_COMMON_NAME = _common_name(der.PRINTABLE_STRING, MAX_CA_NAME_CHARACTERS)
_ROOT_OCA_NAME = NameForm((_role(der.PRINTABLE_STRING, RemotePartyRole.ROOT), _CA_COMMON_NAME))
_ISSUING_OCA_NAME = NameForm((_role(der.PRINTABLE_STRING, RemotePartyRole.ISSUING_AUTHORITY), _CA_COMMON_NAME))
_DCA_NAME = NameForm((_CA_COMMON_NAME,))


def _organisation_name(*roles: RemotePartyRole) -> NameForm:
    return NameForm((_common_name(der.UTF8_STRING, 64, optional=True), _role(der.UTF8_STRING, *roles), _EUI64))


def _authority(
    kind: CertificateKind,
    issuer: Row[NameForm],
    subject: Row[NameForm],
    validity: Row[Validity],
    path_length: int | None,
    mark: Mark,
) -> CertificateProfile:
    return CertificateProfile(
        name=kind.value,
        title=kind.title,
        kind=kind,
        version=_VERSION,
        serial_number=_SERIAL,
        signature_algorithm=_ALGORITHM,
        issuer=issuer,
        validity=validity,
        subject=subject,
        public_key=_KEY,
        extensions=(
            _extension(Oid.KEY_USAGE, True, _AUTHORITY_USAGES, "RFC 5280 4.2.1.3", mark),
            _extension(Oid.BASIC_CONSTRAINTS, True, BasicConstraintsForm(path_length), "RFC 5280 4.2.1.9", mark),
            _POLICIES,
            _SKI,
            _AKI_OPTIONAL if kind in (CertificateKind.ROOT_OCA, CertificateKind.ROOT_DCA) else _AKI,
        ),
    )


_ROOT_OCA = _authority(
    CertificateKind.ROOT_OCA,
    Row(_ROOT_OCA_NAME, _GBCS, _MEASURED),
    Row(_ROOT_OCA_NAME, _GBCS, _MEASURED),
    Row(Validity(ROOT_OCA_YEARS, whole_days=True), _GBCS, _ASSUMED),
    path_length=None,
    mark=_ASSUMED,
)
_ISSUING_OCA = _authority(
    CertificateKind.ISSUING_OCA,
    Row(_ROOT_OCA_NAME, _GBCS, _MEASURED),
    Row(_ISSUING_OCA_NAME, _GBCS, _MEASURED),
    Row(Validity(ISSUING_OCA_YEARS, whole_days=True), _GBCS, _MEASURED),
    path_length=0,
    mark=_MEASURED,
)
_ROOT_DCA = _authority(
    CertificateKind.ROOT_DCA,
    Row(_DCA_NAME, _GBCS, _ASSUMED),
    Row(_DCA_NAME, _GBCS, _ASSUMED),
    Row(Validity(None, whole_days=True), _GBCS, _ASSUMED),
    path_length=None,
    mark=_ASSUMED,
)
_ISSUING_DCA = _authority(
    CertificateKind.ISSUING_DCA,
    Row(_DCA_NAME, _GBCS, _ASSUMED),
    Row(_DCA_NAME, _GBCS, _MEASURED),
    Row(Validity(None, whole_days=True), _GBCS, _ASSUMED),
    path_length=0,
    mark=_ASSUMED,
)


def _organisation(name: str, title: str, usages: KeyUsageForm, *roles: RemotePartyRole) -> CertificateProfile:
    return CertificateProfile(
        name=name,
        title=title,
        kind=CertificateKind.ORGANISATION,
        version=_VERSION,
        serial_number=_SERIAL,
        signature_algorithm=_ALGORITHM,
        issuer=Row(_ISSUING_OCA_NAME, _GBCS, _MEASURED),
        validity=Row(Validity(ORGANISATION_YEARS, whole_days=True), _GBCS, _MEASURED),
        subject=Row(_organisation_name(*roles), _GBCS, _STATED),
        public_key=_KEY,
        extensions=(
            _extension(Oid.KEY_USAGE, True, usages, "RFC 5280 4.2.1.3"),
            _SKI,
            _POLICIES,
            _AKI,
        ),
        roles=roles,
    )


def _usages_of(role: RemotePartyRole) -> KeyUsageForm:
    return KeyUsageForm(tuple(frozenset({usage}) for usage in role.usages))


_ORGANISATION = _organisation("organisation", "Organisation Certificate", _END_ENTITY_USAGES, *ORGANISATION_ROLES)
_BY_ROLE = {
    role: _organisation(
        f"organisation-{role.label}",
        f"Organisation Certificate, {role.label} ({role.hexadecimal})",
        _usages_of(role),
        role,
    )
    for role in ORGANISATION_ROLES
}

_HARDWARE_MODULE_NAME = HardwareModuleNameForm(serial_bytes=8)
_DEVICE = CertificateProfile(
    name="device",
    title="Device Certificate",
    kind=CertificateKind.DEVICE,
    version=_VERSION,
    serial_number=_SERIAL,
    signature_algorithm=_ALGORITHM,
    issuer=Row(_DCA_NAME, _GBCS, _MEASURED),
    validity=Row(Validity(None, whole_days=False), _GBCS, _STATED),
    subject=Row(NameForm(()), _GBCS, _STATED),
    public_key=_KEY,
    extensions=(
        _extension(Oid.KEY_USAGE, True, _END_ENTITY_USAGES, "RFC 5280 4.2.1.3"),
        _SKI,
        _extension(Oid.SUBJECT_ALT_NAME, True, _HARDWARE_MODULE_NAME, "RFC 4108 5"),
        _POLICIES,
        _AKI,
    ),
)

PROFILES: dict[str, CertificateProfile] = {
    profile.name: profile
    for profile in (
        _ROOT_OCA,
        _ISSUING_OCA,
        _ROOT_DCA,
        _ISSUING_DCA,
        _ORGANISATION,
        *_BY_ROLE.values(),
        _DEVICE,
    )
}
"""Every certificate profile by name."""

_BY_KIND = {kind: PROFILES[kind.value] for kind in CertificateKind}


def profile_of(kind: CertificateKind, role: RemotePartyRole | None = None) -> CertificateProfile:
    """Return the profile for a kind of certificate; for an Organisation Certificate, that of its role if known."""
    if kind is CertificateKind.ORGANISATION and role in _BY_ROLE:
        return _BY_ROLE[role]
    return _BY_KIND[kind]


_REQUEST_VERSION = Row(Version(0, "0"), "RFC 2986 4.1", _STATED)
_REQUEST_USAGE = _extension(Oid.KEY_USAGE, None, _END_ENTITY_USAGES, "SEC Appendix M")

DEVICE_REQUEST = RequestProfile(
    name="device-request",
    title="certification request for a Device Certificate",
    kind=CertificateKind.DEVICE,
    version=_REQUEST_VERSION,
    subject=Row(NameForm(()), "SEC Appendix M", _STATED),
    public_key=_KEY,
    extensions=(
        _REQUEST_USAGE,
        _extension(Oid.SUBJECT_ALT_NAME, None, _HARDWARE_MODULE_NAME, "RFC 4108 5"),
    ),
    signature_algorithm=_ALGORITHM,
)


def _organisation_request(name: str, title: str, usages: KeyUsageForm, *roles: RemotePartyRole) -> RequestProfile:
    return RequestProfile(
        name=name,
        title=title,
        kind=CertificateKind.ORGANISATION,
        version=_REQUEST_VERSION,
        subject=Row(_organisation_name(*roles), "SEC Appendix M", _STATED),
        public_key=_KEY,
        extensions=(_extension(Oid.KEY_USAGE, None, usages, "SEC Appendix M"),),
        signature_algorithm=_ALGORITHM,
    )


ORGANISATION_REQUEST = _organisation_request(
    "organisation-request",
    "certification request for an Organisation Certificate",
    _END_ENTITY_USAGES,
    *ORGANISATION_ROLES,
)
_REQUEST_BY_ROLE = {
    role: _organisation_request(
        f"organisation-request-{role.label}",
        f"certification request for an Organisation Certificate, {role.label} ({role.hexadecimal})",
        _usages_of(role),
        role,
    )
    for role in ORGANISATION_ROLES
}
APPLICATION_REQUEST = _organisation_request(
    "organisation-application",
    "certification request for an Organisation Certificate",
    _END_ENTITY_USAGES,
    *RemotePartyRole,
)
"""What a request must contain whatever its role. Whether the role has certificates of that usage is a provision
(:mod:`smki.eligibility`), so that a question and an application get the same answer."""
REQUEST_PROFILES: dict[str, RequestProfile] = {
    profile.name: profile for profile in (DEVICE_REQUEST, ORGANISATION_REQUEST, *_REQUEST_BY_ROLE.values())
}
"""Every request profile by name."""


def request_profile_of(kind: CertificateKind, role: RemotePartyRole | None = None) -> RequestProfile:
    """Return the profile for a request for that kind of certificate; for an Organisation, that of its role if known."""
    if kind is CertificateKind.ORGANISATION:
        return _REQUEST_BY_ROLE.get(role, ORGANISATION_REQUEST) if role else ORGANISATION_REQUEST
    return DEVICE_REQUEST


def _revocation_list(
    name: str, title: str, issued_by: CertificateKind, issuer: NameForm, hours: int
) -> RevocationListProfile:
    return RevocationListProfile(
        name=name,
        title=title,
        issued_by=issued_by,
        version=Row(Version(1, "v2"), "RFC 5280 5.1.2.1", _STATED),
        signature_algorithm=_ALGORITHM,
        issuer=Row(issuer, _GBCS, _MEASURED),
        next_update=Row(NextUpdateForm(hours), "RFC 5280 5.1.2.5", _ASSUMED),
        entries=Row(EntriesForm(max_serial_bytes=16, reasons=(1, 2, 3, 4, 5, 6, 9, 10)), "RFC 5280 5.3.1", _STATED),
        extensions=(
            _extension(Oid.AUTHORITY_KEY_IDENTIFIER, False, _ISSUER_KEY, "RFC 5280 5.2.1"),
            _extension(Oid.CRL_NUMBER, False, CrlNumberForm(max_bytes=20), "RFC 5280 5.2.3"),
        ),
    )


ORGANISATION_CRL = _revocation_list(
    "organisation-crl", "Organisation CRL", CertificateKind.ISSUING_OCA, _ISSUING_OCA_NAME, CRL_HOURS
)
"""The list of revoked Organisation Certificates."""
ORGANISATION_ARL = _revocation_list(
    "organisation-arl", "Organisation ARL", CertificateKind.ROOT_OCA, _ROOT_OCA_NAME, ARL_HOURS
)
"""The list of revoked OCA Certificates."""
LIST_PROFILES: dict[str, RevocationListProfile] = {
    profile.name: profile for profile in (ORGANISATION_CRL, ORGANISATION_ARL)
}
"""Every revocation list profile by name."""

ALL_PROFILES: dict[str, Profile] = {**PROFILES, **REQUEST_PROFILES, **LIST_PROFILES}
"""Every profile by name."""
