"""Import of certificates made elsewhere: ``sources`` finds them in files, ``importer`` lints and stores them."""

from smki.interchange.importing.contents import Found, FoundKey, Unreadable
from smki.interchange.importing.importer import Importer, ImportOutcome
from smki.interchange.importing.sources import find_certificates

__all__ = ["Found", "FoundKey", "ImportOutcome", "Importer", "Unreadable", "find_certificates"]
