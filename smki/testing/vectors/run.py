"""Run somebody's Relying Party, a program, against the vectors, and score it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from smki.clock import parse_moment
from smki.problem import Malformed, Problem, SmkiError
from smki.testing.defects.case import TRUSTED, Case
from smki.testing.vectors.files import as_json, files_of

_FILES = ("trustAnchors", "chain", "crls", "arls")


@dataclass(frozen=True, slots=True)
class Score:
    """The answer of a program to one case."""

    case: Case
    trusted: bool | None
    """Its verdict; None where it gave no answer."""
    reason: str = ""
    """The code of its reason, if it gave one."""
    trouble: str = ""
    """Why there is no answer."""

    @property
    def is_right(self) -> bool:
        """Whether the verdict is right, for whatever reason."""
        return self.trusted == (self.case.expected == TRUSTED)

    @property
    def has_right_reason(self) -> bool:
        """Whether the verdict is right and the reason the expected one."""
        return self.is_right and self.reason == ("" if self.case.expected == TRUSTED else self.case.expected)


def question(case: Case) -> bytes:
    """The case as a program gets it on its standard input: JSON, files in base64, without the expected verdict."""
    names = {data: base64.b64encode(data).decode("ascii") for data in files_of(case)}
    value = as_json(case, names)
    del value["expected"]
    return json.dumps(value).encode() + b"\n"


def parse_question(data: bytes) -> Case:
    """Read a case from what a program gets.

    :raises Malformed: when it is not a case.
    """
    try:
        value: dict[str, Any] = json.loads(data)
        decoded = {name: tuple(base64.b64decode(item, validate=True) for item in value[name]) for name in _FILES}
        return Case(
            name=str(value["name"]),
            about=str(value.get("about", "")),
            expected=TRUSTED,
            certificate=base64.b64decode(value["certificate"], validate=True),
            trust_anchors=decoded["trustAnchors"],
            chain=decoded["chain"],
            crls=decoded["crls"],
            arls=decoded["arls"],
            at=parse_moment(value["at"]),
            use=value.get("use") or "",
            numbers_seen={str(kind): int(number) for kind, number in value.get("numbersSeen", {}).items()},
            suspected=tuple(map(str, value.get("suspected", ()))),
        )
    except (ValueError, TypeError, KeyError, AttributeError, SmkiError) as error:
        problem = Problem(
            code="vectors.malformed", subject="case", seen=f"{error}"[:200], expected="a case of conformance vectors"
        )
        raise Malformed(problem) from None


def run(command: Sequence[str], cases: Iterable[Case], *, timeout: float = 60.0, jobs: int = 1) -> Iterator[Score]:
    """Run a program on each case, in order.

    :param command: the program and its arguments; it reads the case from its standard input.
    :param timeout: maximum number of seconds for one case.
    :param jobs: number of programs that run at a time.
    """
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda case: _ask(command, case, timeout), cases)


def _ask(command: Sequence[str], case: Case, timeout: float) -> Score:
    try:
        answer = subprocess.run(  # noqa: S603  (the command is the user's own)
            list(command), input=question(case), capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return Score(case, None, trouble=f"no answer within {timeout:g} s")
    except OSError as error:
        return Score(case, None, trouble=error.strerror or str(error))
    try:
        value = json.loads(answer.stdout)
        trusted, reason = value["trusted"], value.get("reason")
        if not isinstance(trusted, bool):
            raise TypeError("trusted is not true or false")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # Without output the exit status is the answer, as for smki verify.
        if not answer.stdout.strip() and answer.returncode in (0, 1):
            return Score(case, answer.returncode == 0)
        return Score(case, None, trouble=f"exit status {answer.returncode}, {error}"[:200])
    code = reason.get("code", "") if isinstance(reason, dict) else reason or ""
    return Score(case, trusted, str(code))
