"""The duties of a subscriber with an application (SEC L11), and what an application adds to the inventory, in words."""

from __future__ import annotations

from smki.eligibility import provisions
from smki.ledger import Statement
from smki.ledger.settings import SettingReader
from smki.problem import Problem
from smki.registration.settings import Setting
from smki.sec.device import Device

STATEMENT = (
    "the information in the application is true and accurate, the subscriber has the rights to every trade mark in it, and "
    "nothing in it is confidential"
)
"""What a subscriber states with an application (SEC L11)."""


def unstated(reader: SettingReader, is_stated: bool) -> list[Problem]:
    """Return why an application is refused that does not state what it should; empty if it does, or need not."""
    if is_stated or Setting.STATEMENT.of(reader) == "automatic":
        return []
    return [
        Problem(
            code="application.not-stated",
            subject="application",
            seen="no statement of the officer",
            expected=f"the statement that {STATEMENT}",
            basis=provisions.Basis.SEED.value,
        )
    ]


def statement_of(reader: SettingReader, is_stated: bool) -> Statement | None:
    """Return how the statement is recorded with an application; None if it was required and not made."""
    if is_stated:
        return Statement.EXPLICIT
    return Statement.AUTOMATIC if Setting.STATEMENT.of(reader) == "automatic" else None


def statement_lines(is_stated: bool, officer: str) -> list[str]:
    """Return the line with which the answer to an application says what was recorded without being asked for."""
    if is_stated:
        return []
    return [
        f"Recorded as stated by {officer} (SEC L11): true and accurate, trade mark rights held, nothing confidential."
    ]


def added_text(device: Device) -> str:
    """Return what was added to the inventory."""
    text = f"{device.device_id} added to the inventory as {device.device_type.name}"
    if device.under_test is None:
        return text
    basis = provisions.INVENTORY_UNDER_TEST.basis.value
    return f"{text}, Device under test of {device.under_test} ({basis}: the Code does not say who adds these)"
