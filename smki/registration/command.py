"""Commands: the only way to change the state of an SMKI.

A command is a typed value. :meth:`Registration.execute` runs it in one transaction of the ledger, which checks its
preconditions, writes the change and appends one audit event, or does none of these. The command line, the REST
interface, the XML services, the portal and the pytest fixtures only translate to and from commands; the rules are
implemented here. A command that decides on several applications appends one event for each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from smki.authority.hierarchy import Hierarchy
from smki.authority.issuance import Issuance
from smki.clock import Clock, TravellingClock
from smki.identity import EntityIdentifier
from smki.ledger import CertificateRecord, EventKind, Ledger, NewEvent, Transaction
from smki.pki.template import RequestTemplates
from smki.problem import Malformed, not_text
from smki.registration.actor import Actor
from smki.registration.authorisation import require_dcc
from smki.registration.combining import Combining
from smki.workers import Workers

T = TypeVar("T")

_ACTOR_IN_APPLICATION = frozenset({EventKind.ISSUED, EventKind.REFUSED, EventKind.AUTHORITY_ADDED})
"""Kinds of events that do not store who acted, because their application does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings that were chosen when an SMKI was made."""

    deemed_accepted_after: timedelta = timedelta(0)
    """Time after its issue at which an Organisation Certificate is deemed accepted; zero for at once (SEC L11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The environment in which a command is carried out."""

    transaction: Transaction
    now: datetime
    """The time of the command, UTC."""
    actor: Actor
    hierarchy: Hierarchy
    issuance: Issuance
    settings: Settings
    workers: Workers | None = None
    """Processes that share the work on a large batch; None to do it in this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What a command did, for its audit event."""

    kind: EventKind
    certificate: CertificateRecord | None = None
    application_id: int | None = None
    concerns: str = ""
    """The id of the Party or Testing Participant that was changed."""
    device_id: EntityIdentifier | None = None
    detail: str = ""
    content: dict[str, Any] | None = None
    officer: str = ""
    """The officer who acted, if the command determined it; by default the actor's."""
    party: str = ""

    def event(self, actor: Actor, now: datetime) -> NewEvent:
        """Return the audit event."""
        in_application = self.kind in _ACTOR_IN_APPLICATION
        return NewEvent(
            at=now,
            kind=self.kind,
            interface="" if in_application else actor.interface,
            party="" if in_application else self.party or actor.party,
            officer="" if in_application else self.officer or actor.officer,
            concerns=self.concerns,
            device_id=self.device_id,
            application_id=self.certificate.application_id if self.certificate else self.application_id,
            certificate_id=self.certificate.id if self.certificate else None,
            detail=self.detail,
            content=self.content,
        )


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The result of a command."""

    outcome: T
    happened: Happened | None
    """None where nothing had to be done, so that nothing was written, and where decisions were recorded."""
    appended: Sequence[tuple[int, NewEvent]] = ()
    """Events that the command appended itself, with their numbers: of decisions that it recorded."""
    undo: Callable[[], None] | None = None
    """Undoes what the command changed outside the ledger; called when the transaction could not be committed."""


class Command(ABC, Generic[T]):
    """A change of the state of an SMKI."""

    requires_dcc: ClassVar[bool] = False
    """Whether only the operator of the home and officers of the DCC may run the command."""

    def prepare(self, templates: RequestTemplates | None = None) -> Command[T]:
        """Do the work that needs no ledger, before the transaction begins, and return the command to carry out.

        :param templates: shorten the lint of certification requests.
        """
        return self

    @classmethod
    def together(cls, commands: Sequence[Command[T]]) -> Command[Sequence[T]] | None:
        """Return the command that does the work of several of this class, made by the same actor, and returns their outcomes
        in the same order; None if each has to be run by itself."""
        return None

    @abstractmethod
    def carry_out(self, context: Context) -> Done[T]:
        """Check the preconditions and write the change, inside the transaction.

        :raises SmkiError: if the command is refused; nothing is written then.
        """


class Registration:
    """Runs commands.

    :param appended: called with the last event of each command and its number, once it is durable.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        hierarchy: Hierarchy,
        issuance: Issuance,
        settings: Settings,
        appended: Callable[[int, NewEvent], None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._hierarchy = hierarchy
        self._issuance = issuance
        self._settings = settings
        self._appended = appended
        self._templates = RequestTemplates()
        self._combining = Combining(self._execute)

    def execute(self, command: Command[T], actor: Actor, workers: Workers | None = None) -> T:
        """Run a command in one transaction, with its audit event. When this returns, the change is durable.

        :param workers: processes that share the work on a large batch.
        :raises NotAuthorised: when it requires the DCC and the actor is somebody else.
        :raises SmkiError: when it is refused, with the reasons; nothing is written then.
        :raises Malformed: when a text of it cannot be stored, because there are surrogates in it.
        :raises LedgerUnavailable: when the ledger could not be written; nothing of it is stored then.
        :raises NotReady: when a request has set another time for itself, which its commands may not have.
        """
        if isinstance(self._clock, TravellingClock):
            self._clock.require_present()
        prepared = command.prepare(self._templates)
        if workers is None and not command.requires_dcc and prepared.together((prepared,)) is not None:
            outcome: T = self._combining.run(prepared, actor)
            return outcome
        return self._execute(prepared, actor, workers, requires_dcc=command.requires_dcc)

    def _execute(
        self, prepared: Command[T], actor: Actor, workers: Workers | None = None, *, requires_dcc: bool = False
    ) -> T:
        caller = copy_context()
        undo: list[Callable[[], None]] = []
        events: list[tuple[int, NewEvent]] = []

        def work(transaction: Transaction) -> T:
            # Read inside the transaction, so that times are in the order of the events. Another thread may run this,
            # and the time of a TravellingClock is set for the caller.
            now = caller.run(self._clock.now)
            if requires_dcc:
                require_dcc(transaction, actor)
            context = Context(
                transaction=transaction,
                now=now,
                actor=actor,
                hierarchy=self._hierarchy,
                issuance=self._issuance,
                settings=self._settings,
                workers=workers,
            )
            done = prepared.carry_out(context)
            if done.undo is not None:
                undo.append(done.undo)
            if done.happened is not None:
                event = done.happened.event(actor, now)
                events.append((transaction.append_event(event), event))
            events.extend(done.appended)
            return done.outcome

        try:
            outcome = self._ledger.transact(work)
        except BaseException as error:
            for step in undo:
                step()
            if isinstance(error, UnicodeEncodeError):
                raise Malformed(not_text(error)) from None
            raise
        if self._appended is not None:
            for number, event in events[-1:]:
                self._appended(number, event)
        return outcome
