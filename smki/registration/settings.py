"""The settings of an SMKI that can be changed at any time, and the command that changes them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import ClassVar

from smki.eligibility.assumptions import DEFAULT_MODE
from smki.ledger import EventKind
from smki.ledger.settings import SettingValues
from smki.problem import Malformed, NotFound, Problem
from smki.registration.command import Command, Context, Done, Happened
from smki.sec.recorded_test import ParticipationMode


class Setting(enum.Enum):
    """The settings: name, values with the default first, and what they decide."""

    CERTIFIED_PRODUCTS = (
        "certified-products",
        ("any", "listed"),
        "Models of Devices that may be added to the inventory: any, or those on the Certified Products List.",
    )
    PARTICIPANTS = (
        "participants",
        (DEFAULT_MODE.value, *(mode.value for mode in ParticipationMode if mode is not DEFAULT_MODE)),
        "Whether every Party counts as taking part in tests (open), or needs a recorded test (strict; SEC H14.11).",
    )
    STATEMENT = (
        "statement",
        ("automatic", "explicit"),
        "The statement of SEC L11 with each application: recorded automatically, or made by the officer.",
    )

    def __init__(self, label: str, values: tuple[str, ...], text: str) -> None:
        self.label = label
        """The name as it is written and stored."""
        self.values = values
        """The values that it can have, the default first."""
        self.text = text
        """What it decides, for people."""

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Parse the name of a setting.

        :raises NotFound: if there is none of that name.
        """
        for setting in cls:
            if setting.label == text.strip().lower():
                return setting
        names = ", ".join(setting.label for setting in cls)
        raise NotFound(Problem(code="setting.unknown", subject="setting", seen=f"{text[:64]!r}", expected=names))

    def of(self, reader: SettingValues) -> str:
        """Return its current value."""
        return reader.setting(self.label) or self.values[0]


@dataclass(frozen=True, slots=True)
class ChangeSetting(Command[str]):
    """Change a setting."""

    requires_dcc: ClassVar[bool] = True

    setting: Setting
    value: str

    def carry_out(self, context: Context) -> Done[str]:
        """Change the setting, and return the value.

        :raises Malformed: if it cannot have that value.
        """
        if self.value not in self.setting.values:
            raise Malformed(
                Problem(
                    code="setting.value",
                    subject=f"setting {self.setting.label}",
                    seen=f"{self.value[:64]!r}",
                    expected=" or ".join(self.setting.values),
                    given={"setting": self.setting.label, "value": self.setting.values[-1]},
                )
            )
        before = self.setting.of(context.transaction)
        if before == self.value:
            return Done(self.value, None)
        context.transaction.set_setting(self.setting.label, self.value)
        happened = Happened(
            kind=EventKind.SETTING_CHANGED,
            detail=f"{self.setting.label}: {self.value}",
            content={self.setting.label: {"from": before, "to": self.value}},
        )
        return Done(self.value, happened)
