"""smki clock"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import click

from smki.cli.common import MOMENT, Parsed, cli_actor, home_option
from smki.cli.say import say
from smki.clock import HomeClock, iso
from smki.home.configuration import Configuration
from smki.home.smki import CLOCK_FILE, Smki
from smki.problem import Malformed, Problem
from smki.registration.clock import SetClock

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31557600}


def parse_shift(text: str) -> timedelta:
    """Parse a time span like ``90d``, ``-12h`` or ``10y`` (a year has 365.25 days).

    :raises Malformed: if the text is not a time span.
    """
    found = re.fullmatch(r"([+-]?[0-9]{1,7})([smhdwy])", text.strip())
    if not found:
        raise Malformed(
            Problem(
                code="shift.malformed",
                subject="shift",
                seen=f"{text[:32]!r}",
                expected="a number followed by s, m, h, d, w or y",
            )
        )
    return timedelta(seconds=int(found.group(1)) * _UNITS[found.group(2)])


SHIFT = Parsed("SPAN", parse_shift)


@click.group()
def clock() -> None:
    """Show and set the clock of a home."""


def _clock(home: Path) -> HomeClock:
    Configuration.read(home.absolute())
    return HomeClock(home.absolute() / CLOCK_FILE)


def _set(home: Path, command: SetClock) -> None:
    with Smki.open(home) as smki:
        smki.registration.execute(command, cli_actor())


def _print(home_clock: HomeClock) -> None:
    say(f"{iso(home_clock.now())} ({home_clock.setting})")


@clock.command()
@home_option
def show(home: Path) -> None:
    """Show the time in the home."""
    _print(_clock(home))


@clock.command(name="set")
@click.argument("moment", type=MOMENT)
@home_option
def set_(moment: datetime, home: Path) -> None:
    """Stop the clock at a time, for every process that has the home open."""
    home_clock = _clock(home)
    _set(home, SetClock(clock=home_clock, fixed=moment))
    _print(home_clock)


@clock.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("span", type=SHIFT)
@home_option
def shift(span: timedelta, home: Path) -> None:
    """Set the clock ahead (90d) or behind (-12h) of the system clock."""
    home_clock = _clock(home)
    _set(home, SetClock(clock=home_clock, shift=span))
    _print(home_clock)


@clock.command()
@home_option
def real(home: Path) -> None:
    """Use the system clock again."""
    home_clock = _clock(home)
    _set(home, SetClock(clock=home_clock))
    _print(home_clock)
