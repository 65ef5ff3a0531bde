"""The command that imports certificates issued elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smki.ledger import EventKind, NewImport
from smki.registration.command import Command, Context, Done, Happened


@dataclass(frozen=True, slots=True)
class Import(Command[int]):
    """Import certificates, all of them or none. A certificate that was imported before is left unchanged."""

    requires_dcc: ClassVar[bool] = True

    certificates: tuple[NewImport, ...]

    def carry_out(self, context: Context) -> Done[int]:
        """Store the certificates and return how many of them were new."""
        before = context.transaction.imports.count()
        context.transaction.add_imports(self.certificates, context.now)
        added = context.transaction.imports.count() - before
        if not added:
            return Done(0, None)
        sources = sorted({new.source for new in self.certificates})
        detail = f"{added} certificates from {', '.join(sources[:3])}" + (" and others" if len(sources) > 3 else "")
        content = {"sha256": [new.certificate.sha256.hex() for new in self.certificates]}
        return Done(added, Happened(kind=EventKind.IMPORTED, detail=detail, content=content))
