"""The part of a ledger's contract about the Certified Products List and the settings that can be changed."""

from __future__ import annotations

from typing import Protocol

from smki.sec.certified_product import CertifiedProduct


class ProductReader(Protocol):
    """The Certified Products List and the settings."""

    def product(self, model: str) -> CertifiedProduct | None:
        """The entry of a Device model in the Certified Products List, or None; it may have been removed."""

    def products(self) -> list[CertifiedProduct]:
        """The Certified Products List in the order of the models, without entries that were removed."""

    def setting(self, name: str) -> str | None:
        """The value of a setting; None if it was never changed."""


class ProductWriter(Protocol):
    """Changes of the Certified Products List and of the settings."""

    def put_product(self, product: CertifiedProduct) -> None:
        """Add or replace the entry of a Device model in the Certified Products List."""

    def put_setting(self, name: str, value: str) -> None:
        """Set the value of a setting."""
