"""What a certificate is called wherever it is shown: a Test Certificate, and its policy (SEC H14.11)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.der import DerError
from smki.pki.oid import Oid
from smki.pki.x509 import encode_extension
from smki.profile.check_extensions import policies_value
from smki.profile.tables import TEST_POLICY_OID

TEST_CERTIFICATE = "Test Certificate"

POLICY_NAMES = {TEST_POLICY_OID: "SMKI test certificate policy"}
"""The names of the policies that are known. The name is this project's own: no source names the policy."""


def policy_of(certificate: Certificate) -> str | None:
    """Return the object identifier of a certificate's policy, dotted; of several, the first; None if it cannot be read."""
    try:
        policies = der.read(certificate.extension_values[Oid.CERTIFICATE_POLICIES]).children()
        return der.decode_oid(policies[0].children()[0].content)
    except (KeyError, IndexError, DerError):
        return None


def policy_in(encoded: bytes) -> str | None:
    """Return the policy of a certificate issued here (DER), without reading all of it if it is a known one."""
    for dotted in POLICY_NAMES:
        if _policies_extension(dotted) in encoded:
            return dotted
    return policy_of(Certificate.from_der(encoded))


@lru_cache(maxsize=16)
def _policies_extension(dotted: str) -> bytes:
    return encode_extension(Oid.CERTIFICATE_POLICIES, policies_value(dotted), critical=True)


def designation_of(policy: str | None, *, issued_here: bool) -> dict[str, Any]:
    """Return the fields of a certificate that say what it is: ``designation``, ``policyOid``, ``policyName``.

    Everything issued here is a Test Certificate. Another certificate counts as one if its policy is known as a test policy;
    otherwise the designation is None.

    :param policy: the object identifier of its policy, dotted.
    """
    known = POLICY_NAMES.get(policy or "")
    return {
        "designation": TEST_CERTIFICATE if issued_here or known else None,
        "policyOid": policy,
        "policyName": known,
    }


def policy_text(policy: str | None) -> str:
    """Return ``policy 1.2.826.0.1.8641679.1.2.1.4 (SMKI test certificate policy)``."""
    if policy is None:
        return "no policy that can be read"
    name = POLICY_NAMES.get(policy)
    return f"policy {policy} ({name})" if name else f"policy {policy}"


def designation_text(fields: dict[str, Any]) -> str:
    """Return the fields of :func:`designation_of` as text: ``Test Certificate, policy 1.2.3 (…)``."""
    words = fields["designation"] or "not known to be a Test Certificate"
    return f"{words}, {policy_text(fields['policyOid'])}"
