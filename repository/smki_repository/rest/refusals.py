"""The HTTP status of each error, by its class and, for some classes, by its code."""

from __future__ import annotations

from collections.abc import Callable

from smki.eligibility import DecisionOutcome
from smki.eligibility.refusals import REASONS
from smki.ledger import Conflict, LedgerUnavailable
from smki.problem import IntegrityError, Malformed, NotFound, NotReady, SmkiError
from smki.registration import Refused
from smki.registration.acceptance import NotAcceptable
from smki.registration.authorisation import NotAuthorised
from smki.registration.comparison import NotComparable
from smki.registration.inventory import NotToBeAdded
from smki.registration.officers import NotYours
from smki.registration.revocation import AlreadyRevoked, NotRevocable
from smki.registration.who_and_what import CannotBeJudged
from smki.sec.device import StatusNotAllowed
from smki_repository.access import NotAdmitted
from smki_repository.rest.negotiation import NotAcceptableHere
from smki_repository.rest.operation import UnsupportedBody

_OUTCOMES = {
    DecisionOutcome.INELIGIBLE: 403,
    DecisionOutcome.ANOMALY: 409,
    DecisionOutcome.UNKNOWN_DEVICE: 409,
}


def _refused(error: SmkiError) -> int:
    if error.code == "application.overtaken":
        return 409
    reason = REASONS.get(error.code)
    return _OUTCOMES[reason.outcome] if reason is not None else 422


_CONTRADICTIONS = frozenset(
    {"party", "device", "officer", "credential", "quota", "authority", "change", "clock", "question", "setting"}
)
"""First parts of the codes of values that are well formed but contradict each other or the state of the register."""

_OF_TESTS = frozenset({"test.repeated", "test.on-behalf-of"})


def _malformed(error: SmkiError) -> int:
    return 422 if error.code.partition(".")[0] in _CONTRADICTIONS or error.code in _OF_TESTS else 400


def _by_code(other: int, **statuses: int) -> Callable[[SmkiError], int]:
    """Return a function that looks up the status of an error by its code, with _ for dots and hyphens, else *other*."""
    return lambda error: statuses.get(error.code.replace(".", "_").replace("-", "_"), other)


STATUSES: tuple[tuple[type[SmkiError], int | Callable[[SmkiError], int]], ...] = (
    (NotAdmitted, 401),
    (NotYours, 403),
    (NotAuthorised, 403),
    (NotAcceptableHere, 406),
    (UnsupportedBody, 415),
    (Malformed, _malformed),
    (NotFound, 404),
    (Conflict, 409),
    (StatusNotAllowed, 409),
    (NotReady, 409),
    # The request is well formed, but refused.
    (CannotBeJudged, 422),
    (Refused, _refused),
    (NotToBeAdded, _refused),
    (NotComparable, _by_code(409, certificate_unknown=404)),
    (NotAcceptable, _by_code(409, certificate_unknown=404)),
    (AlreadyRevoked, 409),
    (NotRevocable, _by_code(409, certificate_unknown=404, revocation_not_yours=403, revocation_delay=403)),
    (LedgerUnavailable, 503),
    # The home itself is not in order, for instance the private key of an authority cannot be used.
    (IntegrityError, 503),
)
"""Error classes and their status; the first match applies. 400: the request does not conform to the OpenAPI document. 403:
the requester may not do this. 404: not found. 409: not possible in the current state. 422: well formed, but refused by the
Code or the profile."""


def status_of(error: SmkiError) -> int:
    """Return the HTTP status (RFC 9110 15) of an error."""
    for kind, status in STATUSES:
        if isinstance(error, kind):
            return status if isinstance(status, int) else status(error)
    return 500
