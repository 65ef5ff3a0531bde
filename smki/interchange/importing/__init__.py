"""Certificates made elsewhere, taken in: ``sources`` finds them in files, ``taking`` lints and keeps them."""

from smki.interchange.importing.sources import Found, FoundKey, Unreadable, find_certificates
from smki.interchange.importing.taking import Importer, Outcome

__all__ = ["Found", "FoundKey", "Importer", "Outcome", "Unreadable", "find_certificates"]
