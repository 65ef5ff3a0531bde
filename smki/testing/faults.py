"""Make a Repository misbehave: an application in this process, or a server that was started with ``--faults``.

In this process::

    faults = Faults()
    smki = Smki.open("pki", TravellingClock(HomeClock(...), by_header=False))
    app = create_app(smki, faults=faults)
    with faults.during(Fault(FaultKind.STATUS, path="/services/*", status=500, count=2)):
        ...  # the next two searches are answered with 500

For a server in another process, use ``RemoteFaults("http://127.0.0.1:8083")`` in place of ``Faults()``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, TypeVar

from smki_repository.faults import Fault, FaultKind, Faults, SetFault

from smki.problem import Malformed, NotFound, NotReady, Problem
from smki.relying_party.transport import split_url

__all__ = ["Fault", "FaultKind", "Faults", "RemoteFaults", "SetFault"]

_TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 1 << 20
_Read = TypeVar("_Read")
_API_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{0,256}")


class RemoteFaults:
    """The faults of a server that was started with ``smki serve --faults``. It has the methods of :class:`Faults`.

    :param url: the URL of the server, for instance ``http://127.0.0.1:8083``.
    :param api_key: an API key, if the server requires one.
    :raises Malformed: when *url* is not an http or https URL, or *api_key* cannot be sent in a header (RFC 6750 2.1).
    """

    def __init__(self, url: str, api_key: str = "") -> None:
        parts = split_url(url)
        if not _API_KEY.fullmatch(api_key):
            raise Malformed(
                Problem(
                    code="api-key.malformed",
                    subject="API key",
                    seen="characters that cannot be sent in a header"
                    if len(api_key) <= 256
                    else f"{len(api_key)} characters",
                    expected="at most 256 letters, digits and -._~+/=",
                )
            )
        self._url = url.rstrip("/")
        self._is_secure = parts.scheme == "https"
        self._address = parts.netloc
        self._credential = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._path = f"{parts.path.rstrip('/')}/faults"

    def set(self, fault: Fault) -> SetFault:
        """Set a fault that applies from the next request on.

        :raises NotReady: when the server cannot be reached, or does not support faults.
        """
        return self._ask("POST", "", fault.as_json(), read=_set_fault)

    def all(self) -> list[SetFault]:
        """Return all faults that are set, in the order in which they were set.

        :raises NotReady: when the server cannot be reached, or does not support faults.
        """
        return self._ask("GET", read=lambda answer: [_set_fault(one) for one in answer["faults"]])

    def get(self, fault_id: int) -> SetFault:
        """Return the fault with an id.

        :raises NotFound: when there is no such fault.
        :raises NotReady: when the server cannot be reached, or does not support faults.
        """
        return self._ask("GET", f"/{fault_id}", read=_set_fault)

    def clear(self, fault_id: int | None = None) -> None:
        """Clear one fault, or all of them.

        :raises NotFound: when there is no such fault.
        :raises NotReady: when the server cannot be reached, or does not support faults.
        """
        self._ask("DELETE", "" if fault_id is None else f"/{fault_id}", read=_nothing)

    @contextmanager
    def during(self, fault: Fault) -> Iterator[SetFault]:
        """Set a fault for the duration of a ``with`` block."""
        one = self.set(fault)
        try:
            yield one
        finally:
            with suppress(NotFound):  # it was cleared in the block
                self.clear(one.id)

    def _ask(
        self, method: str, rest: str = "", value: dict[str, Any] | None = None, *, read: Callable[[Any], _Read]
    ) -> _Read:
        connection_class = HTTPSConnection if self._is_secure else HTTPConnection
        connection = connection_class(self._address, timeout=_TIMEOUT_SECONDS)
        body = None if value is None else json.dumps(value)
        headers = self._credential | ({} if value is None else {"Content-Type": "application/json"})
        try:
            connection.request(method, self._path + rest, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read(_MAX_ANSWER_BYTES)
        except (OSError, HTTPException) as error:
            raise NotReady(self._problem("repository.unreachable", str(error) or type(error).__name__)) from None
        finally:
            connection.close()
        if answer.status == 401:
            remedy = "Make one with smki apikey add NAME."
            seen, expected = "refused: no valid API key", "a valid API key"
            raise NotReady(
                Problem(code="access.refused", subject=self._url, seen=seen, expected=expected, remedy=remedy)
            )
        try:
            said: Any = json.loads(content) if content else None
            if answer.status in (200, 201, 204):
                return read(said)
            problems = [Problem(**problem) for problem in said["problems"]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # it is another server
            raise NotReady(self._problem("faults.off", f"HTTP status {answer.status}")) from None
        raise (NotFound if answer.status == 404 else Malformed)(*problems)

    def _problem(self, code: str, seen: str) -> Problem:
        expected = "a Repository that supports faults"
        return Problem(
            code=code, subject=self._url, seen=seen, expected=expected, remedy="Start it with: smki serve --faults"
        )


def _set_fault(value: dict[str, Any]) -> SetFault:
    fault = {name: given for name, given in value.items() if name not in ("id", "struck", "over")}
    return SetFault(value["id"], Fault.from_json(fault), value["struck"], value["over"])


def _nothing(value: object) -> None:
    """Read an answer without content."""
