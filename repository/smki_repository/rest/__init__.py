"""The REST interface: JSON under ``/api/v1``, described by the OpenAPI document at ``/api/openapi.json``.

``operation`` says what an operation is; each module of a resource holds its operations as data; ``service`` makes routes
of them and ``openapi`` the document, so that one cannot differ from the other.
"""

from smki_repository.rest.service import rest_service

__all__ = ["rest_service"]
