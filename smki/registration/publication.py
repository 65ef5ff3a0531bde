"""The command with which an officer of the DCC issues a revocation list, whether or not one is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smki.authority.revocation_lists import POLICIES
from smki.identity import SerialNumber
from smki.ledger import ListRecord
from smki.problem import NotFound, Problem
from smki.registration.command import Command, Context, Done
from smki.registration.revocation_lists import PublishList


@dataclass(frozen=True, slots=True)
class PublishNow(Command[ListRecord]):
    """Issue the next revocation list of the authority with a serial number."""

    requires_dcc: ClassVar[bool] = True

    issuer: SerialNumber
    """Serial number of the authority's certificate."""

    def carry_out(self, context: Context) -> Done[ListRecord]:
        """Issue the list.

        :raises NotFound: if no authority with that certificate issues lists.
        """
        record = context.transaction.certificate(self.issuer)
        if record is None or record.kind not in POLICIES:
            seen = "not in the ledger" if record is None else f"{record.kind.title_with_article}'s"
            raise NotFound(
                Problem(
                    code="authority.unknown",
                    subject=f"certificate {self.issuer}",
                    seen=seen,
                    expected=f"the certificate of one of: {', '.join(kind.title for kind in POLICIES)}",
                    remedy="authority.list",
                )
            )
        done = PublishList(context.hierarchy.of(record)).carry_out(context)
        if done.outcome is None:
            raise AssertionError("a list was requested unconditionally but not made")
        return Done(done.outcome, done.happened)
