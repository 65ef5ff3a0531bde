"""Every change of state: one command each, run in one transaction, recorded as one audit event.

``command`` runs them; ``applications``, ``acceptance``, ``revocation``, ``revocation_lists``, ``authorities``, ``parties``,
``devices``, ``credentials``, ``imports`` and ``clock`` are the commands. ``inquiry`` answers questions without changing
anything.
"""

from smki.registration.actor import Actor
from smki.registration.applications import Application, Apply, Issued, Refusal, Refused
from smki.registration.command import Command, Registration

__all__ = ["Actor", "Application", "Apply", "Command", "Issued", "Refusal", "Refused", "Registration"]
