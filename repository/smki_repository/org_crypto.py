"""``/assets/crypto/org-crypto.zip``: Organisation Certificates with private keys that were made to be published."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request

from smki.clock import from_seconds
from smki.home.published_keys import PublishedKeys
from smki.home.smki import Smki
from smki.interchange import org_crypto_zip
from smki.problem import SmkiError, problem_text
from smki.remedies import Interface
from smki_repository.ranges import ignore_unknown_ranges

ORG_CRYPTO = "/assets/crypto/org-crypto.zip"
ZIP_TYPE = "application/zip"

_OFF = "this Repository publishes no private keys; smki serve --publish-test-keys serves those made to be published"
_NONE = "there are no keys to publish; smki demo z1 makes a set"


@dataclass(frozen=True, slots=True)
class _Archive:
    state: object
    content: bytes
    etag: str
    modified: datetime


def org_crypto(smki: Smki, *, publish_test_keys: bool) -> Blueprint:
    """Create the blueprint that serves the archive, or 404 with the reason if there is none.

    :param publish_test_keys: whether to serve the published keys of the SMKI. No other keys are ever served.
    """
    blueprint = Blueprint("org_crypto", __name__)
    blueprint.before_request(ignore_unknown_ranges)
    lock = threading.Lock()
    kept: list[_Archive] = []

    @blueprint.get(ORG_CRYPTO)
    def archive() -> Response:
        if not publish_test_keys:
            return Response(f"{_OFF}\n", 404, mimetype="text/plain")
        keys = smki.published_keys
        with lock:
            if not kept or kept[0].state != keys.state():
                kept[:] = [_make(keys)]
            found = kept[0]
        if not found.state:
            return Response(f"{_NONE}\n", 404, mimetype="text/plain")
        response = Response(found.content, mimetype=ZIP_TYPE)
        response.set_etag(found.etag)
        response.last_modified = found.modified
        # The keys behind this URL can change.
        response.headers["Cache-Control"] = "no-cache"
        response.make_conditional(request, accept_ranges=True, complete_length=len(found.content))
        return response

    @blueprint.errorhandler(SmkiError)
    def unavailable(error: SmkiError) -> Response:
        return Response(f"{problem_text(error.problems[0], Interface.REST)}\n", 503, mimetype="text/plain")

    return blueprint


def _make(keys: PublishedKeys) -> _Archive:
    state = keys.state()
    content = org_crypto_zip(keys.certificates())
    modified = max((changed for _, changed, _ in state), default=0) // 1_000_000_000
    return _Archive(state, content, hashlib.sha256(content).hexdigest()[:32], from_seconds(modified))
