"""A good case of each kind, from which the others are made by changing one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from smki.sec.role import CertificateKind
from smki.testing.vectors.case import TRUSTED, Case
from smki.testing.vectors.world import Plan, World


class Setting:
    """Makes cases in one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.root_oca = world.certificate(world.root_oca)
        self.issuing_oca = world.certificate(world.issuing_oca)
        self.root_dca = world.certificate(world.root_dca)
        self.issuing_dca = world.certificate(world.issuing_dca)
        self.crl = world.crl()
        self.arl = world.arl()

    def case(self, name: str, about: str, expected: str = TRUSTED, plan: Plan | None = None, **changes: Any) -> Case:
        """A case about the certificate of a plan; what *changes* do not say is good.

        :param plan: an Organisation's or a Device's certificate; a Supplier's by default.
        """
        plan = plan or self.world.organisation()
        of_device = plan.kind in (CertificateKind.DEVICE, CertificateKind.ISSUING_DCA, CertificateKind.ROOT_DCA)
        good = Case(
            name=name,
            about=about,
            expected=expected,
            certificate=changes["certificate"] if "certificate" in changes else self.world.certificate(plan),
            trust_anchors=(self.root_dca,) if of_device else (self.root_oca,),
            chain=(self.issuing_dca,) if of_device else (self.issuing_oca,),
            crls=() if of_device else (self.crl,),
            arls=() if of_device else (self.arl,),
        )
        return replace(good, **changes)
