"""Clocks, and how moments are written."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from smki.clock import (
    AdjustableClock,
    FixedClock,
    HomeClock,
    RealClock,
    ShiftedClock,
    TravellingClock,
    from_seconds,
    iso,
    parse_moment,
    to_seconds,
    utc,
)
from smki.home.configuration import beginning
from smki.identity import SerialNumber
from smki.problem import Malformed
from smki.relying_party import NumbersSeen, RelyingParty, RepositoryClient, Suspicion

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


@pytest.mark.parametrize(
    "take",
    [
        FixedClock,
        AdjustableClock,
        AdjustableClock().set,
        TravellingClock(RealClock()).travel,
        lambda moment: HomeClock(Path("nowhere")).set(moment),
        to_seconds,
        lambda moment: beginning(None, moment),
        lambda moment: RelyingParty([]).verify(b"", at=moment),
        lambda moment: RepositoryClient("http://127.0.0.1:1").revocation_lists(moment),
        lambda moment: NumbersSeen().note(b"x", 1, moment),
        lambda moment: NumbersSeen().highest(b"x", moment),
        lambda moment: NumbersSeen([(b"x", 1, moment)]),
        lambda moment: Suspicion(SerialNumber(1), "a rumour", moment),
    ],
)
def test_a_moment_without_a_time_zone_is_refused_wherever_one_is_taken(take: Callable[[datetime], object]) -> None:
    with pytest.raises(Malformed) as caught:
        take(datetime(2026, 6, 15, 12, 0))
    (problem,) = caught.value.problems
    assert problem.code == "time.naive"
    assert problem.expected == "a datetime in UTC"
    assert problem.seen == "2026-06-15T12:00:00, without a time zone"
    assert "tzinfo=datetime.UTC" in problem.remedy


def test_a_moment_of_another_zone_is_the_same_moment_in_utc() -> None:
    summer_time = timezone(timedelta(hours=1))
    local = datetime(2026, 11, 21, 13, 0, 0, 999999, tzinfo=summer_time)
    assert utc(local, "at") == NOON
    assert iso(FixedClock(local).now()) == "2026-11-21T12:00:00Z"
    assert iso(RelyingParty([]).verify(b"", at=local).moment) == "2026-11-21T12:00:00Z"


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_moment_that_utc_cannot_express_is_refused(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    moment = datetime.max.replace(tzinfo=zone) if hours < 0 else datetime.min.replace(tzinfo=zone)
    with pytest.raises(Malformed) as caught:
        RelyingParty([]).verify(b"", at=moment)
    assert caught.value.code == "time.malformed"


@pytest.mark.parametrize("content", ['{"shiftSeconds": 1e400}', '{"shiftSeconds": 1e15}', "[" * 100_000])
def test_a_clock_file_of_any_content_is_reported(tmp_path: Path, content: str) -> None:
    (tmp_path / "clock.json").write_text(content)
    with pytest.raises(Malformed) as caught:
        HomeClock(tmp_path / "clock.json").now()
    assert caught.value.code == "clock.unreadable"
