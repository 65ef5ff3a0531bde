"""The checks along a path from an end entity to a trust anchor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.pki.x509 import name_text
from smki.relying_party.anchor import Authority
from smki.relying_party.authorities import ISSUER_KINDS, Path, is_right_kind
from smki.relying_party.examine import Examined
from smki.relying_party.requirements import (
    AUTHORITY,
    CRITICAL,
    END_ENTITY,
    HIERARCHY,
    ISSUER,
    KEY_CERT_SIGN,
    KEY_IDENTIFIER,
    LENGTH,
    POLICY,
    SIGNATURE,
)
from smki.relying_party.verdict import Check, held, judge, not_applicable, not_held, not_reached
from smki.sec.role import KeyUsage

_LINK = (ISSUER, KEY_IDENTIFIER, SIGNATURE, AUTHORITY, KEY_CERT_SIGN, HIERARCHY)


def check_link(below: Examined, issuer: Authority | None, is_signed: bool) -> tuple[Check, ...]:
    """Check the link from a certificate to its issuer: name, key identifier, signature, and the issuer's right to issue
    it.

    :param is_signed: whether the issuer's signature on it has already been verified.
    """
    certificate, label = below.certificate, below.label
    if certificate is None:
        return tuple(not_reached(requirement, label) for requirement in _LINK)
    if issuer is None:
        seen = f"no known authority is named {name_text(certificate.issuer)}"
        unknown = not_held(ISSUER, label, "path.issuer-unknown", seen, f"an authority named {certificate.issuer.hex()}")
        return (unknown, *(not_reached(requirement, label) for requirement in _LINK[1:]))
    wanted, found = certificate.authority_key_identifier, issuer.key_identifier
    # A root may omit its authorityKeyIdentifier; an anchor without a certificate may have no key identifier.
    is_own = wanted is None and certificate.issuer == certificate.subject
    same_key = is_own or found is None or wanted == found
    return (
        held(ISSUER, label, issuer.label),
        judge(KEY_IDENTIFIER, label, same_key, "path.key-identifier", _hex(wanted), _hex(found)),
        held(SIGNATURE, label, issuer.label) if is_signed else _check_signature(certificate, label, issuer),
        *_check_issuer(below, issuer),
    )


def _check_signature(certificate: Certificate, label: str, issuer: Authority) -> Check:
    if issuer.verifies(certificate.signature, certificate.tbs):
        return held(SIGNATURE, label, issuer.label)
    own = certificate.point is not None and certificate.is_signed_by(certificate.point)
    seen = "it is signed by its own key" if own else "it does not verify"
    return not_held(SIGNATURE, label, "path.signature", seen, f"a signature by {issuer.label}")


def _check_issuer(below: Examined, issuer: Authority) -> tuple[Check, ...]:
    label, above = issuer.label, issuer.certificate
    expected = ISSUER_KINDS[below.kind].title
    hierarchy = judge(HIERARCHY, below.label, is_right_kind(issuer, below.kind), "path.hierarchy", label, expected)
    if above is None:
        seen = "the trust anchor is a name and key without a certificate"
        return (not_applicable(AUTHORITY, label, seen), not_applicable(KEY_CERT_SIGN, label, seen), hierarchy)
    usages = ", ".join(sorted(usage.label for usage in above.key_usages)) or "no key usage"
    may_sign = KeyUsage.KEY_CERT_SIGN in above.key_usages
    constraints = "cA TRUE" if above.is_authority else "no basicConstraints with cA TRUE"
    return (
        judge(AUTHORITY, label, above.is_authority, "path.not-authority", constraints, "cA TRUE"),
        judge(KEY_CERT_SIGN, label, may_sign, "path.key-cert-sign", usages, "keyCertSign"),
        hierarchy,
    )


def check_lengths(path: Path) -> Iterator[Check]:
    """Check the pathLenConstraint of every authority in a path against the number of authorities below it."""
    for below, authority in enumerate(path):
        certificate = authority.certificate
        limit = certificate.path_length if certificate else None
        seen = f"{below} below, pathLenConstraint {'none' if limit is None else limit}"
        holds = limit is None or below <= limit
        yield judge(LENGTH, authority.label, holds, "path.length", seen, f"at most {limit} authorities below it")


def check_contents(examined: Examined, policies: frozenset[bytes]) -> tuple[Check, ...]:
    """Check the content of a certificate in a path: accepted policy, no unknown critical extension.

    :param policies: the accepted certificatePolicies contents (DER).
    """
    certificate, label = examined.certificate, examined.label
    if certificate is None:
        return (not_reached(POLICY, label), not_reached(CRITICAL, label))
    policy = certificate.extension_values.get(Oid.CERTIFICATE_POLICIES, b"")
    unknown = ", ".join(examined.critical)
    return (
        held(POLICY, label, "of this environment") if policy in policies else _wrong_policy(label, policy, policies),
        judge(CRITICAL, label, not unknown, "path.critical-extension", unknown or "none", "none"),
    )


def _wrong_policy(label: str, policy: bytes, policies: Iterable[bytes]) -> Check:
    expected = " or ".join(sorted(item.hex() for item in policies))
    return not_held(POLICY, label, "path.policy", policy.hex() or "no policy", expected)


def check_end_entity(examined: Examined) -> Check:
    """Check that a certificate offered as an end entity's has no sign of being an authority's."""
    certificate, label = examined.certificate, examined.label
    if certificate is None:
        return not_reached(END_ENTITY, label)
    signs = examined.kind.is_authority or certificate.is_authority or KeyUsage.KEY_CERT_SIGN in certificate.key_usages
    return judge(END_ENTITY, label, not signs, "path.authority-offered", examined.kind.title, "an end entity")


def _hex(encoded: bytes | None) -> str:
    return encoded.hex().upper() if encoded is not None else "none"
