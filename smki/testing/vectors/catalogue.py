"""The catalogue of defects as cases: every defect as a Relying Party sees it."""

from __future__ import annotations

from collections.abc import Iterator

from smki.testing.defective import DefectiveCertificate
from smki.testing.defects import DEFECTS, Cast
from smki.testing.vectors.case import Case
from smki.testing.vectors.world import MOMENT


def defects(seed: str) -> Iterator[Case]:
    """A case for each defect of the catalogue that is not of a certification request."""
    cast = Cast(MOMENT, seed)
    for defect in DEFECTS:
        if not defect.base.is_request:
            yield _case(DefectiveCertificate(defect, cast))


def _case(defective: DefectiveCertificate) -> Case:
    """A defective list is given beside a good certificate, a defective authority above one."""
    defect, crl, arl = defective.defect, defective.crl, defective.arl
    return Case(
        name=f"catalogue-{defect.name}",
        about=defect.wrong,
        expected=defect.verdict.code,
        certificate=defective.certificate,
        trust_anchors=(defective.trust_anchor,),
        chain=defective.chain,
        crls=() if crl is None else (crl,),
        arls=() if arl is None else (arl,),
        use="/".join(defect.wanted) if defect.wanted else "",
    )
