"""smki settings"""

from __future__ import annotations

import json
from pathlib import Path

import click

from smki.cli.common import Parsed, cli_actor, home_option, json_option
from smki.cli.say import say
from smki.home.smki import Smki
from smki.registration.settings import ChangeSetting, Setting

SETTING = Parsed("NAME", Setting.parse)


@click.group()
def settings() -> None:
    """Show and change the settings of a home."""


@settings.command(name="list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List the settings with their values and what they decide."""
    with Smki.open(home) as smki:
        values = {setting: setting.of(smki.ledger) for setting in Setting}
    if as_json:
        click.echo(json.dumps({setting.label: value for setting, value in values.items()}, indent=2))
        return
    for setting, value in values.items():
        say(f"{setting.label:<20}{value} ({' or '.join(setting.values)})", f"  {setting.text}")


@settings.command(name="set")
@click.argument("setting", type=SETTING, metavar="NAME")
@click.argument("value")
@home_option
def set_(home: Path, setting: Setting, value: str) -> None:
    """Change a setting.

    \b
    smki settings set certified-products listed
    smki settings set statement explicit
    """
    with Smki.open(home) as smki:
        changed = smki.registration.execute(ChangeSetting(setting, value.strip().lower()), cli_actor())
    say(f"{setting.label} is {changed}.")
