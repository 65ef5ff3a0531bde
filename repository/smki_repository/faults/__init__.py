"""Fault injection: a Repository that misbehaves on request, for testing its clients."""

from smki_repository.faults.fault import Fault, FaultKind
from smki_repository.faults.register import Faults, SetFault

__all__ = ["Fault", "FaultKind", "Faults", "SetFault"]
