"""smki cpl"""

from __future__ import annotations

import json
from pathlib import Path

import click

from smki.cli.common import DEVICE_TYPE, cli_actor, home_option, json_option
from smki.cli.say import say
from smki.home.smki import Smki
from smki.interchange.description import product_fields
from smki.registration.products import ListProduct, RemoveProduct
from smki.registration.settings import Setting
from smki.sec.device import DeviceType


@click.group()
def cpl() -> None:
    """Manage the Certified Products List: the models of the Devices that may be added to the inventory.

    The list is used once `smki settings set certified-products listed` says so. Until then every model counts as certified.
    """


@cpl.command()
@click.argument("model")
@click.option("--type", "device_type", type=DEVICE_TYPE, required=True, help="Type of the Devices of this model.")
@home_option
def add(home: Path, model: str, device_type: DeviceType) -> None:
    """Put a Device model on the list, by a product identifier of your choice.

    \b
    smki cpl add 'ACME SM100 1.2' --type ESME
    """
    with Smki.open(home) as smki:
        product = smki.registration.execute(ListProduct(model, device_type), cli_actor())
    say(f"{product.model} is certified as {product.device_type.name}.")


@cpl.command()
@click.argument("model")
@home_option
def remove(home: Path, model: str) -> None:
    """Remove a Device model from the list. Devices that are in the inventory stay there."""
    with Smki.open(home) as smki:
        product = smki.registration.execute(RemoveProduct(model), cli_actor())
    say(f"{product.model} is no longer certified.")


@cpl.command(name="list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List the certified models; --json prints one object per line."""
    with Smki.open(home) as smki:
        products = smki.ledger.register.products()
        is_used = Setting.CERTIFIED_PRODUCTS.of(smki.ledger) == "listed"
    for product in products:
        if as_json:
            click.echo(json.dumps(product_fields(product)))
        else:
            say(f"{product.device_type.name:<7} {product.model}")
    if not is_used:
        say(
            "The list is not used: every model counts as certified (smki settings set certified-products listed).",
            err=True,
        )
