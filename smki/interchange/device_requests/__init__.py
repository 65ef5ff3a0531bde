"""Reads applications for many Device Certificates: from CSV, JSON Lines, ZIP archives, folders, or a range of Devices.

All input is untrusted: sizes and counts are limited, nothing is unpacked to disk, links are not followed, and what cannot
be read is reported by its name without hiding the rest.
"""

from smki.interchange.device_requests.contents import (
    DeviceRequest,
    DeviceRequests,
    UnreadableRequest,
    requests_for_range,
)
from smki.interchange.device_requests.sources import open_requests

__all__ = [
    "DeviceRequest",
    "DeviceRequests",
    "UnreadableRequest",
    "open_requests",
    "requests_for_range",
]
