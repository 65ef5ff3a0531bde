"""Extracts: files of the issued certificates, either all of them or the changes since the previous extract.

``lines`` defines the format of a line and ``manifest`` that of the manifest; ``making`` creates extracts from the
ledger, and ``chain`` combines a full extract with the deltas after it.
"""

from smki.interchange.extracts.chain import apply, verify
from smki.interchange.extracts.making import Extracts
from smki.interchange.extracts.manifest import Extract, ExtractType, read_extract

__all__ = ["Extract", "ExtractType", "Extracts", "apply", "read_extract", "verify"]
