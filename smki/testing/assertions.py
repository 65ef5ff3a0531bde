"""Assertions about certificates whose messages contain every finding of the lint and every check that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from typing import Protocol, runtime_checkable

from smki.clock import iso
from smki.pki.certificate import Certificate
from smki.pki.pem import decode_input
from smki.problem import NotFound, Problem, errors_among, finding_text, problem_text
from smki.profile.catalogue import CATALOGUE
from smki.profile.lint import lint_any
from smki.relying_party import Outcome, RelyingParty, Use, Verdict
from smki.relying_party.requirements import PROFILE, REMEDIES
from smki.testing.clock import moment_of
from smki.testing.credential import Credential
from smki.testing.defective import DefectiveCertificate
from smki.testing.reliance import relying_party as relying_party_of


@runtime_checkable
class HasCredentials(Protocol):
    """A Device, an Organisation or the DCC: an assertion about it is one about each of its certificates."""

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """Its certificates with their keys."""


Judged = Credential | Certificate | DefectiveCertificate | HasCredentials | bytes | str
"""The objects that the assertions accept; bytes and text are a certificate in DER, PEM, base64 or hexadecimal."""


def assert_conformant(
    certificate: Judged, *, kind: str | None = None, issuer: Certificate | Credential | bytes | None = None
) -> None:
    """Assert that a certificate conforms to its profile: the lint has no finding at error or above.

    :param certificate: a certificate, certification request or revocation list.
    :param kind: the profile, as ``smki profile list`` names it; by default detected from the contents.
    :param issuer: the issuer's certificate, to check issuer name, key identifier and signature. By default that of the
        SMKI that issued the certificate, if it is a credential.
    :raises AssertionError: with every finding.
    """
    __tracebackhide__ = True
    for item in _each(certificate):
        above = _issuer(item) if issuer is None else Certificate.from_der(_der_of(issuer))
        linted = lint_any(_der_of(item), kind=kind, issuer=above)
        errors = errors_among(linted.findings)
        if errors:
            lines = [f"{_name(item)}: does not conform to the profile of {linted.title}:"]
            raise AssertionError("\n  ".join(lines + [finding_text(finding) for finding in linted.findings]))


def assert_trusted(
    certificate: Judged,
    *,
    for_: Use | str | None = None,
    at: date | str | None = None,
    by: RelyingParty | None = None,
    chain: Iterable[Certificate | bytes] = (),
) -> Verdict:
    """Assert that a Relying Party may rely on a certificate (SEC L12).

    :param for_: the use to rely on it for: ``supplier/ds``, ``device/ka``; None for any.
    :param at: the time of validation (UTC; a datetime, a date or ISO 8601); None for the present time of the Relying
        Party.
    :param by: the Relying Party; by default one that trusts the SMKI that issued the certificate.
    :param chain: further certificates of authorities, in any order.
    :returns: the verdict (for a Device or Organisation, that on its last certificate).
    :raises AssertionError: with the reason, and every check that failed.
    :raises TypeError: when the object is not a certificate, or nothing says which Relying Party to ask.
    """
    __tracebackhide__ = True
    verdict = None
    for item in _each(certificate):
        verdict = _judge(item, for_, at, by, chain)
        if not verdict.trusted:
            reason = verdict.reason
            text = problem_text(reason) if reason is not None else "not every check was made"
            raise AssertionError(f"{_subject(item, verdict)} is not trusted:\n  {text}\n{_checks_text(verdict)}")
    assert verdict is not None, "nothing to judge"
    return verdict


def assert_refused(
    certificate: Judged,
    code: str | None = None,
    *,
    for_: Use | str | None = None,
    at: date | str | None = None,
    by: RelyingParty | None = None,
    chain: Iterable[Certificate | bytes] = (),
) -> Verdict:
    """Assert that a Relying Party refuses a certificate (SEC L12), for the reason expected.

    :param code: the code of the expected reason: ``revocation.revoked``, ``time.expired``, ``profile``; or, where the
        reason is ``profile``, of a finding of the lint: ``public-key.curve``. By default any reason, and for a defect of
        the catalogue the reason given there.
    :param for_: see :func:`assert_trusted`, also for *at*, *by* and *chain*.
    :returns: the verdict (for a Device or Organisation, that on its last certificate).
    :raises AssertionError: when it is trusted, or refused for another reason; with the reason, and every check that
        failed.
    :raises NotFound: when there is no such code.
    """
    __tracebackhide__ = True
    _check_code(code)
    verdict = None
    for item in _each(certificate):
        verdict = _judge(item, for_, at, by, chain)
        wanted = item.expected if code is None and isinstance(item, DefectiveCertificate) else code
        reason = verdict.reason
        seen = reason.code if reason is not None else ("trusted" if verdict.trusted else "not every check was made")
        if verdict.trusted or (wanted is not None and wanted != seen and not _found(item, verdict, wanted)):
            why = f"\n  {problem_text(reason)}" if reason is not None else ""
            lines = f"{_subject(item, verdict)}: {seen}, expected a refusal{f' for {wanted}' if wanted else ''}{why}"
            raise AssertionError(f"{lines}\n{_checks_text(verdict)}")
    assert verdict is not None, "nothing to judge"
    return verdict


def _check_code(code: str | None) -> None:
    if code is not None and code not in REMEDIES and code not in CATALOGUE:
        alike = get_close_matches(code, [*REMEDIES, *CATALOGUE])
        remedy = f"Did you mean {' or '.join(alike)}?" if alike else f"Use one of: {', '.join(REMEDIES)}."
        expected = "a reason of a Relying Party or a finding of the lint"
        raise NotFound(
            Problem(code="refusal.unknown", subject="code", seen=f"{code!r}"[:64], expected=expected, remedy=remedy)
        )


def _found(item: Credential | Certificate | DefectiveCertificate | bytes, verdict: Verdict, code: str) -> bool:
    """Return whether it is refused because of its profile, and the lint has the finding *code*."""
    if code not in CATALOGUE or verdict.reason is None or verdict.reason.code != PROFILE.name:
        return False
    return code in {finding.code for finding in lint_any(_der_of(item), issuer=_issuer(item)).findings}


def _each(certificate: Judged) -> Iterator[Credential | Certificate | DefectiveCertificate | bytes]:
    if isinstance(certificate, HasCredentials):
        yield from certificate.credentials
    elif isinstance(certificate, str):
        yield _decoded(certificate.encode())
    elif isinstance(certificate, bytes):
        # A defect may be such that the certificate cannot be decoded: DER is passed on unchanged.
        yield certificate if certificate[:1] == b"\x30" else _decoded(certificate)
    elif isinstance(certificate, Credential | Certificate | DefectiveCertificate):
        yield certificate
    else:
        raise TypeError(
            f"{type(certificate).__name__} is not a certificate: pass a credential, a Device, an Organisation, the DCC, "
            "a defect, or a certificate, also as DER, PEM, base64 or hexadecimal"
        )


def _decoded(text: bytes) -> bytes:
    return decode_input(text, "certificate")[0].der


def _der_of(item: Credential | Certificate | DefectiveCertificate | bytes) -> bytes:
    if isinstance(item, bytes):
        return item
    return item.encoded if isinstance(item, DefectiveCertificate) else item.der


def _issuer(item: Credential | Certificate | DefectiveCertificate | bytes) -> Certificate | None:
    if isinstance(item, DefectiveCertificate):
        return Certificate.from_der(item.issuer) if item.issuer else None
    if not isinstance(item, Credential):
        return None
    record = item.smki.ledger.certificate(item.serial_number)
    above = next(item.smki.chain(record), None) if record is not None else None
    return above.certificate if above is not None else None


def _judge(
    item: Credential | Certificate | DefectiveCertificate | bytes,
    for_: Use | str | None,
    at: date | str | None,
    by: RelyingParty | None,
    chain: Iterable[Certificate | bytes],
) -> Verdict:
    moment = moment_of(at) if at is not None else None
    if isinstance(item, DefectiveCertificate):
        party = by or item.relying_party()
        return party.verify(item.certificate, for_=for_ or item.use, at=moment or item.moment, chain=chain)
    if by is None:
        if not isinstance(item, Credential):
            raise TypeError(
                "pass by=relying_party: the Relying Party is known only for a credential, a Device or an Organisation"
            )
        by = relying_party_of(item.smki)
    return by.verify(item if isinstance(item, bytes) else item.der, for_=for_, at=moment, chain=chain)


def _name(item: Credential | Certificate | DefectiveCertificate | bytes) -> str:
    if isinstance(item, bytes):
        return f"{len(item)} bytes"
    if isinstance(item, DefectiveCertificate):
        return item.name
    return f"certificate {item.serial_number}"


def _subject(item: object, verdict: Verdict) -> str:
    name = f"{item.name} ({verdict.label})" if isinstance(item, DefectiveCertificate) else verdict.label
    return f"{name} at {iso(verdict.moment)}{f' for {verdict.purpose}' if verdict.purpose else ''}"


def _checks_text(verdict: Verdict) -> str:
    """Return the checks of a verdict as text: the numbers for each step, and every check that failed."""
    counts = Counter((check.requirement.step, check.outcome.value) for check in verdict.checks)
    steps = {step: f"{step}: " for step, _ in counts}
    for (step, outcome), count in counts.items():
        steps[step] += f"{'' if steps[step].endswith(': ') else ', '}{count} {outcome}"
    lines = [f"  checks of {'; '.join(steps.values())}"]
    for check in verdict.checks:
        if check.outcome in (Outcome.NOT_HELD, Outcome.NOT_REACHED):
            expected = f"; expected {check.expected}" if check.expected else ""
            seen = f": {check.seen}{expected}" if check.seen else ""
            row = check.requirement
            lines.append(f"    {check.outcome.value}: {row.title} ({row.clause}), {check.certificate}{seen}")
    return "\n".join(lines)
