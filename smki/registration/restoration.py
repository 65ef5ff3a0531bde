"""The command that lets a home go on after it was restored from a backup.

What happened between the backup and the loss of the home is not in the backup, but certificates, lists and numbers were
handed out in that time. None of them must be used again: everything that is numbered goes on above a number that the
lost time cannot have reached, and a home with a seed draws other serial numbers and keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from smki.clock import iso
from smki.ledger import CredentialKind, CredentialRecord, EventKind
from smki.problem import NotReady, Problem
from smki.registration.command import Command, Context, Done, Happened

NUMBERS_PER_SECOND = 1_000_000
"""How many numbers of one series (lists of one authority, applications, certificates, credentials, extracts) are set
aside for each second since 1970. After a restore each series goes on above the number of microseconds that have passed
until then, so that neither the lost time nor an earlier restore of the same backup can have used a number above it. Events go on without a
gap: their number is their place in the record.

Assumptions: no home hands out a million numbers of one series a second, and the machine's clock was not set back between
two restores. Such numbers are below 2**53, which every JSON parser reads exactly, until the year 2255."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOnAfterRestore(Command[int]):
    """Leave a gap in everything that is numbered, and record that the home was restored."""

    requires_dcc: ClassVar[bool] = True

    machine_microseconds: int
    """The time of the restore (:func:`smki.clock.machine_microseconds`)."""
    backup_made: datetime
    """When the backup was made, by the machine's clock (UTC)."""
    backup_sha256: str
    """SHA-256 of the manifest of the backup, hexadecimal."""

    def carry_out(self, context: Context) -> Done[int]:
        """Leave the gap, and return the number above which everything is numbered from now on.

        :raises NotReady: if the machine's clock is behind an earlier restore.
        """
        above = self.machine_microseconds * NUMBERS_PER_SECOND // 1_000_000
        earlier = context.transaction.numbers_above()
        if above <= earlier:
            raise NotReady(
                Problem(
                    code="restore.clock-behind",
                    subject="the machine's clock",
                    seen=f"{above} microseconds since 1970",
                    expected=f"more than {earlier}, when the home was restored before",
                )
            )
        detail = f"from a backup made at {iso(self.backup_made)}; numbers go on above {above}"
        content = {"numbersAbove": above, "backupMade": iso(self.backup_made), "backupSha256": self.backup_sha256}
        return Done(above, Happened(kind=EventKind.RESTORED, detail=detail, content=content))


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeAllCredentials(Command[tuple[CredentialRecord, ...]]):
    """Revoke every API key and every officer's token, because some may have been revoked in the lost time."""

    requires_dcc: ClassVar[bool] = True

    revoked: datetime

    def carry_out(self, context: Context) -> Done[tuple[CredentialRecord, ...]]:
        """Revoke all that are not revoked, and return them."""
        credentials = context.transaction.credentials
        meant = tuple(each for kind in CredentialKind for each in credentials.all(kind) if each.revoked is None)
        for each in meant:
            context.transaction.revoke_credential(each.id, self.revoked)
        if not meant:
            return Done((), None)
        content = {"ids": sorted(each.id for each in meant), "kind": "all"}
        detail = f"all {len(meant)} API keys and tokens, after a restore"
        return Done(meant, Happened(kind=EventKind.CREDENTIAL_REVOKED, detail=detail, content=content))
