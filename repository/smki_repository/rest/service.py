"""The routes of the REST interface, generated from its operations."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, request

from smki.home.smki import Smki
from smki.pki.template import CertificateReader
from smki.problem import SmkiError
from smki_repository.access import NotAdmitted, acting_officer, not_admitted
from smki_repository.problem_details import problem_details
from smki_repository.rest import (
    administration,
    applications,
    certificates,
    credentials,
    devices,
    events,
    inventory,
    lists,
    participation,
    parties,
    questions,
    register,
)
from smki_repository.rest.negotiation import JSON, answer, encoded_json
from smki_repository.rest.openapi import document
from smki_repository.rest.operation import Call, Operation, read_body, read_query, read_value
from smki_repository.rest.reader import page_of
from smki_repository.rest.refusals import status_of

API = "/api/v1"
DOCUMENT = "/api/openapi.json"
READER = "/api/docs"

OPERATIONS: tuple[Operation, ...] = (
    *certificates.OPERATIONS,
    *register.OPERATIONS,
    *parties.OPERATIONS,
    *participation.OPERATIONS,
    *devices.OPERATIONS,
    *inventory.OPERATIONS,
    *credentials.OPERATIONS,
    *events.OPERATIONS,
    *lists.OPERATIONS,
    *applications.OPERATIONS,
    *questions.OPERATIONS,
    *administration.OPERATIONS,
)


def rest_service(smki: Smki) -> Blueprint:
    """Create the blueprint of the operations, the OpenAPI document and its HTML page."""
    blueprint = Blueprint("rest", __name__)
    reader = CertificateReader()
    for operation in OPERATIONS:
        route = f"{API}{operation.path}".replace("{", "<").replace("}", ">")
        blueprint.add_url_rule(route, operation.name, _view(smki, operation, reader), methods=[operation.method])

    @blueprint.get(DOCUMENT)
    def openapi() -> Response:
        return answer(_document(request.script_root), JSON)

    @blueprint.get(READER)
    def docs() -> Response:
        return answer(
            page_of(OPERATIONS, request.script_root, request.host_url.rstrip("/")), "text/html; charset=utf-8"
        )

    return blueprint


@lru_cache(maxsize=4)
def _document(script_root: str) -> bytes:
    """Return the OpenAPI document, which takes longer to make than most requests to answer."""
    return encoded_json(document(OPERATIONS, f"{script_root}{API}"))


def _view(smki: Smki, operation: Operation, reader: CertificateReader) -> Callable[..., Response]:
    path_parameters = operation.path_parameters

    def view(**texts: Any) -> Response:
        call = Call(smki, operation, reader)
        try:
            if operation.for_officers:
                call.officer = acting_officer(smki)
            for parameter in path_parameters:
                call.values[parameter.name] = read_value(parameter, texts[parameter.name])
            read_query(operation, call.values)
            if operation.body:
                read_body(operation, call)
            return operation.handle(call)
        except NotAdmitted as error:
            return not_admitted(smki, error)
        except SmkiError as error:
            return problem_details(error.problems, status_of(error))

    return view
