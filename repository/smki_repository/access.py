"""Who may ask: reading with an API key where the operator wants one, acting with an officer's token always."""

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
"""What tells whether the server is well is told to everyone: it tells nothing else."""

CHALLENGE = 'Bearer realm="SMKI Repository"'
"""The WWW-Authenticate of an answer 401 (RFC 6750)."""


class NotAdmitted(SmkiError):
    """No credential came with the request, or one that does not count: HTTP 401."""


@dataclass(frozen=True, slots=True)
class ActingOfficer:
    """The officer who makes a request."""

    party: str
    """The id of the Party or Testing Participant."""
    name: str


def admit_readers(app: Flask, smki: Smki, access: ReadAccess) -> None:
    """Have the application ask every request for an API key or an officer's token, where that is wanted.

    The key may come as ``Authorization: Bearer``, as ``X-API-Key`` or as the query parameter ``apikey``.
    """
    if access is ReadAccess.OPEN:
        return

    @app.before_request
    def admit() -> Response | None:
        if request.path in ALWAYS_OPEN:
            return None
        secret = _bearer() or request.headers.get("X-API-Key") or request.args.get("apikey") or ""
        try:
            _counting(smki, secret, "an API key", "smki apikey add NAME makes one; send it as Authorization: Bearer.")
        except NotAdmitted as error:
            return not_admitted(smki, error)
        return None


def acting_officer(smki: Smki) -> ActingOfficer:
    """The officer whose token came with the request (``Authorization: Bearer``), while still appointed.

    :raises NotAdmitted: when there is none, or it does not count.
    """
    remedy = "smki officer token --party PARTY makes one; send it as Authorization: Bearer."
    credential = _counting(smki, _bearer() or "", "an officer's token", remedy)
    if credential.kind is not CredentialKind.OFFICER_TOKEN or credential.party is None:
        raise NotAdmitted(_problem("an API key, which only reads", "an officer's token", remedy))
    who = smki.ledger.register.registrant(PartyId.parse(credential.party))
    if who is None or credential.name not in [officer.name for officer in who.officers]:
        seen = f"{credential.name} is no officer of {credential.party} any more"
        raise NotAdmitted(_problem(seen, "the token of an officer who is appointed", remedy))
    return ActingOfficer(credential.party, credential.name)


def not_admitted(smki: Smki, error: NotAdmitted) -> Response:
    """The answer to a request that came without a credential that counts, in the form of the service it went to."""
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


def _counting(smki: Smki, secret: str, expected: str, remedy: str) -> CredentialRecord:
    if not secret:
        raise NotAdmitted(_problem("none came with it", expected, remedy))
    credential = smki.ledger.credentials.of(secret)
    if credential is None:
        raise NotAdmitted(_problem("one that nobody was given", expected, remedy))
    if not credential.is_valid_at(RealClock().now()):
        seen = "one that was revoked" if credential.revoked is not None else "one that has expired"
        raise NotAdmitted(_problem(seen, expected, remedy))
    return credential


def _problem(seen: str, expected: str, remedy: str) -> Problem:
    return Problem(code="access.refused", subject="credential", seen=seen, expected=expected, remedy=remedy)
