"""A Repository that misbehaves when told to, for tests of those who have to bear it."""

from smki_repository.faults.fault import Fault, FaultKind
from smki_repository.faults.register import Faults, SetFault

__all__ = ["Fault", "FaultKind", "Faults", "SetFault"]
