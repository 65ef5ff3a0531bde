"""Queries of a ledger about the settings that can be changed."""

from __future__ import annotations

from typing import Protocol


class SettingReader(Protocol):
    """The settings that can be changed."""

    def setting(self, name: str) -> str | None:
        """The value of a setting; None if it was never set."""


class SettingWriter(Protocol):
    """Changes of the settings."""

    def set_setting(self, name: str, value: str) -> None:
        """Set a setting."""
