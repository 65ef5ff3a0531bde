"""The commands that decide on applications and issue the certificates that are granted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smki.pki.template import RequestTemplates
from smki.registration.application import Application, Issued, Refusal, Refused
from smki.registration.command import Command, Context, Done
from smki.registration.examination import ExaminedApplication, examine
from smki.registration.granting import decide_and_issue

__all__ = ["Application", "Apply", "ApplyTogether", "DecideTogether", "Issued", "Refusal", "Refused"]


@dataclass(frozen=True, slots=True)
class Apply(Command[Issued | Refusal]):
    """Decide on an application and issue the certificate if it is granted. A refusal is recorded too.

    The applicant is the Party of the actor. If the actor names none, it is the Party that the Entity Identifier belongs
    to or, for a Device, the first that is eligible (:mod:`smki.registration.applicants`).
    """

    application: Application

    def prepare(self, templates: RequestTemplates | None = None) -> Command[Issued | Refusal]:
        """Parse, lint and verify the request."""
        return _DecideOnOne((examine(self.application, templates),))

    def carry_out(self, context: Context) -> Done[Issued | Refusal]:
        """Decide on the application, and issue the certificate if it is granted."""
        return self.prepare().carry_out(context)


@dataclass(frozen=True, slots=True)
class ApplyTogether(Command[Sequence[Issued | Refusal]]):
    """Decide on several applications, in their order, and issue the certificates that are granted. Each has the outcome,
    the application and the audit event that it would have by itself; all are recorded in one transaction.
    """

    applications: tuple[Application, ...]

    def prepare(self, templates: RequestTemplates | None = None) -> Command[Sequence[Issued | Refusal]]:
        """Parse, lint and verify the requests."""
        return DecideTogether(tuple(examine(each, templates) for each in self.applications))

    def carry_out(self, context: Context) -> Done[Sequence[Issued | Refusal]]:
        """Decide on the applications, and issue the certificates that are granted."""
        return self.prepare().carry_out(context)


@dataclass(frozen=True, slots=True)
class _DecideOnOne(Command[Issued | Refusal]):
    """A batch of one."""

    applications: tuple[ExaminedApplication]

    @classmethod
    def together(cls, commands: Sequence[Command[Issued | Refusal]]) -> Command[Sequence[Issued | Refusal]]:
        """Return the command that decides on several applications."""
        return DecideTogether(tuple(each.applications[0] for each in commands if isinstance(each, _DecideOnOne)))

    def carry_out(self, context: Context) -> Done[Issued | Refusal]:
        (outcome,), appended = decide_and_issue(context, self.applications)
        return Done(outcome, None, appended)


@dataclass(frozen=True, slots=True)
class DecideTogether(Command[Sequence[Issued | Refusal]]):
    """The command :class:`ApplyTogether`, once the requests are examined."""

    applications: tuple[ExaminedApplication, ...]

    def carry_out(self, context: Context) -> Done[Sequence[Issued | Refusal]]:
        """Decide on the applications, and issue the certificates that are granted."""
        outcomes, appended = decide_and_issue(context, self.applications)
        return Done(outcomes, None, appended)
