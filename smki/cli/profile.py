"""smki profile list, smki profile show"""

from __future__ import annotations

import dataclasses
import enum
import json
from typing import Any

import click

from smki.cli.common import json_option
from smki.cli.say import say
from smki.profile.forms import Profile
from smki.profile.lint import profile_named
from smki.profile.tables import ALL_PROFILES


@click.group()
def profile() -> None:
    """Show the profiles of certificates, requests and revocation lists.

    Certificates are issued according to these profiles, and smki lint checks against them.
    """


@profile.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the profiles, with their names for smki lint --kind."""
    if as_json:
        values = [{"name": each.name, "title": each.title} for each in ALL_PROFILES.values()]
        click.echo(json.dumps(values, indent=2))
        return
    width = max(map(len, ALL_PROFILES))
    for each in ALL_PROFILES.values():
        say(f"{each.name:<{width}}  {each.title}")


@profile.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show a profile: each field with its rule, the clause and the basis of the rule.

    Stated: the rule is in the GB Companion Specification, the Smart Energy Code or an RFC. Measured: all published
    test certificates follow it. Assumed: no source is available.
    """
    found = profile_named(name)
    if as_json:
        click.echo(json.dumps(_values(found), indent=2, ensure_ascii=False))
    else:
        say(*_lines(found))


def _values(found: Profile) -> dict[str, Any]:
    rows = [
        {
            "field": field,
            "rule": str(row.form),
            "clause": row.clause,
            "mark": row.mark.value,
            "form": _form_as_json(row.form),
        }
        for field, row in found.rows()
    ]
    return {"name": found.name, "title": found.title, "rows": rows}


def _form_as_json(value: Any) -> Any:
    """Return the parameters of a form as a JSON value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _form_as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return getattr(value, "label", value.name.lower())
    if isinstance(value, frozenset):
        return sorted(_form_as_json(item) for item in value)
    if isinstance(value, tuple):
        return [_form_as_json(item) for item in value]
    return value


def _lines(found: Profile) -> list[str]:
    lines = [f"{found.title} ({found.name})", ""]
    for field, row in found.rows():
        lines += [field, f"    {row.form}", f"    {row.clause}, {row.mark.value}"]
    return lines
