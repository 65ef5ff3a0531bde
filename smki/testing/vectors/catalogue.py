"""The catalogue of defects as cases: every defect as a Relying Party sees it."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

from smki.pki.certificate import read_certificate
from smki.testing.vectors.case import Case
from smki.testing.vectors.world import MOMENT

_CATALOGUE = "smki.testing.defects"


def defects(seed: str) -> Iterator[Case]:
    """A case for each defect of the catalogue that is not of a certification request; none without the catalogue."""
    if importlib.util.find_spec(_CATALOGUE) is None:
        return
    catalogue: Any = importlib.import_module(_CATALOGUE)
    cast = catalogue.Cast(MOMENT, seed)
    for defect in catalogue.DEFECTS:
        if not defect.base.is_request:
            yield _case(defect, cast, catalogue.Base)


def _case(defect: Any, cast: Any, base: Any) -> Case:
    """A defective list is given beside a good certificate; a defective Issuing OCA or DCA above one."""
    octets: bytes = defect.make(cast)
    good = cast.good_octets
    certificate, chain = octets, [good(base.ISSUING_OCA), good(base.ISSUING_DCA)]
    crl, arl = good(base.CRL), good(base.ARL)
    if defect.base is base.CRL:
        certificate, crl = good(base.ORGANISATION), octets
    elif defect.base is base.ARL:
        certificate, arl = good(base.ORGANISATION), octets
    elif defect.base in (base.ISSUING_OCA, base.ISSUING_DCA) and _stands_above(defect, octets, good(defect.base)):
        certificate = good(base.ORGANISATION if defect.base is base.ISSUING_OCA else base.DEVICE)
        chain = [octets]
    elif defect.base in (base.ISSUING_OCA, base.ISSUING_DCA):
        chain = [good(defect.base)]
    if defect.verdict.code == "path.length":
        certificate, chain = _device_below(octets, cast, base), [octets, good(base.ISSUING_DCA)]
    return Case(
        name=f"catalogue-{defect.name}",
        about=defect.wrong,
        expected=defect.verdict.code,
        certificate=certificate,
        trust_anchors=(good(base.ROOT_OCA), good(base.ROOT_DCA)),
        chain=tuple(chain),
        crls=(crl,),
        arls=(arl,),
        use="/".join(defect.wanted) if defect.wanted else "",
    )


def _stands_above(defect: Any, octets: bytes, good: bytes) -> bool:
    """Whether a defective authority is still the one that the certificates below it name as their issuer."""
    subject, wanted = read_certificate(octets).subject, read_certificate(good).subject
    same = subject is not None and wanted is not None and subject.encoded == wanted.encoded
    return same and defect.verdict.code not in ("path.authority-offered", "profile")


def _device_below(authority: bytes, cast: Any, base: Any) -> bytes:
    """A Device Certificate by an authority that has the Issuing DCA's key under another name."""
    edits: Any = importlib.import_module(f"{_CATALOGUE}.edits")
    subject = read_certificate(authority).subject
    assert subject is not None
    octets: bytes = edits.put(issuer=subject.encoded)(cast.good(base.DEVICE), cast).encoded()
    return octets
