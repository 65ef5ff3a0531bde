"""Checks of extensions: their presence, criticality and contents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from smki.pki import der
from smki.pki.der import DerError, IntegerTooLong, Node
from smki.pki.oid import Oid, oid_name
from smki.pki.x509 import ExtensionNode, StructureFault, key_identifier, key_usage_bit_string, key_usages
from smki.profile.catalogue import Report
from smki.profile.forms import (
    AuthorityKeyIdentifierForm,
    BasicConstraintsForm,
    ContentForm,
    CrlNumberForm,
    ExtensionForm,
    HardwareModuleNameForm,
    KeyIdentifierForm,
    KeyUsageForm,
    PoliciesForm,
    Row,
    usage_set_text,
)

_CODES = {
    Oid.KEY_USAGE: "key-usage",
    Oid.SUBJECT_KEY_IDENTIFIER: "subject-key-identifier",
    Oid.AUTHORITY_KEY_IDENTIFIER: "authority-key-identifier",
    Oid.CERTIFICATE_POLICIES: "certificate-policies",
    Oid.BASIC_CONSTRAINTS: "basic-constraints",
    Oid.SUBJECT_ALT_NAME: "subject-alt-name",
    Oid.CRL_NUMBER: "crl-number",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Values outside the extensions that some of them depend on."""

    key_bits: bytes | None
    """The subject's public key, the bytes of its BIT STRING; None if it could not be read."""
    issuer_key_identifier: bytes | None
    """The issuer's subjectKeyIdentifier; None if the issuer is unknown."""
    policy_oid: str


def check_extensions(
    report: Report,
    extensions: Sequence[ExtensionNode],
    forms: Sequence[Row[ExtensionForm]],
    around: Surroundings,
    location: str,
    unlisted_code: str = "",
) -> None:
    """Report extensions that differ from those in the profile.

    :param unlisted_code: the code for extensions that are not in the profile, instead of the usual two.
    """
    by_oid: dict[str, ExtensionNode] = {}
    for extension in extensions:
        if extension.oid in by_oid:
            report("extension.duplicate", location, f"{extension.name} more than once")
        by_oid.setdefault(extension.oid, extension)
    for row in forms:
        form = row.form
        found = by_oid.pop(form.oid, None)
        if found is not None:
            _check_extension(report, found, form, around, f"{location}.{form.name}")
        elif not form.optional:
            report(f"{_CODES[form.oid]}.missing", location, f"no {form.name}", str(form))
    if by_oid:
        for extension in by_oid.values():
            usual = "extension.unexpected-critical" if extension.critical else "extension.unexpected"
            report(unlisted_code or usual, location, extension.name)
    check_order(report, [extension.oid for extension in extensions], [row.form.oid for row in forms], location)


def can_be_read(faults: Sequence[StructureFault]) -> bool:
    """Return whether the list of extensions could be read; if not, none of them is reported as missing."""
    return all(fault.code not in ("structure.extensions", "der.too-many") for fault in faults)


def check_order(report: Report, present: list[str], wanted: list[str], location: str) -> None:
    """Report extensions in the profile that are in another order than the profile's."""
    if present != wanted:
        known = [oid for oid in dict.fromkeys(present) if oid in wanted]
        in_order = [oid for oid in wanted if oid in known]
        if known != in_order:
            report("extension.order", location, ", ".join(map(oid_name, known)), ", ".join(map(oid_name, in_order)))


def _check_extension(
    report: Report, found: ExtensionNode, form: ExtensionForm, around: Surroundings, location: str
) -> None:
    critical = found.critical
    if found.critical_node is not None and not critical:
        report("der.default-encoded", f"{location}.critical", "critical FALSE encoded explicitly")
    if form.critical is not None and critical != form.critical:
        problem = "not-critical" if form.critical else "critical"
        report(f"{_CODES[form.oid]}.{problem}", f"{location}.critical", "critical" if critical else "not critical")
    _CONTENT_CHECKS[type(form.content)](report, found.value, form.content, around, location)


def _only(value: Node, tag: int) -> Node:
    """Return the only element in an extnValue, which must have the given tag.

    :raises DerError: if it contains anything else.
    """
    node = value.inner()
    if node.tag != tag:
        raise DerError(f"{der.tag_name(node.tag)}", node.start)
    return node


@lru_cache(maxsize=32)
def _key_usage_encodings(form: KeyUsageForm) -> frozenset[bytes]:
    return frozenset(key_usage_bit_string(*choice) for choice in form.choices)


def _check_key_usage(report: Report, value: Node, form: KeyUsageForm, around: Surroundings, location: str) -> None:
    if value.content in _key_usage_encodings(form):
        return
    try:
        bits = _only(value, der.BIT_STRING).content
    except DerError as error:
        report("key-usage.malformed", location, str(error))
        return
    usages = key_usages(bits)
    if not usages:
        report("key-usage.malformed", location, "no usage at all")
    elif usages not in form.choices:
        report("key-usage.wrong", location, usage_set_text(usages), str(form))
    elif not bits[-1] & (1 << bits[0]) - 1:  # set unused bits are reported by the check of the encoding
        expected = " or ".join(sorted(encoding.hex() for encoding in _key_usage_encodings(form)))
        report("der.named-bits", location, value.content.hex(), expected)


def _check_subject_key_identifier(
    report: Report, value: Node, form: KeyIdentifierForm, around: Surroundings, location: str
) -> None:
    try:
        identifier = _only(value, der.OCTET_STRING).content
    except DerError as error:
        report("subject-key-identifier.malformed", location, str(error))
        return
    if len(identifier) != form.length:
        report("subject-key-identifier.length", location, f"{len(identifier)} bytes", f"{form.length} bytes")
    elif around.key_bits is not None and identifier != (expected := key_identifier(around.key_bits)):
        report("subject-key-identifier.method", location, identifier.hex().upper(), expected.hex().upper())


def _check_authority_key_identifier(
    report: Report, value: Node, form: AuthorityKeyIdentifierForm, around: Surroundings, location: str
) -> None:
    try:
        parts = _only(value, der.SEQUENCE).children()
    except DerError as error:
        report("authority-key-identifier.malformed", location, str(error))
        return
    if [part.tag for part in parts] != [0x80]:
        report(
            "authority-key-identifier.form", location, ", ".join(der.tag_name(part.tag) for part in parts) or "empty"
        )
        return
    identifier = parts[0].content
    if len(identifier) != form.length:
        report("authority-key-identifier.length", location, f"{len(identifier)} bytes", f"{form.length} bytes")
    elif around.issuer_key_identifier is not None and identifier != around.issuer_key_identifier:
        expected = around.issuer_key_identifier.hex().upper()
        report("authority-key-identifier.mismatch", location, identifier.hex().upper(), expected)


@lru_cache(maxsize=16)
def policies_value(policy_oid: str) -> bytes:
    """Return the certificatePolicies contents (DER) for one policy without qualifiers."""
    return der.sequence(der.sequence(der.oid(policy_oid)))


def _check_policies(report: Report, value: Node, form: PoliciesForm, around: Surroundings, location: str) -> None:
    if value.content == policies_value(around.policy_oid) and form.count == 1:
        return
    try:
        nodes = _only(value, der.SEQUENCE).children()
        policies = [policy.children() for policy in nodes if policy.tag == der.SEQUENCE]
        oids = [der.decode_oid(parts[0].content) for parts in policies if parts[0].tag == der.OBJECT_IDENTIFIER]
        if not oids or len(oids) != len(nodes):
            raise DerError("something other than policyIdentifiers", value.start)
    except (DerError, IndexError) as error:
        report("certificate-policies.malformed", location, str(error))
        return
    if len(policies) != form.count:
        seen = f"{len(policies)} policies: {', '.join(oids)}"
        report("certificate-policies.count", location, seen, f"{form.count} policies")
    elif len(policies[0]) != 1:
        report("certificate-policies.qualifiers", location, f"{oids[0]} with qualifiers")
    elif oids[0] != around.policy_oid:
        report("certificate-policies.other-environment", location, oids[0], around.policy_oid)


@lru_cache(maxsize=4)
def basic_constraints_value(path_length: int | None) -> bytes:
    """Return the basicConstraints contents (DER) of a CA."""
    return der.sequence(der.boolean(True), der.integer(path_length) if path_length is not None else b"")


def _check_basic_constraints(
    report: Report, value: Node, form: BasicConstraintsForm, around: Surroundings, location: str
) -> None:
    if value.content == basic_constraints_value(form.path_length):
        return
    try:
        parts = _only(value, der.SEQUENCE).children()
        tags = [part.tag for part in parts]
        if tags not in ([], [der.BOOLEAN], [der.INTEGER], [der.BOOLEAN, der.INTEGER]):
            raise DerError(f"a SEQUENCE of {', '.join(map(der.tag_name, tags))}", value.start)
    except DerError as error:
        report("basic-constraints.malformed", location, str(error))
        return
    is_ca = tags[:1] == [der.BOOLEAN] and parts[0].content != b"\0"
    if tags[:1] == [der.BOOLEAN] and not is_ca:
        report("der.default-encoded", f"{location}.cA", "cA FALSE encoded explicitly")
    if not is_ca:
        report("basic-constraints.not-ca", f"{location}.cA", "not a CA")
    try:
        length = der.decode_integer(parts[-1]) if tags[-1:] == [der.INTEGER] else None
        seen = "none" if length is None else str(length)
    except IntegerTooLong as error:
        length, seen = -1, error.reason
    if length != form.path_length:
        expected = "none" if form.path_length is None else str(form.path_length)
        report("basic-constraints.path-length", f"{location}.pathLenConstraint", seen, expected)


def _check_alt_name(
    report: Report, value: Node, form: HardwareModuleNameForm, around: Surroundings, location: str
) -> None:
    try:
        names = _only(value, der.SEQUENCE).children()
        if not names:
            raise DerError("no name", value.start)
    except DerError as error:
        report("subject-alt-name.malformed", location, str(error))
        return
    if len(names) != 1:
        report("subject-alt-name.count", location, f"{len(names)} names")
        return
    if names[0].tag != 0xA0:
        report("subject-alt-name.name-type", location, f"a name of type {der.tag_name(names[0].tag)}")
        return
    _check_hardware_module_name(report, names[0], form, location)


def _check_hardware_module_name(report: Report, name: Node, form: HardwareModuleNameForm, location: str) -> None:
    try:
        type_id, wrapped = name.children()
        if type_id.tag != der.OBJECT_IDENTIFIER:
            raise DerError(der.tag_name(type_id.tag), type_id.start)
        oid = der.decode_oid(type_id.content)
        if oid != Oid.HARDWARE_MODULE_NAME:
            report("subject-alt-name.name-type", location, f"an otherName of type {oid}")
            return
        module_name = wrapped.inner()
        tags = [part.tag for part in module_name.children()]
        if wrapped.tag != 0xA0 or module_name.tag != der.SEQUENCE or tags != [der.OBJECT_IDENTIFIER, der.OCTET_STRING]:
            raise DerError(", ".join(map(der.tag_name, tags)) or "nothing", module_name.start)
    except (DerError, ValueError) as error:
        report("hardware-module-name.malformed", location, str(error))
        return
    serial = module_name.children()[1].content
    if len(serial) != form.serial_bytes:
        report("hardware-module-name.serial-length", f"{location}.hwSerialNum", f"{len(serial)} bytes: {serial.hex()}")


def _check_crl_number(report: Report, value: Node, form: CrlNumberForm, around: Surroundings, location: str) -> None:
    try:
        node = _only(value, der.INTEGER)
    except DerError as error:
        report("crl-number.malformed", location, str(error))
        return
    try:
        number = der.decode_integer(node)
    except IntegerTooLong as error:
        report("crl-number.too-long", location, error.reason, f"at most {form.max_bytes} bytes")
        return
    length = (number.bit_length() + 7) // 8
    if number < 0:
        report("crl-number.malformed", location, f"-{-number:X}"[:64])
    elif length > form.max_bytes:
        report("crl-number.too-long", location, f"{length} bytes", f"at most {form.max_bytes} bytes")


_CONTENT_CHECKS: dict[type[ContentForm], Callable[[Report, Node, Any, Surroundings, str], None]] = {
    KeyUsageForm: _check_key_usage,
    KeyIdentifierForm: _check_subject_key_identifier,
    AuthorityKeyIdentifierForm: _check_authority_key_identifier,
    PoliciesForm: _check_policies,
    BasicConstraintsForm: _check_basic_constraints,
    HardwareModuleNameForm: _check_alt_name,
    CrlNumberForm: _check_crl_number,
}
