"""The remedies about the Smart Metering Inventory, settings, and what the DCC lodges (see :mod:`smki.remedies`)."""

from __future__ import annotations

from smki.remedy import Remedy

INVENTORY_REMEDIES: dict[str, Remedy] = {
    # The Smart Metering Inventory and the Certified Products List
    "inventory.by-the-dcc": Remedy(
        "Have the DCC add it first: smki device add {device} --type {type}. Or add it as a Device under test of your own: "
        "--under-test.",
        "Have an officer of the DCC add it first: POST /api/v1/devices. Or add it as a Device under test of your own: "
        "under_test (underTest in an application).",
        "Have it added first: AddDevices((Device(...),)) as the DCC. Or add it as a Device under test of your own: "
        "Device(under_test=...), Application(under_test=True).",
    ),
    "inventory.by-a-supplier": Remedy(
        "Have a supplier or a Registered Supplier Agent add it first: smki device add {device} --type {type}. Or add it as a "
        "Device under test of your own: --under-test.",
        "Have an officer of a supplier or a Registered Supplier Agent add it first: POST /api/v1/devices. Or add it as a "
        "Device under test of your own: under_test (underTest in an application).",
        "Have it added first: AddDevices((Device(...),)) as a supplier. Or add it as a Device under test of your own: "
        "Device(under_test=...), Application(under_test=True).",
    ),
    "inventory.certify": Remedy(
        "Name the model with --model; smki cpl add --type {type} -- {model} puts it on the list. Or add it as a Device under "
        "test: --under-test.",
        "Name the model with model, and have an officer of the DCC put it on the list: POST /api/v1/certified-products. Or add "
        "it as a Device under test: under_test (underTest in an application).",
        "Name the model, and execute ListProduct(model, device_type). Or add it as a Device under test: "
        "Device(under_test=...), Application(under_test=True).",
    ),
    "inventory.mark-own": Remedy(
        "Have {party} add only its own Devices under test; the operator of the home adds those of anybody.",
        "Send under_test true with the token of an officer of the Party or participant whose Device under test it is.",
        "Execute AddDevices(...) as that Party or participant, or without a Party.",
    ),
    "product.remove": Remedy(
        "Remove it first: smki cpl remove -- {model} does that.",
        "Have an officer of the DCC remove it first: POST /api/v1/certified-products/remove.",
        "Execute RemoveProduct(model) first.",
    ),
    "product.list": Remedy(
        "smki cpl list shows the list.",
        "GET /api/v1/certified-products shows the list.",
        "smki.ledger.register.products() returns the list.",
    ),
    "setting.value": Remedy(
        "Give one of them, for example: smki settings set {setting} {value}. smki settings list says what they decide.",
        "Give one of them. GET /api/v1/settings says what they decide.",
    ),
    "setting.list": Remedy("smki settings list shows them.", "GET /api/v1/settings shows them."),
    # What the DCC lodges
    "lodged.issuing": Remedy("Make another: smki authority renew {kind}.", "Have one made: POST /api/v1/authorities."),
    "lodged.root": Remedy(
        "A root is not replaced: make another home with smki init.", "A root is not replaced: another home is made."
    ),
    "lodged.organisation": Remedy(
        "Issue another: smki issue organisation --eui {eui} --role {role} --usage {usage}.",
        "Have an officer of the DCC apply for another: POST /api/v1/applications.",
        "Apply for another with Smki.issue_organisation.",
    ),
}
