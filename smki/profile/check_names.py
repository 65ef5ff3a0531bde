"""Checks of distinguished names against a name form (GBCS 12)."""

from __future__ import annotations

from functools import lru_cache

from smki.pki import der
from smki.pki.bounds import MAX_NAME_BYTES
from smki.pki.der import DerError, Node
from smki.pki.oid import oid_name
from smki.pki.x509 import Attribute, Name, name_text, parse_name
from smki.profile.catalogue import Report
from smki.profile.forms import AttributeForm, NameForm, Value
from smki.sec.role import RemotePartyRole

_HEXADECIMAL = frozenset("0123456789ABCDEF")


def check_name(report: Report, node: Node | None, form: NameForm, location: str) -> None:
    """Report how a name differs from its form; *location* ends in ``subject`` or ``issuer``."""
    if node is not None and node.end - node.start > MAX_NAME_BYTES:
        # Checked before the cache, so that nothing too large is cached.
        report("name.unreadable", location, f"a name of {node.end - node.start} bytes", f"at most {MAX_NAME_BYTES}")
    elif node is not None:
        for code, at, seen, expected in _name_faults(node.encoded, form, location.endswith("issuer")):
            report(code, location + at, seen, expected)


@lru_cache(maxsize=1024)
def _name_faults(encoded: bytes, form: NameForm, is_issuer: bool) -> tuple[tuple[str, str, str, str], ...]:
    # Cached because thousands of certificates have the same issuer.
    try:
        name = parse_name(encoded)
    except DerError as error:
        return (("name.unreadable", "", str(error), ""),)
    if not form.attributes:
        return (("name.not-empty", "", name_text(encoded), ""),) if name else ()
    faults = _faults_of_shape(name, form)
    by_oid = {attribute.oid: attribute for rdn in name for attribute in rdn}
    for wanted in form.attributes:
        found = by_oid.get(wanted.oid)
        if found is not None:
            faults += _faults_of_value(found, wanted, is_issuer)
    return tuple(faults)


def _faults_of_shape(name: Name, form: NameForm) -> list[tuple[str, str, str, str]]:
    faults = []
    present = [attribute.oid for rdn in name for attribute in rdn]
    wanted = [attribute.oid for attribute in form.attributes]
    for index, rdn in enumerate(name):
        if len(rdn) > 1:
            faults.append(("name.multi-valued", f"[{index}]", f"{len(rdn)} attributes in one RDN", ""))
    for attribute in form.attributes:
        if attribute.oid not in present and not attribute.optional:
            faults.append(("name.attribute-missing", "", f"no {oid_name(attribute.oid)}", str(attribute)))
    for oid in dict.fromkeys(present):
        if oid not in wanted:
            faults.append(("name.attribute-unexpected", "", oid_name(oid), ", ".join(map(oid_name, wanted))))
        elif present.count(oid) > 1:
            faults.append(("name.attribute-repeated", "", f"{present.count(oid)} times {oid_name(oid)}", ""))
    known = [oid for oid in dict.fromkeys(present) if oid in wanted]
    in_order = [oid for oid in wanted if oid in known]
    if known != in_order:
        seen, expected = ", ".join(map(oid_name, known)), ", ".join(map(oid_name, in_order))
        faults.append(("name.attribute-order", "", seen, expected))
    return faults


def _faults_of_value(found: Attribute, wanted: AttributeForm, is_issuer: bool) -> list[tuple[str, str, str, str]]:
    at = f".{oid_name(found.oid)}"
    if found.tag != wanted.tag:
        code = "name.issuer-string-type" if is_issuer else "name.string-type"
        faults = [(code, at, der.tag_name(found.tag), der.tag_name(wanted.tag))]
        if wanted.value is Value.EUI64 or found.tag not in der.STRING_TAGS:
            return faults
    else:
        faults = []
    if wanted.value is Value.EUI64:
        bits = (len(found.content) - 1) * 8 - found.content[0] if found.content else 0
        if bits != 64:
            faults.append(("entity-identifier.length", at, f"{bits} bits", ""))
        return faults
    try:
        text = der.decode_text(Node(found.content, found.tag, 0, 0, len(found.content)))
        if found.tag == der.PRINTABLE_STRING and not der.is_printable(text):
            raise DerError(f"{text!r}, which a PrintableString cannot hold", 0)
    except DerError as error:
        return [*faults, ("name.string-malformed", at, error.reason, "")]
    if wanted.value is Value.ROLE:
        faults += _faults_of_role(text, wanted, at)
    elif not 0 < len(text) <= wanted.max_characters:
        faults.append(("common-name.length", at, f"{len(text)} characters", f"1 to {wanted.max_characters} characters"))
    return faults


def _faults_of_role(text: str, wanted: AttributeForm, at: str) -> list[tuple[str, str, str, str]]:
    if len(text) != 2 or not _HEXADECIMAL.issuperset(text):
        return [("role.malformed", at, repr(text), "")]
    role = RemotePartyRole.of_hexadecimal(text)
    codes = ", ".join(f"{role.hexadecimal} ({role.label})" for role in wanted.roles)
    if role is None:
        return [("role.unknown", at, repr(text), codes)]
    if role not in wanted.roles:
        return [("role.wrong", at, f"{text} ({role.label})", codes)]
    return []
