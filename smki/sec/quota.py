"""Quotas: the number of Test Certificates that a participant may have for a test (SEC H14.11)."""

from __future__ import annotations

from smki.problem import Malformed, Problem


def check_quota(quota: int | None, subject: str) -> None:
    """Check a quota; None means no limit.

    :param subject: whose quota it is, for the error message.
    :raises Malformed: if it is negative.
    """
    if quota is not None and quota < 0:
        raise Malformed(_not_a_quota(str(quota), subject))


def parse_quota(text: str) -> int | None:
    """Parse a number of certificates of at most 12 digits; an empty text means no limit.

    :raises Malformed: for anything else.
    """
    text = text.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    raise Malformed(_not_a_quota(f"{text[:64]!r}", "quota"))


def _not_a_quota(seen: str, subject: str) -> Problem:
    return Problem(
        code="quota.malformed", subject=subject, seen=seen, expected="a whole number of certificates, zero or more"
    )
