"""The one gate: an application goes in, a certificate or a reasoned refusal comes out."""

from smki.registration.application import Application, Issued, Refusal, Refused
from smki.registration.gate import Registration

__all__ = ["Application", "Issued", "Refusal", "Refused", "Registration"]
