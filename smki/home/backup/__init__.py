"""Backups of a home in one file, and homes restored from them.

``archive`` defines the file and reads it within bounds; ``making`` writes one while the home is in use; ``restoring``
makes a home from one; ``staging`` is where both work, so that what they make appears completely or not at all.
"""

from smki.home.backup.making import make_backup
from smki.home.backup.restoring import Restored, restore_backup

__all__ = ["Restored", "make_backup", "restore_backup"]
