"""Access control: API keys for reading, if the operator requires them, and officers' tokens for acting."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Response, request

from smki.clock import RealClock
from smki.home.smki import Smki
from smki.identity import PartyId
from smki.ledger import CredentialKind, CredentialRecord
from smki.problem import Problem, SmkiError
from smki.remedies import Interface
from smki_repository.certificate_service import RETRIEVE, SEARCH, invalid_request
from smki_repository.options import ReadAccess
from smki_repository.problem_details import problem_details

ALWAYS_OPEN = ("/healthz", "/readyz")
"""Paths that need no credential: health checks, which disclose nothing else."""

CHALLENGE = 'Bearer realm="SMKI Repository"'
"""Value of the WWW-Authenticate header of a 401 response (RFC 6750)."""


class NotAdmitted(SmkiError):
    """Raised for a request without a valid credential: HTTP 401."""


@dataclass(frozen=True, slots=True)
class ActingOfficer:
    """The officer who makes a request."""

    party: str
    """ID of the Party or Testing Participant."""
    name: str


def admit_readers(app: Flask, smki: Smki, access: ReadAccess) -> None:
    """Require an API key or an officer's token with every request, unless reading is open.

    The key can be sent as ``Authorization: Bearer``, as ``X-API-Key`` or as the query parameter ``apikey``.
    """
    if access is ReadAccess.OPEN:
        return

    @app.before_request
    def admit() -> Response | None:
        if request.path in ALWAYS_OPEN:
            return None
        secret = _bearer() or request.headers.get("X-API-Key") or request.args.get("apikey") or ""
        try:
            _valid_credential(
                smki, secret, "an API key", "smki apikey add NAME makes one; send it as Authorization: Bearer."
            )
        except NotAdmitted as error:
            return not_admitted(smki, error)
        return None

    @app.after_request
    def keep_private(response: Response) -> Response:
        # What needs a key must not be given to others by a shared cache (RFC 9111 5.2.2.7).
        directives = [each.strip() for each in response.headers.get("Cache-Control", "no-store").split(",")]
        if "no-store" not in directives and "private" not in directives:
            response.headers["Cache-Control"] = ", ".join(
                ["private", *(each for each in directives if each != "public")]
            )
        return response


def acting_officer(smki: Smki) -> ActingOfficer:
    """Return the officer whose token was sent with the request (``Authorization: Bearer``).

    :raises NotAdmitted: if there is no token, or it is not valid, or the officer is no longer appointed.
    """
    remedy = "smki officer token --party PARTY makes one; send it as Authorization: Bearer."
    credential = _valid_credential(smki, _bearer() or "", "an officer's token", remedy)
    if credential.kind is not CredentialKind.OFFICER_TOKEN or credential.party is None:
        raise NotAdmitted(_problem("an API key, which is for reading only", "an officer's token", remedy))
    who = smki.ledger.register.registrant(PartyId.parse(credential.party))
    if who is None or credential.name not in [officer.name for officer in who.officers]:
        seen = f"{credential.name} is no longer an officer of {credential.party}"
        raise NotAdmitted(_problem(seen, "the token of an appointed officer", remedy))
    return ActingOfficer(credential.party, credential.name)


def not_admitted(smki: Smki, error: NotAdmitted) -> Response:
    """Return the response to a request without a valid credential, in the format of the service that was called."""
    if request.path in (SEARCH, RETRIEVE):
        response = invalid_request(smki, error.problems[0])
    elif request.path.startswith("/api/"):
        response = problem_details(error.problems, 401)
    else:
        response = Response(f"{error.text(Interface.REST)}\n", 401, mimetype="text/plain")
    response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def _bearer() -> str | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def _valid_credential(smki: Smki, secret: str, expected: str, remedy: str) -> CredentialRecord:
    if not secret:
        raise NotAdmitted(_problem("none was sent", expected, remedy))
    credential = smki.ledger.credentials.of(secret)
    if credential is None:
        raise NotAdmitted(_problem("an unknown one", expected, remedy))
    if not credential.is_valid_at(RealClock().now()):
        seen = "a revoked one" if credential.revoked is not None else "an expired one"
        raise NotAdmitted(_problem(seen, expected, remedy))
    return credential


def _problem(seen: str, expected: str, remedy: str) -> Problem:
    return Problem(code="access.refused", subject="credential", seen=seen, expected=expected, remedy=remedy)
