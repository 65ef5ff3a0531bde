"""Queries of a ledger about tests (SEC H14.11), and about the settings that can be changed."""

from __future__ import annotations

from typing import Protocol


class SettingValues(Protocol):
    """The settings that can be changed: as they are, or as they were on an earlier day."""

    def setting(self, name: str) -> str | None:
        """The value of a setting; None if it was never set."""


class SettingReader(SettingValues, Protocol):
    """The settings that can be changed, and what depends on them."""

    def certificates_by_test(self, subscriber: str) -> dict[str, int]:
        """The number of certificates that a subscriber has had for each of its tests, by name, and outside recorded
        tests under the empty name."""


class SettingWriter(Protocol):
    """Changes of the settings."""

    def set_setting(self, name: str, value: str) -> None:
        """Set a setting."""
