"""One row of the catalogue of defects, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from smki.profile.catalogue import CATALOGUE
from smki.testing.defects.cast import Base, Cast
from smki.testing.defects.edits import Edit
from smki.testing.defects.verdict import Openssl, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One thing that is wrong with a certificate, a request or a list that is right otherwise."""

    name: str
    base: Base
    """What it is made from: the good twin."""
    wrong: str
    """What is wrong, in words."""
    edit: Edit
    """How it is made."""
    codes: tuple[str, ...]
    """What the lint finds, given the issuer's certificate (and :attr:`asked`): these codes and no other."""
    verdict: Verdict
    """What a Relying Party decides on the certificate that is presented to it."""
    openssl: Openssl
    clause: str
    """The clause that it breaks."""
    below: tuple[str, ...] = ()
    """For an authority's certificate: what the lint finds in a good one issued below, given this as the issuer."""
    issuer: Base | None = None
    """Whose certificate to give the lint as the issuer; None where there is none to be had."""
    asked: str | None = None
    """What kind to ask the lint for; None to let it judge by itself."""
    wanted: tuple[str, str] | None = None
    """Role and key usage that the certificate is to be relied on for; None where any will do."""

    def make(self, cast: Cast) -> bytes:
        """The defect (DER, or nearly)."""
        octets: bytes = self.edit(cast.good(self.base), cast).encoded()
        return octets

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.name + suffix(self.base)


def suffix(base: Base) -> str:
    """How the files of such things end; all are DER."""
    if base.is_list:
        return ".crl"
    return ".csr" if base.is_request else ".der"


_DEFAULT = object()


def defect(
    base: Base,
    name: str,
    wrong: str,
    edit: Edit,
    codes: str,
    openssl: Openssl,
    verdict: Verdict | None = None,
    *,
    clause: str = "",
    below: str = "",
    issuer: Base | object | None = _DEFAULT,
    asked: str | None = None,
    wanted: tuple[str, str] | None = None,
) -> Defect:
    """A row, with what usually follows left out.

    :param codes: separated by spaces. The first one's clause is the defect's unless another is given.
    :param verdict: by default that the profile is broken (of the list, of the certificate).
    :param issuer: by default that of the good twin.
    """
    found = tuple(codes.split())
    if verdict is None:
        verdict = Verdict.LIST_PROFILE if base.is_list else Verdict.PROFILE
        verdict = Verdict.NOT_APPLICABLE if base.is_request else verdict
    return Defect(
        name=f"{base.value}-{name}",
        base=base,
        wrong=wrong,
        edit=edit,
        codes=found,
        verdict=verdict,
        openssl=openssl,
        clause=clause or CATALOGUE[found[0]].clause,
        below=tuple(below.split()),
        issuer=base.issuer if issuer is _DEFAULT else issuer if isinstance(issuer, Base) else None,
        asked=asked,
        wanted=wanted,
    )
