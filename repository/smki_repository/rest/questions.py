"""Questions that change nothing: who may subscribe, what is wrong with it, may it be relied on, how much is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Response, current_app

from smki.clock import iso, to_seconds
from smki.ledger.records import Statistics
from smki.pki.pem import read_pieces
from smki.problem import Malformed, NotFound, Problem
from smki.profile.detect import split
from smki.profile.lint import lint_any
from smki.profile.tables import ALL_PROFILES
from smki.registration.inquiry import CannotBeJudged
from smki.relying_party.use import Use
from smki.remedies import Interface
from smki.sec.role import KeyUsage, RemotePartyRole
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import CRL, DER, JSON, PEM, answer_json, wanted_form
from smki_repository.rest.operation import Answer, Call, JsonBody, OctetsBody, Operation, Parameter, schema_ref
from smki_repository.rest.reliance import Reliance

LINTED_BYTES = 1024 * 1024
"""What a body for the lint may have: a revocation list of some 25,000 entries."""

MAX_OBJECTS = 1000
"""So many objects are linted or verified in one request."""

STATISTICS_SECONDS = 10
"""For so long statistics are told again without being made anew."""

INPUT_TYPES = ("application/octet-stream", PEM, DER, CRL, "application/pkcs10", "text/plain")


def _objects(call: Call) -> Iterator[bytes]:
    """The DER of every object in the body.

    :raises CannotBeJudged: where there is none that could be read, or more than MAX_OBJECTS.
    """
    number = 0
    for piece in read_pieces(call.encoded, "body"):
        if isinstance(piece, Malformed):
            raise CannotBeJudged(*piece.problems)
        for encoded in split(piece.der):
            number += 1
            if number > MAX_OBJECTS:
                raise CannotBeJudged(
                    Problem(
                        code="input.several",
                        subject="body",
                        seen=f"more than {MAX_OBJECTS} objects",
                        expected="fewer at a time",
                    )
                )
            yield encoded


def _lint(call: Call) -> Response:
    wanted_form(JSON)
    issuer = None
    if (number := call.get("issuer")) is not None:
        record = call.smki.ledger.certificate(number)
        if record is None:
            raise NotFound(
                Problem(
                    code="certificate.unknown",
                    subject=f"certificate {number}",
                    seen="not in the ledger",
                    expected="the issuer",
                )
            )
        issuer = record.certificate
    objects = []
    for at, encoded in enumerate(_objects(call), 1):
        result = lint_any(encoded, kind=call.get("kind"), issuer=issuer)
        findings = [finding.as_json() for finding in result.findings]
        told = {"object": at, "shape": result.shape.value, "kind": result.kind, "title": result.title}
        objects.append({**told, "findings": findings})
    return answer_json({"objects": objects}, "no-store")


def _verify(call: Call) -> Response:
    wanted_form(JSON)
    party = current_app.extensions.setdefault("smki.reliance", Reliance(call.smki)).party()
    moment = call.get("at") or call.smki.clock.now()
    wanted = {"for_": call.get("for"), "entity": call.get("entity"), "at": moment}
    verdicts = [party.verify(encoded, **wanted).as_json(Interface.REST) for encoded in _objects(call)]
    return answer_json({"verdicts": verdicts}, "no-store")


def _organisation(call: Call) -> Response:
    wanted_form(JSON)
    usage = call.get("usage") or KeyUsage.DIGITAL_SIGNATURE
    decision = call.smki.inquiry.organisation(call.values["entityIdentifier"], call.values["role"], usage, **_who(call))
    return answer_json(decision.as_json(Interface.REST), "no-store")


def _device(call: Call) -> Response:
    wanted_form(JSON)
    decision = call.smki.inquiry.device(call.values["entityIdentifier"], call.get("deviceType"), **_who(call))
    return answer_json(decision.as_json(Interface.REST), "no-store")


def _who(call: Call) -> dict[str, Any]:
    return {
        "applicant": call.get("applicant") or "",
        "officer": call.get("officer") or "",
        "on_behalf_of": str(call.get("onBehalfOf") or ""),
        "as_of": call.get("asOf"),
    }


class _Kept:
    """The latest statistics, shared by the threads of an application."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: tuple[datetime, Statistics] | None = None

    def at(self, call: Call) -> tuple[datetime, Statistics]:
        now = call.smki.clock.now()
        with self._lock:
            latest = self._latest
            if latest is None or not 0 <= (now - latest[0]).total_seconds() < STATISTICS_SECONDS:
                latest = self._latest = now, call.smki.ledger.search.statistics(to_seconds(now))
        return latest


def _statistics(call: Call) -> Response:
    wanted_form(JSON)
    kept: _Kept = current_app.extensions.setdefault("smki.statistics", _Kept())
    moment, statistics = kept.at(call)
    certificates = [
        {
            "kind": group.kind.value,
            "role": group.role.label if group.role else None,
            "usage": group.usage.code if group.usage else None,
            "status": group.status.value,
            "count": number,
        }
        for group, number in statistics.certificates.items()
    ]
    applications = [
        {"kind": group.kind.value, "granted": group.granted, "count": number}
        for group, number in statistics.applications.items()
    ]
    body = {"asOf": iso(moment), "certificates": certificates, "applications": applications}
    return answer_json(body, f"max-age={STATISTICS_SECONDS}")


def _read_use(text: str) -> Use:
    if text in _USES:
        return Use.parse(text)
    raise Malformed(
        Problem(
            code="use.malformed",
            subject="",
            seen=f"{text[:64]!r}",
            expected="ROLE, ROLE/USAGE, /USAGE, device or device/USAGE",
        )
    )


_USES = [
    *(
        f"{word}{usage}"
        for word in (*(role.label for role in RemotePartyRole), "device")
        for usage in ("", "/ds", "/ka")
    ),
    "/ds",
    "/ka",
]
_USE = Parameter(
    "for",
    {"type": "string", "enum": _USES},
    "What it is to be relied on for; whatever it is where left out.",
    _read_use,
)
_PROFILE = given.choice(
    "kind", ALL_PROFILES, "What it is to be, by the name of its profile; judged by itself otherwise."
)
_WHO = (
    given.free_text(
        "applicant", "Who applies: the id of a Party or Testing Participant. By default the one whose business it is."
    ),
    given.free_text("officer", "The officer who applies; by default the applicant's first."),
    given.party_id("onBehalfOf", "The User for which a Shared Resource applies."),
    given.day("asOf", "The day asked about; today by default."),
)
_ENTITY = given.entity_identifier("entityIdentifier", "For whom or what the certificate is to be.", required=True)
_TAG = "Questions"
_DECISION = Answer("The decision, with every provision that had a say in it.", {JSON: schema_ref("Decision")})

OPERATIONS = (
    Operation("POST", "/eligibility/organisation", "askOrganisation", _TAG, "Who may subscribe for an Organisation Certificate",
              _organisation, _DECISION, (), (JsonBody((_ENTITY, given.role(required=True), given.usage(), *_WHO)),),
              errors=(406, 422)),
    Operation("POST", "/eligibility/device", "askDevice", _TAG, "Who may subscribe for a Device Certificate", _device, _DECISION,
              (), (JsonBody((_ENTITY, given.device_type(), *_WHO)),), errors=(406, 422)),
    Operation(
        "POST", "/lint", "lint", _TAG, "What is wrong with certificates, requests or revocation lists", _lint,
        Answer("What was found in each object of the body.", {JSON: schema_ref("Linted")}),
        (_PROFILE, given.serial("issuer", "Serial number of the issuer's certificate: its name, key and signature are then "
                                "checked too.")),
        (OctetsBody(INPUT_TYPES, LINTED_BYTES),), errors=(404, 406, 422),
        description="The body is one object or several, in PEM, DER, base64 or hexadecimal.",
    ),
    Operation(
        "POST", "/verify", "verify", _TAG, "Whether certificates may be relied on", _verify,
        Answer("A verdict with every check for each certificate of the body (SEC L12), by the authorities and the latest lists "
               "of this SMKI.", {JSON: schema_ref("Verdicts")}),
        (_USE, given.entity_identifier("entity", "Whose it is to be: an Organisation's or a Device's; anybody's by default."),
         given.moment("at", "The moment asked about; now by default.")),
        (OctetsBody(INPUT_TYPES, LINTED_BYTES),), errors=(406, 422),
    ),
    Operation("GET", "/statistics", "getStatistics", _TAG, "How much there is", _statistics,
              Answer("Certificates by kind, role, usage and status, applications by kind and outcome; at most "
                     f"{STATISTICS_SECONDS} seconds old.", {JSON: schema_ref("Statistics")}, ("ETag",)),
              errors=(406,)),
)  # fmt: skip
