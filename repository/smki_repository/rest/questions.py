"""Read-only services: eligibility decisions, lint, verification and statistics."""

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
from smki.registration.who_and_what import CannotBeJudged, Supposing
from smki.relying_party.use import Use
from smki.remedies import Interface
from smki.sec.device import SmetsVersion, SmiStatus
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole
from smki.sec.vocabulary import hyphenated
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import CRL, DER, JSON, PEM, answer_json, wanted_form
from smki_repository.rest.operation import Answer, BytesBody, Call, JsonBody, Operation, Parameter, schema_ref
from smki_repository.rest.reliance import Reliance

LINTED_BYTES = 1024 * 1024
"""Maximum size of a body to lint or verify, enough for a revocation list of some 25,000 entries."""

MAX_OBJECTS = 1000
"""Maximum number of objects to lint or verify in one request."""

STATISTICS_SECONDS = 10
"""Seconds for which statistics are cached."""

INPUT_TYPES = ("application/octet-stream", PEM, DER, CRL, "application/pkcs10", "text/plain")


def _objects(call: Call) -> Iterator[bytes]:
    """Yield the DER encoding of every object in the body.

    :raises CannotBeJudged: if an object cannot be read, or there are more than MAX_OBJECTS.
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
        values = {"object": at, "shape": result.shape.value, "kind": result.kind, "title": result.title}
        objects.append({**values, "findings": findings})
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
    decision = call.smki.inquiry.device(
        call.values["entityIdentifier"],
        call.get("deviceType"),
        **_who(call),
        **_new_device(call),
        supposing=_supposing(call),
    )
    return answer_json(decision.as_json(Interface.REST), "no-store")


def _new_device(call: Call) -> dict[str, Any]:
    return {"model": call.get("model") or "", "under_test": bool(call.get("underTest"))}


def _authority(call: Call) -> Response:
    wanted_form(JSON)
    decision = call.smki.inquiry.authority(call.values["kind"], **_who(call))
    return answer_json(decision.as_json(Interface.REST), "no-store")


def _who_may(call: Call) -> Response:
    wanted_form(JSON)
    answer = call.smki.inquiry.who(
        role=call.get("role"),
        usage=call.get("usage"),
        device_type=call.get("deviceType"),
        device=call.get("device"),
        authority=call.get("authority"),
        supposing=_supposing(call),
        as_of=call.get("asOf"),
    )
    return answer_json(answer.as_json(), "no-store")


def _what_may(call: Call) -> Response:
    wanted_form(JSON)
    answer = call.smki.inquiry.what(
        str(call.values["party"]),
        on_behalf_of=str(call.get("onBehalfOf") or ""),
        smets_version=call.get("smetsVersion") or SmetsVersion.SMETS2,
        as_of=call.get("asOf"),
    )
    return answer_json(answer.as_json(), "no-store")


def _supposing(call: Call) -> Supposing:
    return Supposing(
        status=call.get("status"), returns_to=call.get("returnsTo"), smets_version=call.get("smetsVersion")
    )


def _who(call: Call) -> dict[str, Any]:
    return {
        "applicant": call.get("applicant") or "",
        "officer": call.get("officer") or "",
        "on_behalf_of": str(call.get("onBehalfOf") or ""),
        "as_of": call.get("asOf"),
    }


class _StatisticsCache:
    """Cache of the latest statistics, shared by the threads of an application."""

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
    kept: _StatisticsCache = current_app.extensions.setdefault("smki.statistics", _StatisticsCache())
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
        f"{name}{usage}"
        for name in (*(role.label for role in RemotePartyRole), "device")
        for usage in ("", "/ds", "/ka")
    ),
    "/ds",
    "/ka",
]
_USE = Parameter(
    "for",
    {"type": "string", "enum": _USES},
    "The intended use. Default: any.",
    _read_use,
)
_PROFILE = given.choice(
    "kind", ALL_PROFILES, "Name of the profile to check against. Default: detected from each object."
)
_WHO = (
    given.free_text(
        "applicant", "ID of the applying Party or Testing Participant. Default: derived from the Entity Identifier."
    ),
    given.free_text("officer", "Name of the applying officer. Default: the applicant's first."),
    given.party_id("onBehalfOf", "The User on whose behalf a Shared Resource applies."),
    given.day("asOf", "Date for which to decide. Default: today."),
)
_AS_OF = _WHO[-1]
_AUTHORITY = {kind.value: kind for kind in CertificateKind if kind.is_authority}
_STATUSES = {hyphenated(status): status for status in SmiStatus}
_SMETS = given.one_of(
    "smetsVersion",
    {version.value: version for version in SmetsVersion},
    "Suppose this SMETS version. Default: that in the inventory, or 2.",
    "smets-version.unknown",
)
_SUPPOSING = (
    given.one_of(
        "status",
        _STATUSES,
        "Suppose this SMI status. Default: that in the inventory, or pending.",
        "smi-status.unknown",
    ),
    given.one_of(
        "returnsTo",
        _STATUSES,
        "For a suspended Device, the status to which it returns.",
        "smi-status.unknown",
    ),
    _SMETS,
)
_ENTITY = given.entity_identifier("entityIdentifier", "Entity Identifier of the certificate's subject.", required=True)
_UNDER_TEST = given.flag(
    "underTest", "Whether a Device that is not in the inventory is a Device under test of the applicant."
)
_TAG = "Questions"
_DECISION = Answer(
    "The decision, with every provision that was applied, its clause (empty if no source names one) and its basis.",
    {JSON: schema_ref("Decision")},
)

OPERATIONS = (
    Operation("POST", "/eligibility/organisation", "askOrganisation", _TAG, "Decide whether a Party may subscribe for an Organisation Certificate",
              _organisation, _DECISION, (), (JsonBody((_ENTITY, given.role(required=True), given.usage(), *_WHO)),),
              errors=(406, 422)),
    Operation("POST", "/eligibility/device", "askDevice", _TAG, "Decide whether a Party may subscribe for a Device Certificate", _device,
              _DECISION, (), (JsonBody((_ENTITY, given.device_type(), given.model(), _UNDER_TEST, *_SUPPOSING, *_WHO)),), errors=(406, 422)),
    Operation("POST", "/eligibility/authority", "askAuthority", _TAG, "Decide whether a Party may subscribe for the certificate of an authority",
              _authority, _DECISION, (),
              (JsonBody((given.one_of("kind", _AUTHORITY, "Kind of the authority.", "certificate-kind.unknown", required=True), *_WHO)),),
              errors=(406, 422)),
    Operation(
        "POST", "/eligibility/who", "askWho", _TAG, "Who in the register may have a certificate, and why the others may not", _who_may,
        Answer("Everybody in the register, and each Shared Resource for each User that has named it. Those who may not are grouped "
               "by the decisive reason.", {JSON: schema_ref("WhoMay")}), (),
        (JsonBody((given.role(), given.usage(), given.device_type(), given.entity_identifier("device", "Device in the inventory."),
                   *_SUPPOSING, given.one_of("authority", _AUTHORITY, "Kind of an authority.", "certificate-kind.unknown"), _AS_OF)),),
        errors=(406, 422),
        description="The body names one certificate: by role (and usage, by default DS), by deviceType or device, or by authority.",
    ),
    Operation(
        "POST", "/eligibility/what", "askWhat", _TAG, "What a Party may have", _what_may,
        Answer("Every role and key usage, every type of Device in every SMI status, and the authorities. What it may not have is "
               "grouped by the decisive reason.", {JSON: schema_ref("WhatMay")}), (),
        (JsonBody((given.party_id("party", "ID of a Party or Testing Participant.", required=True),
                   given.party_id("onBehalfOf", "The User on whose behalf a Shared Resource applies."), _SMETS, _AS_OF)),),
        errors=(406, 422),
    ),
    Operation(
        "POST", "/lint", "lint", _TAG, "Check certificates, requests or revocation lists against their profiles", _lint,
        Answer("The findings for each object in the body.", {JSON: schema_ref("Linted")}),
        (_PROFILE, given.serial("issuer", "Serial number of the issuer's certificate, to check the issuer's name, key identifier and "
                                "signature too.")),
        (BytesBody(INPUT_TYPES, LINTED_BYTES),), errors=(404, 406, 422),
        description="The body is one or more objects in PEM, DER, base64 or hexadecimal.",
    ),
    Operation(
        "POST", "/verify", "verify", _TAG, "Decide whether certificates can be relied on", _verify,
        Answer("The verdict on each certificate in the body with every check (SEC L12), based on the authorities and the "
               "latest revocation lists of this SMKI.", {JSON: schema_ref("Verdicts")}),
        (_USE, given.entity_identifier("entity", "EUI-64 of the expected Organisation or Device. Default: any."),
         given.moment("at", "Time at which to verify. Default: now.")),
        (BytesBody(INPUT_TYPES, LINTED_BYTES),), errors=(406, 422),
    ),
    Operation("GET", "/statistics", "getStatistics", _TAG, "Get statistics", _statistics,
              Answer("Number of certificates by kind, role, usage and status, and of applications by kind and outcome; at most "
                     f"{STATISTICS_SECONDS} seconds old.", {JSON: schema_ref("Statistics")}, ("ETag",)),
              errors=(406,)),
)  # fmt: skip
