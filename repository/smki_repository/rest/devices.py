"""Operations to add and change Devices in the Smart Metering Inventory."""

from __future__ import annotations

from flask import Response

from smki.eligibility import DEVICE_THRESHOLD
from smki.identity import PartyId
from smki.registration.devices import MAX_THRESHOLD, AddDevices, ChangeDevice, SetThreshold
from smki.registration.duties import added_text
from smki.sec.device import Device, DeviceType, SmetsVersion, SmiStatus
from smki.sec.registry_fields import device_fields
from smki.sec.vocabulary import hyphenated
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import JSON, wanted_form
from smki_repository.rest.operation import Answer, Call, Link, Parameter, schema_ref
from smki_repository.rest.writing import done, or_unchanged, write


def _add(call: Call) -> Response:
    wanted_form(JSON)
    made = Device(
        device_id=call.values["device_id"],
        device_type=call.values["device_type"],
        status=call.values.get("status", SmiStatus.PENDING),
        returns_to=call.get("returns_to"),
        smets_version=call.values.get("smets_version", SmetsVersion.SMETS2),
        enrolled=call.values.get("enrolled", False),
        responsible=call.values.get("responsible", ()),
        model=call.values.get("model", ""),
        under_test=PartyId.parse(call.acting.party) if call.get("under_test") else None,
    )
    (made,) = call.smki.registration.execute(AddDevices((made,)), call.actor())
    remarks = {"remarks": [f"{added_text(made)}."]} if made.under_test else {}
    return done({**device_fields(made), **remarks}, 201, location=f"/devices/{made.device_id}")


def _change(call: Call) -> Response:
    wanted_form(JSON)
    command = ChangeDevice(
        device_id=call.values["eui"],
        device_type=or_unchanged(call, "device_type"),
        smets_version=or_unchanged(call, "smets_version"),
        status=or_unchanged(call, "status"),
        returns_to=or_unchanged(call, "returns_to"),
        enrolled=or_unchanged(call, "enrolled"),
        responsible=or_unchanged(call, "responsible"),
        model=or_unchanged(call, "model"),
    )
    return done(device_fields(call.smki.registration.execute(command, call.actor())))


def _set_threshold(call: Call) -> Response:
    wanted_form(JSON)
    command = SetThreshold(call.values["eui"], call.values["threshold"])
    return done({"threshold": call.smki.registration.execute(command, call.actor())})


_STATUS = {hyphenated(status): status for status in SmiStatus}


def _type(*, required: bool) -> Parameter:
    return given.one_of(
        "device_type", dict(DeviceType.__members__), "Device type.", "device-type.unknown", required=required
    )


_MORE = (
    given.one_of("status", _STATUS, "SMI status.", "smi-status.unknown"),
    given.one_of(
        "returns_to", _STATUS, "For a suspended Device, the status to which it returns.", "smi-status.unknown"
    ),
    given.one_of(
        "smets_version", {each.value: each for each in SmetsVersion}, "SMETS version.", "smets-version.unknown"
    ),
    given.flag("enrolled", "Whether it is part of an Enrolled smart metering system."),
    given.several(given.responsible(), "The responsible Party for each fuel, for example gas: LARGE-SUPPLIER."),
    given.model(),
)
_UNDER_TEST = given.flag("under_test", "Whether it is a Device under test of the officer's Party or participant.")
_THRESHOLD = given.or_null(
    given.whole_number(
        "threshold", "Maximum number of certificates; null for the default.", MAX_THRESHOLD, lowest=DEVICE_THRESHOLD,
        required=True,
    )
)  # fmt: skip
_TAG = "Parties and Devices"
_DEVICE = {JSON: schema_ref("Device")}

OPERATIONS = (
    write("POST", "/devices", "addDevice", _TAG, "Add a Device to the inventory", _add,
          Answer("The new Device.", _DEVICE, ("Location",), (Link("getDevice", {"eui": "/device_id"}),)), status=201,
          fields=(given.entity_identifier("device_id", "EUI-64 of the Device.", required=True), _type(required=True), *_MORE, _UNDER_TEST),
          description="For officers of whoever may add such a Device (SEC H5): a supplier or a Registered Supplier Agent, for parts "
          "of a Communications Hub the DCC, and for a Device under test everybody."),
    write("PATCH", "/devices/{eui}", "changeDevice", _TAG, "Change a Device's entry in the inventory; omitted fields keep their values", _change,
          Answer("The changed Device.", _DEVICE), given.EUI, fields=(_type(required=False), *_MORE)),
    write("PUT", "/devices/{eui}/threshold", "setThreshold", _TAG, "Set the maximum number of certificates of a Device", _set_threshold,
          Answer("The threshold now in force.", {JSON: schema_ref("Threshold")}), given.EUI, fields=(_THRESHOLD,)),
)  # fmt: skip
