"""Every change of state: each is a command that runs in one transaction and appends one audit event.

``command`` runs commands; ``applications``, ``acceptance``, ``revocation``, ``revocation_lists``, ``authorities``,
``parties``, ``identifiers``, ``appointments``, ``bulk``, ``devices``, ``credentials``, ``imports``, ``clock`` and
``restoration`` define them. ``inquiry`` and ``questions`` answer questions without changing
anything.
"""

from smki.registration.actor import Actor
from smki.registration.applications import Application, Apply, Issued, Refusal, Refused
from smki.registration.command import Command, Registration

__all__ = ["Actor", "Application", "Apply", "Command", "Issued", "Refusal", "Refused", "Registration"]
