"""Extracts over HTTP: the list of extracts, and their files with range requests, so that downloads can be resumed."""

from __future__ import annotations

import json

from flask import Blueprint, Response, render_template, request, send_file
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from smki.home.smki import Smki
from smki.interchange.extracts.manifest import EXTRACT_SUFFIX, MANIFEST_SUFFIX, NAME, Extract, read_extract
from smki.problem import NotFound, SmkiError
from smki_repository.ranges import ignore_unknown_ranges

EXTRACT_TYPE = "application/jsonl"
MANIFEST_TYPE = "application/json"
IMMUTABLE_SECONDS = 365 * 86_400


def extracts(smki: Smki) -> Blueprint:
    """Create the blueprint of ``/extracts/``.

    ``/extracts/`` lists the extracts, as HTML or JSON according to ``Accept``; ``/extracts/NAME.jsonl`` and
    ``/extracts/NAME.manifest.json`` are the files. Both support GET and HEAD with ETag, Last-Modified, conditional
    requests and ranges (RFC 9110 13 and 14).
    """
    blueprint = Blueprint("extracts", __name__)
    blueprint.before_request(ignore_unknown_ranges)

    @blueprint.get("/extracts/")
    def index() -> Response:
        found = smki.extracts.all()
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            response = Response(render_template("extracts.html", extracts=found), mimetype="text/html")
        else:
            values = [_with_links(extract) for extract in found]
            response = Response(_json({"extracts": values}), mimetype="application/json")
        response.headers["Vary"] = "Accept"
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    @blueprint.get("/extracts/<string:file>")
    def download(file: str) -> Response:
        is_manifest = file.endswith(MANIFEST_SUFFIX)
        name = file.removesuffix(MANIFEST_SUFFIX if is_manifest else EXTRACT_SUFFIX)
        if name == file or not NAME.match(name):
            return _missing()
        try:
            extract = read_extract(smki.extracts.directory / f"{name}{EXTRACT_SUFFIX}")
        except NotFound:
            return _missing()
        return _file(extract, is_manifest=is_manifest)

    @blueprint.errorhandler(RequestedRangeNotSatisfiable)
    def not_satisfiable(error: RequestedRangeNotSatisfiable) -> Response:
        response = Response(f"the file has {error.length} bytes\n", 416, mimetype="text/plain")
        response.headers["Content-Range"] = f"bytes */{error.length}"
        return response

    @blueprint.errorhandler(SmkiError)
    def unreadable(error: SmkiError) -> Response:
        return Response(f"{error.problems[0].code}: the extracts cannot be read now\n", 503, mimetype="text/plain")

    return blueprint


def _file(extract: Extract, *, is_manifest: bool) -> Response:
    response = send_file(
        extract.manifest_path if is_manifest else extract.path,
        mimetype=MANIFEST_TYPE if is_manifest else EXTRACT_TYPE,
        conditional=True,
        etag=f"{extract.contents.sha256}{'-manifest' if is_manifest else ''}",
        max_age=IMMUTABLE_SECONDS,
    )
    response.headers["Accept-Ranges"] = "bytes"
    response.cache_control.immutable = True
    return response


def _with_links(extract: Extract) -> dict[str, object]:
    links = {"href": f"{extract.name}{EXTRACT_SUFFIX}", "manifest": f"{extract.name}{MANIFEST_SUFFIX}"}
    return extract.as_json() | links


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def _missing() -> Response:
    return Response("no such extract; see /extracts/ for a list\n", 404, mimetype="text/plain")
