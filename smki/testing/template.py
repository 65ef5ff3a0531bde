"""Copies of an SMKI in memory: made once from a seed, copied for every test that wants a new one."""

from __future__ import annotations

from datetime import date, datetime

from smki.clock import AdjustableClock, iso, parse_moment
from smki.file import TemporaryPlace
from smki.home.smki import Smki
from smki.keys.private_key import KeysInMemory
from smki.ledger.sqlite.memory import MemoryLedger
from smki.testing.clock import moment_of


class SmkiTemplate:
    """An SMKI as :meth:`smki.Smki.in_memory` makes it, kept to be copied.

    Making one takes tens of milliseconds, copying it well under one. The copies share nothing that changes: what is
    issued, revoked or added in one is not in another, and each has a clock of its own. All of them issue the same
    certificates, byte for byte, when asked for the same ones.

    :param seed: the seed of the SMKI.
    :param at: the moment at which it begins (UTC); by default that of every seeded SMKI.
    """

    def __init__(self, *, seed: str, at: datetime | None = None) -> None:
        with Smki.in_memory(seed=seed, at=at) as made:
            ledger, keys = made.ledger, made._keys
            assert isinstance(ledger, MemoryLedger)
            assert isinstance(keys, KeysInMemory)
            self._configuration = made.configuration
            self._image = ledger.image()
            self._keys = keys.copy()

    def new(self) -> Smki:
        """Return a new copy, with its clock stopped at its beginning. The caller closes it."""
        beginning = parse_moment(self._configuration.created)
        ledger, keys = MemoryLedger(self._image), self._keys.copy()
        return Smki(TemporaryPlace(), self._configuration, ledger, AdjustableClock(beginning), keys)


class SmkiFactory:
    """Makes SMKIs in memory, each separate from all others. The first of each seed and beginning takes longer.

    :param seed: the seed of those for which none is given.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._templates: dict[tuple[str, str | None], SmkiTemplate] = {}

    def __call__(self, *, seed: str | None = None, at: date | str | None = None) -> Smki:
        """Make an SMKI; close it, or use it in a ``with`` statement.

        :param seed: its seed; by default that of the test run.
        :param at: the moment at which it begins (UTC; a datetime, a date or ISO 8601), by default 2026-01-01.
        :raises Malformed: when *at* is not a moment.
        """
        beginning = None if at is None else moment_of(at)
        seed = self._seed if seed is None else seed
        key = seed, iso(beginning) if beginning is not None else None
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = SmkiTemplate(seed=seed, at=beginning)
        return template.new()
