"""JSON Schemas of the responses: the components of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from smki.eligibility.provisions import Basis
from smki.eligibility.recorded import Source
from smki.ledger import EventKind, Statement
from smki.problem import Severity
from smki.profile.designation import TEST_CERTIFICATE
from smki.profile.detect import Shape
from smki.profile.revocation_reasons import CRL_REASONS
from smki.registration.settings import Setting
from smki.relying_party.requirements import STEPS
from smki.relying_party.verdict import Outcome
from smki.sec.recorded_test import ParticipationMode
from smki.sec.role import CertificateKind, CertificateStatus, RemotePartyRole
from smki_repository.rest.operation import Schema, schema_ref

TEXT: Schema = {"type": "string"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
SERIAL: Schema = {"type": "string", "pattern": "^[0-9A-F]{32,40}$"}
EUI: Schema = {"type": "string", "pattern": "^[0-9A-F]{2}(-[0-9A-F]{2}){7}$"}
HEXADECIMAL: Schema = {"type": "string", "pattern": "^([0-9A-F]{2})*$"}


def _object(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object with these properties and no others, all required but the optional ones."""
    required = [name for name in properties if name not in optional]
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _page(items: Schema) -> Schema:
    following = {"type": "string", "description": "Path and query of the next page; absent from the last page."}
    return _object({"items": _list(items), "next": following}, ("next",))


def _enum(values: Any) -> Schema:
    return {"type": "string", "enum": list(values)}


KIND = _enum(kind.value for kind in CertificateKind)
ROLE = _or_null(_enum(role.label for role in RemotePartyRole))
USAGE = _or_null(_enum(("DS", "KA")))

_CERTIFICATE: dict[str, Schema] = {
    "serialNumber": SERIAL,
    "kind": KIND,
    "entityIdentifier": _or_null(EUI),
    "role": ROLE,
    "usage": USAGE,
    "status": _enum(status.value for status in CertificateStatus),
    "notBefore": MOMENT,
    "notAfter": MOMENT,
    "issued": MOMENT,
    "issuerSerialNumber": _or_null(SERIAL),
    "issuedHere": FLAG,
    "designation": _or_null(_enum((TEST_CERTIFICATE,))),
    "policyOid": _or_null(TEXT),
    "policyName": _or_null(TEXT),
    "statusSince": MOMENT,
    "issuer": TEXT,
    "subject": TEXT,
    "roleCode": _or_null({"type": "string", "pattern": "^[0-9A-F]{2}$"}),
    "commonName": _or_null(TEXT),
    "keyUsage": _list(TEXT),
    "publicKey": _or_null(HEXADECIMAL),
    "subjectKeyIdentifier": _or_null(HEXADECIMAL),
    "authorityKeyIdentifier": _or_null(HEXADECIMAL),
    "sha256": {"type": "string", "pattern": "^[0-9A-F]{64}$"},
    "pem": TEXT,
}
BASIS = _enum(basis.value for basis in Basis)
_PROBLEM = _object({**dict.fromkeys(("code", "subject", "seen", "expected", "clause", "remedy"), TEXT), "basis": BASIS},
                   ("expected", "clause", "basis", "remedy"))  # fmt: skip
_CITED: dict[str, Schema] = {"provision": TEXT, "clause": TEXT, "basis": BASIS, "title": TEXT}
_REGISTERED_FIELDS = ("party_id", "participant_id", "name", "category", "user_roles", "standing", "identifiers",
                      "agreement", "authorised_for", "acts_for", "quota")  # fmt: skip
_TEST: dict[str, Schema] = dict.fromkeys(
    ("test", "purpose", "quota", "roles", "device_types", "identifiers", "on_behalf_of"), TEXT
)
_PARTY: dict[str, Schema] = {
    **dict.fromkeys(_REGISTERED_FIELDS, TEXT),
    "through_entry": FLAG,
    "officers": _list(TEXT),
    "tests": _list(_object(_TEST, tuple(name for name in _TEST if name not in ("test", "purpose")))),
    "certificates": COUNT,
}
_DEVICE: dict[str, Schema] = {
    "device_id": EUI,
    **dict.fromkeys(
        ("device_type", "status", "returns_to", "smets_version", "responsible", "model", "under_test"), TEXT
    ),
    "enrolled": FLAG,
    "certificates": COUNT,
    "threshold": COUNT,
    "remarks": _list(TEXT),
    "sections_g2_to_g9": schema_ref("SecuritySections"),
}
_CREDENTIAL: dict[str, Schema] = {
    "number": COUNT,
    "name": TEXT,
    "party": _or_null(TEXT),
    "created": MOMENT,
    "expires": _or_null(MOMENT),
    "revoked": _or_null(MOMENT),
    "state": TEXT,
}
SOURCE = _enum(source.value for source in Source)
_WANTED: dict[str, Schema] = {
    "kind": KIND,
    "role": ROLE,
    "usage": USAGE,
    "device": _or_null(EUI),
    **dict.fromkeys(("deviceType", "status", "returnsTo", "smetsVersion"), _or_null(TEXT)),
}
_WHY: dict[str, Schema] = {"entityIdentifiers": _list(EUI), "codes": _list(TEXT)}
_RECORDS = _list(_object({"source": SOURCE, "count": COUNT, "subjects": _list(TEXT)}))


def _refused(member: str) -> Schema:
    members = _list(schema_ref(member))
    return _object({"code": TEXT, "clause": TEXT, "basis": TEXT, "expected": TEXT, "count": COUNT, "members": members})


_CHECK = dict.fromkeys(("check", "title", "clause", "certificate", "seen", "expected", "code"), TEXT)

SCHEMAS: dict[str, Schema] = {
    "Problem": _PROBLEM,
    "ProblemDetails": _object(
        {
            "type": {"type": "string", "pattern": "^urn:smki:problem:[a-z0-9.-]+$"},
            "title": TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": TEXT,
            "problems": {**_list(schema_ref("Problem")), "minItems": 1},
            "application": TEXT,
        },
        ("application",),
    ),
    # The parameter fields can exclude any of them.
    "Certificate": _object(_CERTIFICATE, tuple(_CERTIFICATE)),
    "CertificatePage": _page(schema_ref("Certificate")),
    "Certificates": _object({"items": _list(schema_ref("Certificate"))}),
    "Party": _object(_PARTY, tuple(name for name in _PARTY if name != "officers")),
    "PartyPage": _page(schema_ref("Party")),
    "Device": _object(_DEVICE, ("returns_to", "responsible", "model", "under_test", "enrolled", "certificates", "threshold", "remarks", "sections_g2_to_g9")),
    "Product": _object({"model": TEXT, "device_type": TEXT, "listed": MOMENT}),
    "Products": _object({"items": _list(schema_ref("Product")), "required": FLAG}),
    "Settings": _object({setting.label: _enum(setting.values) for setting in Setting}),
    "SecuritySections": _object({"apply": FLAG, "because": TEXT, "clause": TEXT, "basis": BASIS, "asOf": DAY}),
    "DevicePage": _page(schema_ref("Device")),
    "RevocationList": _object(
        {"issuerSerialNumber": SERIAL, "number": COUNT, "kind": _enum(("crl", "arl")), "thisUpdate": MOMENT,
         "nextUpdate": MOMENT, "entries": COUNT},
    ),
    "RevocationListPage": _page(schema_ref("RevocationList")),
    "RevocationEntry": _object({"serialNumber": SERIAL, "revoked": MOMENT, "reason": _or_null(TEXT)}),
    "RevocationEntryPage": _page(schema_ref("RevocationEntry")),
    "Application": _object(
        {"id": COUNT, "received": MOMENT, "interface": TEXT, "subscriber": TEXT, "officer": TEXT, "appliedBy": _or_null(TEXT),
         "kind": KIND, "entityIdentifier": _or_null(EUI), "role": ROLE, "usage": USAGE, "test": _or_null(TEXT),
         "statement": _or_null(_enum(each.value for each in Statement)), "granted": FLAG,
         "reasons": _list(schema_ref("Problem")), "serialNumber": _or_null(SERIAL)},
    ),
    "ApplicationPage": _page(schema_ref("Application")),
    "Finding": _object(
        {**dict.fromkeys(("code", "clause", "location", "seen", "expected"), TEXT),
         "severity": _enum(severity.label for severity in Severity)},
    ),
    "Issued": _object(
        {"certificate": schema_ref("Certificate"), "pem": TEXT, "application": TEXT, "notes": _list(schema_ref("Finding")),
         "remarks": _list(TEXT)},
    ),
    "Comparison": _object(
        {"serialNumber": SERIAL, "application": COUNT, "agrees": FLAG, "deemedAccepted": _or_null(MOMENT),
         "status": _enum(status.value for status in CertificateStatus),
         "fields": _list(_object({"field": TEXT, "requested": _or_null(TEXT), "certified": _or_null(TEXT), "agrees": FLAG}))},
    ),
    "Accepted": _object({"certificate": schema_ref("Certificate")}),
    "Rejected": _object({"certificate": schema_ref("Certificate"), "differences": _list(schema_ref("Problem"))}),
    "Revoked": _object(
        {"certificate": schema_ref("Certificate"),
         "revocation": _object({"revoked": MOMENT, "effective": MOMENT, "reason": _enum(CRL_REASONS), "askedBy": TEXT})},
    ),
    "Decision": _object(
        {"eligible": FLAG, "outcome": TEXT, "asOf": DAY, "test": _or_null(TEXT),
         "applied": _list(_object({**_CITED, "held": FLAG, "seen": TEXT, "problem": schema_ref("Problem")}, ("problem",))),
         "notes": _list(_object({**_CITED, "text": TEXT})),
         "notInForce": _list(_object({**_CITED, "inForceFrom": DAY})),
         "records": _list(_object({"subject": TEXT, "source": SOURCE, "since": _or_null(DAY), "text": TEXT}))},
    ),
    "Wanted": _object(_WANTED),
    "WhoMay": _object(
        {"wanted": schema_ref("Wanted"), "asOf": DAY, "eligible": _list(schema_ref("Entitled")),
         "notEligible": _list(_refused("Entitled")), "records": _RECORDS},
    ),
    "Entitled": _object({"party": TEXT, "name": TEXT, "isParty": FLAG, "onBehalfOf": _or_null(TEXT), **_WHY}),
    "WhatMay": _object(
        {"party": TEXT, "name": TEXT, "onBehalfOf": _or_null(TEXT), "smetsVersion": TEXT, "asOf": DAY,
         "eligible": _list(schema_ref("Possible")), "notEligible": _list(_refused("Possible")), "records": _RECORDS},
    ),
    "Possible": _object({**_WANTED, **_WHY}),
    "Linted": _object(
        {"objects": _list(_object({"object": {"type": "integer", "minimum": 1}, "shape": _enum(shape.value for shape in Shape),
                                   "kind": TEXT, "title": TEXT, "findings": _list(schema_ref("Finding"))}))},
    ),
    "Check": _object({"step": _enum(STEPS), **_CHECK, "outcome": _enum(outcome.value for outcome in Outcome)},
                     ("seen", "expected", "code")),
    "Verdict": _object(
        {"certificate": TEXT, "sha256": _or_null({"type": "string", "pattern": "^[0-9A-F]{64}$"}), "at": MOMENT,
         "for": _or_null(TEXT), "entity": _or_null(EUI), "trusted": FLAG, "reason": _or_null(schema_ref("Problem")),
         "checks": _list(schema_ref("Check"))},
    ),
    "Verdicts": _object({"verdicts": _list(schema_ref("Verdict"))}),
    "Credential": _object(_CREDENTIAL),
    "Credentials": _object({"items": _list(schema_ref("Credential"))}),
    "NewCredential": _object({**_CREDENTIAL, "secret": {**TEXT, "description": "Cannot be retrieved again."}}),
    "Identifier": _object({"identifier": EUI}),
    "Threshold": _object({"threshold": COUNT}),
    "Participation": _object({"mode": _enum(mode.value for mode in ParticipationMode)}),
    "Clock": _object({"now": MOMENT, "setting": _enum(("real", "fixed", "shifted"))}),
    "Event": _object(
        {"id": COUNT, "at": MOMENT, "event": _enum(kind.value for kind in EventKind),
         **dict.fromkeys(("interface", "party", "officer", "concerns"), _or_null(TEXT)), "deviceId": _or_null(EUI),
         "serialNumber": _or_null(SERIAL), "application": _or_null(COUNT), "detail": _or_null(TEXT),
         "content": _or_null({"type": "object"})},
    ),
    "EventPage": _page(schema_ref("Event")),
    "Statistics": _object(
        {"asOf": MOMENT,
         "certificates": _list(_object({"kind": KIND, "role": ROLE, "usage": USAGE,
                                        "status": _enum(status.value for status in CertificateStatus), "count": COUNT})),
         "applications": _list(_object({"kind": KIND, "granted": FLAG, "count": COUNT}))},
    ),
}  # fmt: skip
