"""Operations on the Certified Products List and the settings."""

from __future__ import annotations

from flask import Response

from smki.interchange.description import product_fields
from smki.ledger.settings import SettingReader
from smki.registration.products import ListProduct, RemoveProduct
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.device import DeviceType
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import JSON, answer_json, wanted_form
from smki_repository.rest.operation import Answer, Call, Operation, schema_ref
from smki_repository.rest.writing import done, write


def _products(call: Call) -> Response:
    wanted_form(JSON)
    register = call.smki.ledger.register
    items = [product_fields(product) for product in register.products()]
    return answer_json({"items": items, "required": Setting.CERTIFIED_PRODUCTS.of(call.smki.ledger) == "listed"})


def _list_product(call: Call) -> Response:
    wanted_form(JSON)
    command = ListProduct(call.values["model"], call.values["device_type"])
    return done(product_fields(call.smki.registration.execute(command, call.actor())), 201)


def _remove_product(call: Call) -> Response:
    wanted_form(JSON)
    return done(product_fields(call.smki.registration.execute(RemoveProduct(call.values["model"]), call.actor())))


def _settings(call: Call) -> Response:
    wanted_form(JSON)
    return answer_json(_values(call.smki.ledger))


def _change_setting(call: Call) -> Response:
    wanted_form(JSON)
    command = ChangeSetting(call.values["setting"], call.values["value"])
    call.smki.registration.execute(command, call.actor())
    return done(_values(call.smki.ledger))


def _values(reader: SettingReader) -> dict[str, str]:
    return {setting.label: setting.of(reader) for setting in Setting}


_MODEL = given.model(required=True)
_TYPE = given.one_of("device_type", dict(DeviceType.__members__), "Device type.", "device-type.unknown", required=True)
_SETTING = given.one_of(
    "setting", {setting.label: setting for setting in Setting}, "Name of the setting.", "setting.unknown", required=True
)
_VALUE = given.free_text("value", "The new value.", max_length=64, required=True)
_TAG = "Parties and Devices"
_PRODUCT = {JSON: schema_ref("Product")}
_SETTINGS = {JSON: schema_ref("Settings")}

OPERATIONS = (
    Operation("GET", "/certified-products", "listCertifiedProducts", _TAG, "List the Certified Products List", _products,
              Answer("The certified models, and whether Devices need one to be added to the inventory.",
                     {JSON: schema_ref("Products")}, ("ETag",)), errors=(406,)),
    write("POST", "/certified-products", "listProduct", _TAG, "Put a Device model on the Certified Products List", _list_product,
          Answer("The entry.", _PRODUCT), status=201, fields=(_MODEL, _TYPE)),
    write("POST", "/certified-products/remove", "removeProduct", _TAG, "Remove a Device model from the Certified Products List",
          _remove_product, Answer("The entry that was removed.", _PRODUCT), fields=(_MODEL,), errors=(404,)),
    Operation("GET", "/settings", "getSettings", "Administration", "Get the settings", _settings,
              Answer("Every setting with its value.", _SETTINGS, ("ETag",)), errors=(406,)),
    write("POST", "/settings", "changeSetting", "Administration", "Change a setting", _change_setting,
          Answer("Every setting with its value.", _SETTINGS), fields=(_SETTING, _VALUE)),
)  # fmt: skip
