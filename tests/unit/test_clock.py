"""Clocks, and how moments are written."""

from datetime import UTC, datetime, timedelta

import pytest

from smki.clock import FixedClock, RealClock, ShiftedClock, from_seconds, iso, parse_moment, to_seconds
from smki.problem import Malformed

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_clocks() -> None:
    assert FixedClock(NOON).now() == NOON
    assert ShiftedClock(FixedClock(NOON), timedelta(days=-1)).now() == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert abs(RealClock().now() - datetime.now(UTC)) < timedelta(seconds=2)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21T12:00:00Z", NOON),
        ("2026-11-21 13:00+01:00", NOON),
    ],
)
def test_moments_read(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "1949-12-31", "21.11.2026"])
def test_moments_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_moment(text)
    assert caught.value.code == "time.malformed"


@pytest.mark.parametrize(
    "moment", [NOON, datetime(1950, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]
)
def test_seconds_and_text(moment: datetime) -> None:
    assert from_seconds(to_seconds(moment)) == moment
    assert parse_moment(iso(moment)) == moment
