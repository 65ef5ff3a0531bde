"""The part of a ledger's contract about the Certified Products List."""

from __future__ import annotations

from typing import Protocol

from smki.sec.certified_product import CertifiedProduct


class ProductReader(Protocol):
    """The Certified Products List."""

    def product(self, model: str) -> CertifiedProduct | None:
        """The entry of a Device model in the Certified Products List, or None; it may have been removed."""

    def products(self) -> list[CertifiedProduct]:
        """The Certified Products List in the order of the models, without entries that were removed."""


class ProductWriter(Protocol):
    """Changes of the Certified Products List."""

    def put_product(self, product: CertifiedProduct) -> None:
        """Add or replace the entry of a Device model in the Certified Products List."""
