"""Descriptions of Parties in decisions."""

from __future__ import annotations

from functools import cache

from smki.sec.party import Party, PartyCategory
from smki.sec.role import UserRole
from smki.sec.vocabulary import listed


def described(party: Party) -> str:
    """Return what a Party is and how it acts: ``a Large Supplier Party acting as Import Supplier``."""
    return _acting(party.category, party.acts_as, party.is_user)


@cache
def _acting(category: PartyCategory, acts_as: frozenset[UserRole], is_user: bool) -> str:
    if category is PartyCategory.DCC:
        return "the DCC"
    roles = listed(role.value for role in UserRole if role in acts_as)
    user = "" if is_user else ", not a User"
    article = "an" if category in (PartyCategory.ELECTRICITY_NETWORK, PartyCategory.OTHER) else "a"
    return f"{article} {category} acting as {roles}{user}" if roles else f"{article} {category} in no User Role"
