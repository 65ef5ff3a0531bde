"""The verdicts of a Relying Party (SEC L12), by the check that fails first, and those of OpenSSL."""

from __future__ import annotations

import enum


class Expected(enum.Enum):
    """The expected verdict on the certificate that is presented: the code of the reason not to trust it, or one of
    ``trusted`` and ``not-applicable``."""

    TRUSTED = ("trusted", 0)
    """Allowed: at most a warning of the lint."""
    PROFILE = ("profile", 1)
    """A certificate of the path is not DER or breaks its profile."""
    ISSUER_UNKNOWN = ("path.issuer-unknown", 2)
    """No certificate has the issuer's name, byte for byte, as its subject."""
    KEY_IDENTIFIER = ("path.key-identifier", 2)
    """authorityKeyIdentifier is not the issuer's subjectKeyIdentifier."""
    SIGNATURE = ("path.signature", 2)
    """The issuer's key did not make the signature."""
    PATH_LENGTH = ("path.length", 2)
    """There are more authorities below one than its pathLenConstraint allows."""
    POLICY = ("path.policy", 2)
    """The policy is not the environment's."""
    AUTHORITY_OFFERED = ("path.authority-offered", 2)
    """An authority's certificate where an end entity's was asked for."""
    NOT_YET_VALID = ("time.not-yet-valid", 3)
    EXPIRED = ("time.expired", 3)
    LIST_PROFILE = ("revocation.list-profile", 4)
    """The revocation list is not DER or breaks its profile."""
    LIST_ISSUER = ("revocation.list-issuer", 4)
    """The list is not by the authority that issued the certificate."""
    LIST_SIGNATURE = ("revocation.list-signature", 4)
    LIST_NOT_YET = ("revocation.list-not-yet-current", 4)
    LIST_OVERDUE = ("revocation.list-overdue", 4)
    REVOKED = ("revocation.revoked", 4)
    USE_ROLE = ("use.role", 6)
    """Its Remote Party Role is not the one that it is to be relied on for."""
    USE_KEY_USAGE = ("use.key-usage", 6)
    """Its key usage is not the one that it is to be relied on for."""
    NOT_APPLICABLE = ("not-applicable", 0)
    """A certification request, which nobody relies on: registration refuses it."""

    def __init__(self, code: str, check: int) -> None:
        self.code = code
        self.check = check
        """The number of the Relying Party's check that fails; 0 for none."""


class Openssl(enum.Enum):
    """The result of OpenSSL 3.0 on the command line: measured, not derived."""

    CANNOT_PARSE = "cannot-parse"
    """``openssl x509``, ``req`` or ``crl`` cannot read it."""
    SEES = "sees"
    """It reads it, and ``openssl verify -x509_strict -policy_check`` (``-crl_check_all`` where there are lists), or
    ``openssl req -verify``, fails."""
    BLIND = "blind"
    """It reads it and finds nothing wrong."""
