"""The request that a connection receives, as a WSGI environment."""

from __future__ import annotations

import io
import sys
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes


class BadRequest(Exception):
    """Raised for a request that is not passed on, with the reason."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@lru_cache(maxsize=256)
def _key(name: bytes) -> str | None:
    """Return the key of a header in the environment; None if the header is left out.

    A name with an underscore is left out, because it would have the same key as one with a hyphen.
    """
    if b"_" in name or len(name) > 128:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{key}"


class Request:
    """What has been received of a request."""

    __slots__ = (
        "body",
        "body_bytes",
        "expects_continue",
        "headers",
        "is_chunked",
        "is_refused",
        "keep_alive",
        "method",
        "target",
        "version",
    )

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.method = "GET"
        self.version = "HTTP/1.1"
        self.keep_alive = True
        self.expects_continue = False
        self.is_chunked = False
        self.body = bytearray()
        self.body_bytes = 0
        self.is_refused = False
        """Whether its body is too long, so that the rest is discarded."""

    @property
    def head_bytes(self) -> int:
        """Number of bytes of the target and the headers."""
        return len(self.target) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def head_without_upgrade(self) -> bytes:
        """Return the head without the header Upgrade, without which Connection does not matter either."""
        lines = [b" ".join((self.method.encode(), self.target, self.version.encode()))]
        lines += [b": ".join(each) for each in self.headers if each[0].lower() != b"upgrade"]
        return b"\r\n".join((*lines, b"", b""))

    def environ(self, base: dict[str, Any], address: str) -> dict[str, Any]:
        """Return the WSGI environment (PEP 3333).

        :param base: what is the same for all requests.
        :param address: the client's IP address.
        :raises BadRequest: if the target is neither a path nor a URL of the same host.
        """
        environ = base.copy()
        for name, value in self.headers:
            key = _key(name)
            if key is None:
                continue
            text = value.decode("latin-1")
            if key in environ:
                text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
            environ[key] = text
        environ["REMOTE_ADDR"] = address
        environ["REQUEST_METHOD"] = self.method
        environ["SERVER_PROTOCOL"] = self.version
        target = self.target.partition(b"#")[0]
        if not target.startswith(b"/"):
            target = _path_of(target, environ.get("HTTP_HOST", ""))
        path, _, query = target.partition(b"?")
        environ["PATH_INFO"] = (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1")
        environ["QUERY_STRING"] = query.decode("latin-1")
        environ["RAW_URI"] = environ["REQUEST_URI"] = target.decode("latin-1")
        environ["wsgi.input"] = io.BytesIO(self.body)
        if "HTTP_TRANSFER_ENCODING" in environ and not self.is_refused:
            environ["CONTENT_LENGTH"] = str(self.body_bytes)
        return environ


def _path_of(target: bytes, host: str) -> bytes:
    """Return the path of a target in absolute form (RFC 9112 3.2.2), whose host must be that of the Host header."""
    scheme, found, rest = target.partition(b"://")
    authority, slash, path = rest.partition(b"/")
    if not found or scheme.lower() not in (b"http", b"https") or b"?" in authority:
        raise BadRequest("the target of the request is not a path")
    if authority.decode("latin-1").lower() != host.lower():
        raise BadRequest("the host of the request's target is not that of its Host header")
    return slash + path or b"/"


def base_environ(host: str, port: int) -> dict[str, Any]:
    """Return what is the same in the WSGI environments of all requests."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_SOFTWARE": "smki",
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": True,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
    }
