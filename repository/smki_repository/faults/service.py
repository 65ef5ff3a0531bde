"""The service at ``/faults`` to set, list and clear faults in JSON. Errors are problem details (RFC 9457)."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from smki.problem import Malformed, NotFound, Problem, SmkiError
from smki_repository.faults.fault import Fault, FaultKind
from smki_repository.faults.register import Faults
from smki_repository.json_body import read_json
from smki_repository.problem_details import problem_details

FAULTS = "/faults"
_MAX_ID = 2**63 - 1


def faults_service(faults: Faults) -> Blueprint:
    """Create the blueprint: GET lists faults, POST sets one, DELETE clears one or all."""
    blueprint = Blueprint("faults", __name__)

    @blueprint.get(FAULTS)
    def list_() -> Response:
        return jsonify({"faults": [one.as_json() for one in faults.all()], "kinds": list(FaultKind)})

    @blueprint.post(FAULTS)
    def set_() -> tuple[Response, int, dict[str, str]]:
        # A browser sends JSON to another site only after a CORS preflight, which this server does not grant, so no web
        # page can set a fault.
        if request.mimetype != "application/json":
            seen = request.mimetype[:64] or "no content type"
            raise Malformed(
                Problem(code="fault.content-type", subject="request", seen=seen, expected="application/json")
            )
        try:
            body = read_json(request.get_data())
        except (ValueError, RecursionError):
            body = None
        one = faults.set(Fault.from_json(body))
        return jsonify(one.as_json()), 201, {"Location": f"{request.script_root}{FAULTS}/{one.id}"}

    @blueprint.delete(FAULTS)
    def clear() -> tuple[str, int]:
        faults.clear()
        return "", 204

    @blueprint.get(f"{FAULTS}/<int:fault_id>")
    def one(fault_id: int) -> Response:
        return jsonify(faults.get(min(fault_id, _MAX_ID)).as_json())

    @blueprint.delete(f"{FAULTS}/<int:fault_id>")
    def clear_one(fault_id: int) -> tuple[str, int]:
        faults.clear(min(fault_id, _MAX_ID))
        return "", 204

    @blueprint.errorhandler(SmkiError)
    def refused(error: SmkiError) -> Response:
        first = error.problems[0]
        status = 404 if isinstance(error, NotFound) else 415 if first.code == "fault.content-type" else 400
        return problem_details(error.problems, status)

    return blueprint
