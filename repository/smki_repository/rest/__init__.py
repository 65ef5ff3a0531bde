"""The REST interface: JSON under ``/api/v1``, described by the OpenAPI document at ``/api/openapi.json``.

``operation`` defines what an operation is, and the module of each resource lists its operations as data. ``service``
creates the routes and ``openapi`` the document from the same data, so they cannot disagree.
"""

from smki_repository.rest.service import rest_service

__all__ = ["rest_service"]
