"""Commands that make and revoke API keys and officers' tokens.

The times of credentials are those of the real clock, whatever the clock of the SMKI shows. They are therefore fields of
the commands.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from smki.identity import PartyId
from smki.ledger import CredentialKind, CredentialRecord, EventKind
from smki.problem import Malformed, NotFound, Problem
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.parties import known_registrant
from smki.sec.vocabulary import listed

PREFIXES = {CredentialKind.API_KEY: "smki-key-", CredentialKind.OFFICER_TOKEN: "smki-officer-"}
"""Prefixes of secrets, by which they are recognised if they leak into a log or a repository."""

MAX_NAME = 64
"""Maximum number of characters of the name of an API key."""


@dataclass(frozen=True, slots=True)
class MadeCredential:
    """A credential and its secret, which is returned only here."""

    record: CredentialRecord
    secret: str
    """A prefix and 43 characters of base64url."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeApiKey(Command[MadeCredential]):
    """Make an API key with which a system reads the Repository (SEC Appendix P)."""

    requires_dcc: ClassVar[bool] = True

    name: str
    created: datetime
    expires: datetime | None = None

    def carry_out(self, context: Context) -> Done[MadeCredential]:
        """Make the key.

        :raises Malformed: if the name is empty or belongs to a key that is not revoked.
        """
        name = self.name
        if not name.strip() or not name.isprintable() or len(name) > MAX_NAME:
            expected = f"1 to {MAX_NAME} printable characters"
            raise Malformed(
                Problem(code="credential.name", subject="name", seen=f"{name[:MAX_NAME]!r}", expected=expected)
            )
        keys = context.transaction.credentials.all(CredentialKind.API_KEY)
        if any(key.name == name and key.revoked is None for key in keys):
            raise Malformed(
                Problem(
                    code="credential.exists",
                    subject=f"API key {name}",
                    seen="already exists",
                    expected="a name that is not in use",
                )
            )
        record = CredentialRecord(kind=CredentialKind.API_KEY, name=name, created=self.created, expires=self.expires)
        return _make(context, record)


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeToken(Command[MadeCredential]):
    """Make a token with which an officer acts over HTTP."""

    requires_dcc: ClassVar[bool] = True

    party: PartyId
    officer: str = ""
    """The officer; empty for the first officer of the Party."""
    created: datetime
    expires: datetime | None = None

    def carry_out(self, context: Context) -> Done[MadeCredential]:
        """Make the token.

        :raises NotFound: if there is no such Party or Testing Participant, or it has no such officer.
        """
        who = known_registrant(context.transaction, self.party)
        names = [officer.name for officer in who.officers]
        officer = self.officer or (names[0] if names else "")
        if officer not in names:
            raise NotFound(
                Problem(
                    code="officer.unknown",
                    subject=f"officer {officer[:64]}",
                    seen=f"not an officer of {who.name}",
                    expected=listed(names) or "an officer",
                )
            )
        record = CredentialRecord(
            kind=CredentialKind.OFFICER_TOKEN,
            name=officer,
            party=str(self.party),
            created=self.created,
            expires=self.expires,
        )
        return _make(context, record)


def _make(context: Context, record: CredentialRecord) -> Done[MadeCredential]:
    secret = PREFIXES[record.kind] + secrets.token_urlsafe(32)
    made = context.transaction.add_credential(record, secret)
    whose = f" of {made.party}" if made.party else ""
    happened = Happened(
        kind=EventKind.CREDENTIAL_MADE,
        concerns=made.party or "",
        detail=f"{made.kind.value} {made.id}, {made.name}{whose}",
        content={"id": made.id, "kind": made.kind.value, "name": made.name},
    )
    return Done(MadeCredential(made, secret), happened)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeCredential(Command[tuple[CredentialRecord, ...]]):
    """Revoke an API key, or the tokens of an officer."""

    requires_dcc: ClassVar[bool] = True

    kind: CredentialKind
    name: str = ""
    """The name of the key or the officer, or, if there is none of that name, the number of a credential."""
    number: int | None = None
    """The number of a credential; :attr:`name` is then ignored."""
    party: PartyId | None = None
    """For tokens: revoke only those of this Party or Testing Participant."""
    revoked: datetime

    def carry_out(self, context: Context) -> Done[tuple[CredentialRecord, ...]]:
        """Revoke every matching credential.

        :raises NotFound: if there is none that is not revoked.
        :raises Malformed: if officers of that name of several Parties have tokens, and no Party is named.
        """
        credentials = context.transaction.credentials
        meant = self._meant(credentials.all(self.kind))
        for each in meant:
            context.transaction.revoke_credential(each.id, self.revoked)
        ids = sorted(each.id for each in meant)
        revoked = tuple(each for each in credentials.all(self.kind) if each.id in ids)
        happened = Happened(
            kind=EventKind.CREDENTIAL_REVOKED,
            concerns=meant[0].party or "",
            detail=", ".join(f"{each.kind.value} {each.id}, {each.name}" for each in revoked),
            content={"ids": ids, "kind": self.kind.value},
        )
        return Done(revoked, happened)

    def _meant(self, credentials: list[CredentialRecord]) -> list[CredentialRecord]:
        valid = [
            each
            for each in credentials
            if each.revoked is None and (self.party is None or each.party == str(self.party))
        ]
        if self.number is not None:
            meant = [each for each in valid if each.id == self.number]
        else:
            meant = [each for each in valid if each.name == self.name]
            meant = meant or [each for each in valid if str(each.id) == self.name]
        asked_for = str(self.number) if self.number is not None else self.name[:MAX_NAME]
        if not meant:
            raise NotFound(
                Problem(
                    code="credential.unknown",
                    subject=f"{self.kind.value} {asked_for}",
                    seen="none that is not revoked",
                    expected="the name or the number of one",
                )
            )
        parties = sorted({each.party or "" for each in meant})
        if len(parties) > 1:
            raise Malformed(
                Problem(
                    code="credential.ambiguous",
                    subject=f"{self.kind.value} {asked_for}",
                    seen=f"officers of that name of {listed(parties)}",
                    expected="the tokens of one Party's officer",
                )
            )
        return meant
