"""Questions about eligibility over HTTP: JSON in, the decision with all its reasons out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from repository.problem_details import problem_details
from smki.device import DeviceType
from smki.home import Smki
from smki.identity import EntityIdentifier
from smki.ledger import LedgerUnavailable
from smki.party import parse_day
from smki.problem import Malformed, Problem, SmkiError
from smki.role import KeyUsage, RemotePartyRole

ORGANISATION = "/api/v1/eligibility/organisation"
DEVICE = "/api/v1/eligibility/device"
_COMMON = ("entityIdentifier", "applicant", "officer", "onBehalfOf", "asOf")
_FIELDS = {ORGANISATION: (*_COMMON, "role", "usage"), DEVICE: (*_COMMON, "deviceType")}


def eligibility_service(smki: Smki) -> Blueprint:
    """The two questions, about an open SMKI. HTTP 200 with the decision, 400 for a question that makes no sense."""
    blueprint = Blueprint("eligibility_service", __name__)

    @blueprint.post(ORGANISATION)
    def organisation() -> Response:
        fields = _fields(ORGANISATION, ("entityIdentifier", "role"))
        decision = smki.inquiry.organisation(
            EntityIdentifier.parse(fields["entityIdentifier"]),
            RemotePartyRole.parse(fields["role"]),
            KeyUsage.parse(fields.get("usage", "ds")),
            **_who(fields),
        )
        return jsonify(decision.as_json())

    @blueprint.post(DEVICE)
    def device() -> Response:
        fields = _fields(DEVICE, ("entityIdentifier",))
        device_type = DeviceType.parse(fields["deviceType"]) if "deviceType" in fields else None
        entity = EntityIdentifier.parse(fields["entityIdentifier"])
        return jsonify(smki.inquiry.device(entity, device_type, **_who(fields)).as_json())

    @blueprint.errorhandler(SmkiError)
    def no_question(error: SmkiError) -> Response:
        status = 503 if isinstance(error, LedgerUnavailable) else 400
        return problem_details(error.problems, status)

    return blueprint


def _fields(path: str, required: tuple[str, ...]) -> dict[str, str]:
    body = request.get_json(force=True, silent=True)
    allowed = ", ".join(_FIELDS[path])
    if not isinstance(body, dict):
        raise Malformed(
            Problem("question.malformed", "request body", "no JSON object", f"a JSON object of {allowed}", "RFC 8259")
        )
    for name, value in body.items():
        if name not in _FIELDS[path]:
            raise Malformed(Problem("question.field", "request body", f"field {name[:64]!r}", f"only {allowed}"))
        if not isinstance(value, str):
            raise Malformed(Problem("question.field", name, f"{value!r}"[:64], "text"))
    for name in required:
        if name not in body:
            raise Malformed(
                Problem("question.field-missing", "request body", f"no {name}", f"{', '.join(required)} at least")
            )
    return body


def _who(fields: dict[str, str]) -> dict[str, Any]:
    return {
        "applicant": fields.get("applicant", ""),
        "officer": fields.get("officer", ""),
        "on_behalf_of": fields.get("onBehalfOf", ""),
        "as_of": parse_day(fields["asOf"]) if "asOf" in fields else None,
    }
