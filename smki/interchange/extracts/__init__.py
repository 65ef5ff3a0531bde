"""Extracts: what was issued as a file, in full or what changed since the extract before.

``lines`` says what a line holds, ``manifest`` what an extract says about itself, ``making`` makes them from the ledger,
``chain`` puts a full one and the deltas after it together again.
"""

from smki.interchange.extracts.chain import apply, verify
from smki.interchange.extracts.making import Extracts
from smki.interchange.extracts.manifest import Extract, ExtractType, read_extract

__all__ = ["Extract", "ExtractType", "Extracts", "apply", "read_extract", "verify"]
