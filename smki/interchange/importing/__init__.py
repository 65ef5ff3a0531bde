"""Import of certificates made elsewhere: ``sources`` finds them in files, ``taking`` lints and stores them."""

from smki.interchange.importing.contents import Found, FoundKey, Unreadable
from smki.interchange.importing.sources import find_certificates
from smki.interchange.importing.taking import Importer, ImportOutcome

__all__ = ["Found", "FoundKey", "ImportOutcome", "Importer", "Unreadable", "find_certificates"]
