"""Commands that change the Certified Products List."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from smki.eligibility import Listing
from smki.ledger import Conflict, EventKind
from smki.ledger.settings import SettingValues
from smki.problem import NotFound, Problem
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.facts import Facts
from smki.registration.settings import Setting
from smki.sec.certified_product import CertifiedProduct
from smki.sec.device import Device, DeviceType, parse_model


def listing_of(reader: Facts, device: Device, settings: SettingValues | None = None) -> Listing:
    """Return what the Certified Products List says of a Device that is to be added to the inventory.

    :param settings: those of an earlier day; today's by default. The list is always today's.
    """
    required = Setting.CERTIFIED_PRODUCTS.of(settings or reader) == "listed"
    product = reader.register.product(device.model) if required and device.model else None
    is_listed = product is not None and product.removed is None
    return Listing(required, product.device_type if product is not None and is_listed else None)


@dataclass(frozen=True, slots=True)
class ListProduct(Command[CertifiedProduct]):
    """Put a Device model on the Certified Products List."""

    requires_dcc: ClassVar[bool] = True

    model: str
    """The product identifier, of 1 to 64 printable characters."""
    device_type: DeviceType

    def carry_out(self, context: Context) -> Done[CertifiedProduct]:
        """List the model.

        :raises Malformed: if the identifier is not valid.
        :raises Conflict: if it is on the list as a Device of another type.
        """
        model = parse_model(self.model)
        found = context.transaction.register.product(model)
        if found is not None and found.removed is None:
            if found.device_type is self.device_type:
                return Done(found, None)
            raise Conflict(
                Problem(
                    code="product.other-type",
                    subject=f"model {model}",
                    seen=f"on the Certified Products List as {found.device_type.name}",
                    expected="a model that is not on the list, or the same type",
                    given={"model": model},
                )
            )
        product = CertifiedProduct(model=model, device_type=self.device_type, listed=context.now)
        context.transaction.put_product(product)
        return Done(product, _happened(EventKind.PRODUCT_LISTED, product))


@dataclass(frozen=True, slots=True)
class RemoveProduct(Command[CertifiedProduct]):
    """Remove a Device model from the Certified Products List. Devices in the inventory stay there (an assumption)."""

    requires_dcc: ClassVar[bool] = True

    model: str

    def carry_out(self, context: Context) -> Done[CertifiedProduct]:
        """Remove the model.

        :raises Malformed: if the identifier is not valid.
        :raises NotFound: if it is not on the list.
        """
        model = parse_model(self.model)
        found = context.transaction.register.product(model)
        if found is None or found.removed is not None:
            raise NotFound(
                Problem(
                    code="product.unknown",
                    subject=f"model {model}",
                    seen="not on the Certified Products List",
                    expected="a model that is on the list",
                )
            )
        removed = replace(found, removed=context.now)
        context.transaction.put_product(removed)
        return Done(removed, _happened(EventKind.PRODUCT_REMOVED, removed))


def _happened(kind: EventKind, product: CertifiedProduct) -> Happened:
    return Happened(
        kind=kind,
        detail=f"{product.device_type.name} {product.model}",
        content={"model": product.model, "device_type": product.device_type.name},
    )
