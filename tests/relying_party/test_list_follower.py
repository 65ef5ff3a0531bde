"""When a follower asks, with which headers, what it keeps, and what it says went wrong; answers without a network."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from smki.pki.pem import MAX_INPUT_BYTES
from smki.problem import IntegrityError, Malformed, Problem
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL
from smki.relying_party.list_cache import ListCache
from smki.relying_party.list_follower import ListFollower
from smki.relying_party.transport import Reply, RepositoryError, Transport
from smki.testing.defects import Base
from smki.testing.defects.edits import put
from smki.testing.vectors import MOMENT
from tests.relying_party.test_inputs_alone import HOUR, by_nobody, issued_by_authority, revocation_list

CRL = revocation_list(Base.CRL, number=1000, until=MOMENT + 4 * HOUR)
ARL = revocation_list(Base.ARL, number=1000, until=MOMENT + 9 * HOUR)
URL = "http://repository.test/"
CRL_PATH, ARL_PATH = "crl/organisation.crl", "crl/organisation.arl"
UNREACHABLE = Problem(code="repository.unreachable", subject=URL, seen="nobody", expected="an answer")


def reply(
    body: bytes, status: int = 200, content_type: str = "application/pkix-crl", notes: Mapping[str, str] | None = None
) -> Reply:
    return Reply(status, {"content-type": content_type, **(notes or {})}, body)


@dataclass
class Repository:
    """Stands in for the transport: answers as told, and notes every question."""

    url: str = URL
    answers: dict[str, Reply | RepositoryError] = field(
        default_factory=lambda: {CRL_PATH: reply(CRL), ARL_PATH: reply(ARL)}
    )
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def ask(self, path: str, *, max_bytes: int, headers: Mapping[str, str]) -> Reply:
        assert max_bytes == MAX_INPUT_BYTES
        self.asked.append((path, dict(headers)))
        answer = self.answers[path]
        if isinstance(answer, RepositoryError):
            raise answer
        return answer


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The follower's watch: set ``now``, in seconds."""
    watch = SimpleNamespace(now=1000.0)
    watch.monotonic = lambda: watch.now
    monkeypatch.setattr("smki.relying_party.list_follower.time", watch)
    return watch


def follower(repository: Repository, cache: Path | None = None, /, **waits: float) -> ListFollower:
    return ListFollower(cast("Transport", repository), ListCache(cache), **waits)


def encoded(one: ListFollower, hours: float = 0) -> tuple[list[bytes], list[bytes]]:
    lists = one.revocation_lists(MOMENT + hours * HOUR)
    return [held.encoded for held in lists.crls], [held.encoded for held in lists.arls]


def judged_genuine(one: ListFollower) -> None:
    """What a Relying Party does with lists that it found genuine."""
    lists = one.revocation_lists(MOMENT)
    for held in (*lists.crls, *lists.arls):
        found = held.outline.header
        assert found is not None
        assert found.number is not None
        held.is_genuine = True
        one.seen.note(held.profile.name.encode() + found.issuer, found.number, found.this_update)


# When it asks


@pytest.mark.parametrize(("waits", "seconds"), [({}, 300), ({"refresh": 60}, 60)])
def test_it_asks_again_after_so_long(at: SimpleNamespace, waits: dict[str, float], seconds: int) -> None:
    repository = Repository()
    one = follower(repository, **waits)
    for later, questions in ((0, 2), (seconds - 1, 2), (seconds, 4), (2 * seconds - 1, 4), (2 * seconds, 6)):
        at.now = 1000.0 + later
        assert encoded(one) == ([CRL], [ARL])
        assert len(repository.asked) == questions, later
    one.refresh()
    encoded(one)
    assert len(repository.asked) == 8
    assert [path for path, _ in repository.asked[-2:]] == [CRL_PATH, ARL_PATH]


@pytest.mark.parametrize(("waits", "seconds"), [({}, 5), ({"retry": 20}, 20)])
@pytest.mark.parametrize("path", [CRL_PATH, ARL_PATH])
def test_it_asks_sooner_after_a_question_that_brought_nothing(
    at: SimpleNamespace, waits: dict[str, float], seconds: int, path: str
) -> None:
    repository = Repository()
    repository.answers[path] = RepositoryError(UNREACHABLE)
    one = follower(repository, **waits)
    for later, questions in ((0, 2), (seconds - 1, 2), (seconds, 4)):
        at.now = 1000.0 + later
        encoded(one)
        assert len(repository.asked) == questions


def test_it_asks_at_once_on_a_machine_that_has_just_started(at: SimpleNamespace) -> None:
    """The clock by which it waits starts at zero with the machine."""
    repository = Repository()
    one = follower(repository)
    at.now = 0.25
    encoded(one)
    assert len(repository.asked) == 2
    one.refresh()
    at.now = 0.5
    encoded(one)
    assert len(repository.asked) == 4


def test_it_waits_as_long_after_nothing_new(at: SimpleNamespace) -> None:
    repository = Repository()
    for path, body in ((CRL_PATH, CRL), (ARL_PATH, ARL)):
        repository.answers[path] = reply(body, notes={"etag": '"1"'})
    one = follower(repository)
    encoded(one)
    repository.answers = dict.fromkeys((CRL_PATH, ARL_PATH), reply(b"", 304))
    for later, questions in ((300, 4), (599, 4), (600, 6)):
        at.now = 1000.0 + later
        assert encoded(one) == ([CRL], [ARL])
        assert len(repository.asked) == questions


def test_a_moment_without_a_time_zone() -> None:
    with pytest.raises(Malformed) as caught:
        follower(Repository()).revocation_lists(datetime(2026, 6, 15, 12))
    assert caught.value.problems[0].subject == "moment"


def test_a_moment_without_lists_does_not_make_it_ask(at: SimpleNamespace) -> None:
    repository = Repository()
    one = follower(repository)
    assert encoded(one, 99) == ([], [])
    assert encoded(one) == ([CRL], [ARL])
    assert len(repository.asked) == 2


@pytest.mark.parametrize(
    ("hours", "later", "waits"),
    [(0, 0, False), (0, 4, False), (4, 4, False), (5, 9, False), (0, 5, True), (5, 4, True)],
)
def test_while_one_thread_asks_the_others_go_on(at: SimpleNamespace, hours: float, later: float, waits: bool) -> None:
    """With the lists served before, if they are those of the moment; nobody waits then for a Repository that is slow."""
    asking, answer_now = threading.Event(), threading.Event()

    class Slow(Repository):
        def ask(self, path: str, *, max_bytes: int, headers: Mapping[str, str]) -> Reply:
            if self.asked:
                asking.set()
                assert answer_now.wait(30)
            return super().ask(path, max_bytes=max_bytes, headers=headers)

    one = follower(Slow())
    thread = threading.Thread(target=encoded, args=(one, hours))
    answer_now.set()
    encoded(one, hours)
    answer_now.clear()
    asking.clear()
    at.now += 300
    thread.start()
    assert asking.wait(30)
    found: list[object] = []
    other = threading.Thread(target=lambda: found.append(encoded(one, later)))
    other.start()
    other.join(0.3 if waits else 10)
    is_waiting = other.is_alive()
    answer_now.set()
    thread.join()
    other.join()
    assert is_waiting is waits
    assert found == [([CRL] if later <= 4 else [], [ARL])]


@pytest.mark.usefixtures("at")
def test_the_same_object_as_long_as_nothing_changes() -> None:
    one = follower(Repository())
    first = one.revocation_lists(MOMENT)
    assert one.revocation_lists(MOMENT + HOUR) is first
    one.refresh()
    assert one.revocation_lists(MOMENT) is first
    assert one.revocation_lists(MOMENT + 5 * HOUR) is not first


# What it serves


@pytest.mark.usefixtures("at")
def test_until_the_second_of_next_update() -> None:
    one = follower(Repository())
    second = timedelta(seconds=1) / HOUR
    for hours, expected in (
        (0, ([CRL], [ARL])), (4, ([CRL], [ARL])), (4 + second, ([], [ARL])), (9, ([], [ARL])), (9 + second, ([], [])),
        (9, ([], [ARL])), (4, ([CRL], [ARL])), (5, ([], [ARL])),
    ):  # fmt: skip
        assert encoded(one, hours) == expected, hours
    problems = {kind.name: problem for kind, problem in one.revocation_lists(MOMENT + 10 * HOUR).problems}
    assert set(problems) == {ORGANISATION_CRL.name, ORGANISATION_ARL.name}
    overdue = problems[ORGANISATION_CRL.name]
    assert (overdue.code, overdue.subject) == ("repository.overdue", URL + CRL_PATH)
    assert overdue.expected == "a current list"
    assert overdue.seen == "a list due for replacement by 2026-06-15T16:00:00Z"
    assert problems[ORGANISATION_ARL.name].seen == "a list due for replacement by 2026-06-15T21:00:00Z"
    assert [kind for kind, _ in one.revocation_lists(MOMENT + 5 * HOUR).problems] == [ORGANISATION_CRL]
    assert one.revocation_lists(MOMENT).problems == ()
    assert one.problems() == []


@pytest.mark.usefixtures("at")
def test_a_list_without_next_update_is_never_current() -> None:
    repository = Repository()
    repository.answers[CRL_PATH] = reply(revocation_list(Base.CRL, put(next_update=b"")))
    one = follower(repository)
    lists = one.revocation_lists(MOMENT)
    assert lists.crls == ()
    problem = lists.problem(ORGANISATION_CRL)
    assert problem is not None
    assert (problem.code, problem.seen) == (
        "repository.overdue",
        "a list due for replacement by an unknown time",
    )


@pytest.mark.usefixtures("at")
def test_a_good_list_stays_beside_a_later_one() -> None:
    """Until a Relying Party has found that one genuine too."""
    repository = Repository()
    one = follower(repository, refresh=0)
    judged_genuine(one)
    newer = revocation_list(Base.CRL, number=1001, until=MOMENT + 6 * HOUR)
    repository.answers[CRL_PATH] = reply(newer)
    assert encoded(one) == ([newer, CRL], [ARL])
    assert encoded(one, 5) == ([newer, CRL], [ARL]), "one of them is current"
    judged_genuine(one)
    assert encoded(one) == ([newer], [ARL])


@pytest.mark.usefixtures("at")
def test_a_list_that_is_not_genuine_is_replaced_at_once() -> None:
    repository = Repository()
    one = follower(repository, refresh=0)
    assert encoded(one) == ([CRL], [ARL])
    lower = revocation_list(Base.CRL, number=1)
    repository.answers[CRL_PATH] = reply(lower)
    assert encoded(one) == ([lower], [ARL])
    assert one.problems() == []


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize(
    ("number", "seen"), [(999, "number 999"), (1000, ""), (1001, "")], ids=["lower", "the same", "higher"]
)
def test_a_lower_number_than_that_of_the_good_list(number: int, seen: str) -> None:
    repository = Repository()
    one = follower(repository, refresh=0)
    judged_genuine(one)
    other = revocation_list(Base.CRL, number=number, since=MOMENT - 7 * HOUR)
    repository.answers[CRL_PATH] = reply(other)
    assert encoded(one)[0] == ([CRL] if seen else [other, CRL])
    expected = [("repository.rolled-back", URL + CRL_PATH, seen, "1000 or above, as already seen")] if seen else []
    assert [(each.code, each.subject, each.seen, each.expected) for each in one.problems()] == expected


@pytest.mark.usefixtures("at")
def test_numbers_of_other_issuers_and_keys_do_not_count() -> None:
    repository = Repository()
    one = follower(repository, refresh=0)
    judged_genuine(one)
    for other in (
        revocation_list(Base.CRL, by_nobody(Base.CRL), number=1),
        revocation_list(Base.CRL, issued_by_authority(Base.ISSUING_DCA), number=1),
    ):
        repository.answers[CRL_PATH] = reply(other)
        assert encoded(one)[0] == [other, CRL]


# What went wrong

UNREADABLE = "structure.unreadable at certificateList: tag 0x72 of 117 bytes where only 5 are left at byte 0"
EXPECTED = {
    "repository.unreachable": "an answer",
    "repository.status": "200 and a list",
    "repository.content-type": "application/pkix-crl",
    "repository.not-a-list": "a revocation list, DER",
}


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize(
    ("answer", "code", "seen"),
    [
        (RepositoryError(UNREACHABLE), "repository.unreachable", "nobody"),
        (reply(CRL, 404), "repository.status", "HTTP status 404"),
        (reply(CRL, 201), "repository.status", "HTTP status 201"),
        (reply(b"", 304), "repository.status", "HTTP status 304"),
        (reply(CRL, content_type="text/html; charset=utf-8"), "repository.content-type", "text/html"),
        (reply(CRL, content_type=""), "repository.content-type", "no content type"),
        (reply(b"rubbish"), "repository.not-a-list", UNREADABLE),
    ],
    ids=["unreachable", "404", "201", "304 without a condition", "type", "no type", "rubbish"],
)
@pytest.mark.parametrize("path", [CRL_PATH, ARL_PATH])
def test_why_there_is_no_list(answer: Reply | RepositoryError, code: str, seen: str, path: str) -> None:
    repository = Repository()
    repository.answers[path] = answer
    one = follower(repository)
    lists = one.revocation_lists(MOMENT)
    missing, other = (ORGANISATION_CRL, ORGANISATION_ARL)[:: 1 if path == CRL_PATH else -1]
    assert lists.held(missing) == ()
    assert len(lists.held(other)) == 1
    [(kind, problem)] = lists.problems
    assert [problem] == one.problems()
    assert kind is missing
    assert lists.problem(missing) is problem
    assert lists.problem(other) is None
    assert (problem.code, problem.seen, problem.expected) == (code, seen, EXPECTED[code])
    assert problem.subject == (URL if code == "repository.unreachable" else URL + path)


def test_what_went_wrong_is_forgotten_once_it_is_right(at: SimpleNamespace) -> None:
    repository = Repository()
    one = follower(repository)
    encoded(one)
    repository.answers[CRL_PATH] = reply(CRL, 500)
    at.now += 300
    assert encoded(one) == ([CRL], [ARL])
    assert [problem.code for problem in one.problems()] == ["repository.status"]
    repository.answers[CRL_PATH] = reply(CRL)
    at.now += 5
    encoded(one)
    assert one.problems() == []


# Headers and the cache


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize(
    ("notes", "condition"),
    [
        ({}, {}),
        ({"etag": '"1"'}, {"If-None-Match": '"1"'}),
        ({"last-modified": "yesterday"}, {"If-Modified-Since": "yesterday"}),
        ({"etag": '"1"', "last-modified": "yesterday"}, {"If-None-Match": '"1"'}),
        ({"etag": '"\xe9"', "last-modified": "yesterday"}, {"If-Modified-Since": "yesterday"}),
        ({"date": "today"}, {}),
    ],
    ids=["nothing", "etag", "last-modified", "both", "etag unusable", "others"],
)
def test_it_repeats_what_the_server_said(tmp_path: Path, notes: dict[str, str], condition: dict[str, str]) -> None:
    repository = Repository()
    repository.answers[CRL_PATH] = reply(CRL, notes=notes)
    one = follower(repository, tmp_path, refresh=0)
    encoded(one)
    encoded(one)
    accept = {"Accept": "application/pkix-crl"}
    assert [headers for path, headers in repository.asked if path == CRL_PATH] == [accept, accept | condition]
    encoded(follower(repository, tmp_path))
    assert repository.asked[-2] == (CRL_PATH, accept | condition)
    if condition:
        repository.answers[CRL_PATH] = reply(b"", 304)
        assert encoded(one) == ([CRL], [ARL])
        assert one.problems() == []


@pytest.mark.usefixtures("at")
def test_lists_and_numbers_outlive_it(tmp_path: Path) -> None:
    one = follower(Repository(), tmp_path / "new" / "cache")
    judged_genuine(one)
    nobody = Repository(answers={CRL_PATH: RepositoryError(UNREACHABLE), ARL_PATH: RepositoryError(UNREACHABLE)})
    other = follower(nobody, tmp_path / "new" / "cache")
    assert encoded(other) == ([CRL], [ARL])
    assert sorted(other.seen.known()) == sorted(one.seen.known())
    assert len(other.seen.known()) == 2
    assert sorted(file.name for file in (tmp_path / "new" / "cache").iterdir()) == sorted(
        [
            "numbers.json",
            *(f"{kind.name}.{what}" for kind in (ORGANISATION_CRL, ORGANISATION_ARL) for what in ("good", "latest")),
        ]
    )


@pytest.mark.usefixtures("at")
def test_a_good_list_in_the_cache_stays_beside_a_later_one(tmp_path: Path) -> None:
    repository = Repository()
    one = follower(repository, tmp_path, refresh=0)
    judged_genuine(one)
    newer = revocation_list(Base.CRL, number=1001, until=MOMENT + 6 * HOUR)
    repository.answers[CRL_PATH] = reply(newer)
    encoded(one)
    nobody = Repository(answers=dict.fromkeys((CRL_PATH, ARL_PATH), RepositoryError(UNREACHABLE)))
    assert encoded(follower(nobody, tmp_path)) == ([newer, CRL], [ARL])


@pytest.mark.usefixtures("at")
def test_without_a_directory_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = follower(Repository())
    judged_genuine(one)
    assert list(tmp_path.iterdir()) == []
    cache = ListCache(None)
    cache.put("a", b"x", {})
    cache.put_numbers([(b"x", 1, MOMENT)])
    assert cache.get("a") is None
    assert cache.numbers() == []


def test_the_cache_gives_back_what_it_got(tmp_path: Path) -> None:
    cache = ListCache(tmp_path)
    assert cache.get("a") is None
    assert cache.numbers() == []
    for body in (b"", b"\n\n", CRL):
        cache.put("a", body, {"etag": '"1"'})
        assert cache.get("a") == (body, {"etag": '"1"', "octets": str(len(body))})
    rows = [(b"\x00\xff", 1 << 200, MOMENT), (b"y", 0, MOMENT + HOUR)]
    cache.put_numbers(rows)
    assert ListCache(tmp_path).numbers() == rows


def test_the_file_of_numbers(tmp_path: Path) -> None:
    """Others may read it, and a later version of this has to."""
    ListCache(tmp_path).put_numbers([(b"\x00\xff", 1, MOMENT)])
    lines = ["{", ' "format": 1,', ' "seen": [', "  {", '   "issuer": "00ff",', '   "number": "1",']
    lines += ['   "since": "2026-06-15T12:00:00Z"', "  }", " ]", "}"]
    assert (tmp_path / "numbers.json").read_text() == "\n".join(lines)


@pytest.mark.parametrize("content", [b'{"bytes": "2"}', b"[]\nxx", b'{"bytes": "3"}\nxx', b'{"bytes": 2}\nxx'])
def test_a_list_in_the_cache_that_is_not_whole(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert ListCache(tmp_path).get("a") is None


ROW = {"issuer": "00", "number": "1", "since": "2026-06-15T12:00:00Z"}


@pytest.mark.parametrize(
    "value",
    [[], {}, {"format": 2, "seen": []}, {"format": 1}, {"format": 1, "seen": [{}]}]
    + [{"format": 1, "seen": [ROW | {name: bad}]} for name, bad in (("issuer", "x"), ("number", "x"), ("since", "x"))],
)
def test_numbers_in_the_cache_that_cannot_be_read(tmp_path: Path, value: object) -> None:
    (tmp_path / "numbers.json").write_text(json.dumps(value))
    with pytest.raises(IntegrityError) as caught:
        ListCache(tmp_path).numbers()
    problem = caught.value.problems[0]
    assert (problem.code, problem.subject) == ("cache.numbers", str(tmp_path / "numbers.json"))
    assert 0 < len(problem.seen) <= 200
    assert problem.expected == "the list numbers seen"
    assert problem.remedy == "Remove it if you accept that an older list may once be taken for the newest."


@pytest.mark.parametrize(("format", "seen"), [(2, "format 2"), ("x" * 300, f"format {'x' * 193}")])
def test_numbers_of_another_format_say_which(tmp_path: Path, format: object, seen: str) -> None:
    (tmp_path / "numbers.json").write_text(json.dumps({"format": format, "seen": []}))
    with pytest.raises(IntegrityError) as caught:
        ListCache(tmp_path).numbers()
    assert caught.value.problems[0].seen == seen


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize("damaged", ["latest", "good"])
def test_a_list_in_the_cache_that_cannot_be_read_is_none(tmp_path: Path, damaged: str) -> None:
    """It is asked for again without a condition, unless the latest one is there."""
    repository = Repository()
    repository.answers[CRL_PATH] = reply(CRL, notes={"etag": '"1"'})
    judged_genuine(follower(repository, tmp_path))
    ListCache(tmp_path).put(f"{ORGANISATION_CRL.name}.{damaged}", b"rubbish", {"etag": '"2"'})
    crls, arls = encoded(follower(repository, tmp_path))
    assert (set(crls), arls) == ({CRL}, [ARL])
    condition = {} if damaged == "latest" else {"If-None-Match": '"1"'}
    assert repository.asked[-2] == (CRL_PATH, {"Accept": "application/pkix-crl"} | condition)
    nobody = Repository(answers=dict.fromkeys((CRL_PATH, ARL_PATH), RepositoryError(UNREACHABLE)))
    for what in ("latest", "good"):
        ListCache(tmp_path).put(f"{ORGANISATION_CRL.name}.{what}", b"rubbish", {})
    assert encoded(follower(nobody, tmp_path)) == ([], [ARL])
