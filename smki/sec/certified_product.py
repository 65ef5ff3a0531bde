"""Products on the Certified Products List: the Device models that may be added to the Smart Metering Inventory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smki.sec.device import DeviceType


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedProduct:
    """An entry of the list. Entries that were removed are kept, marked as such."""

    model: str
    """The product identifier, of 1 to 64 printable characters (:func:`~smki.sec.device.parse_model`)."""
    device_type: DeviceType
    """The type as which the model is certified."""
    listed: datetime
    """When it was put on the list."""
    removed: datetime | None = None
    """When it was removed; None while it is on the list."""
