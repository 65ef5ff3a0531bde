"""``cfssl serve``: an authority over HTTP, with SQLite or without any storage."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.installing import debian_program, run
from benchmarks.peers.openssl import make_authority
from benchmarks.peers.peer import Facts, Issued, NotMeasuredError, from_pem, to_pem

CONNECTIONS = 8
SCHEMA = """
CREATE TABLE certificates (
    serial_number BLOB NOT NULL, authority_key_identifier BLOB NOT NULL, ca_label BLOB, status BLOB NOT NULL,
    reason INTEGER, expiry TIMESTAMP, revoked_at TIMESTAMP, pem BLOB NOT NULL,
    issued_at TIMESTAMP, not_before TIMESTAMP, metadata TEXT, sans TEXT, common_name TEXT,
    PRIMARY KEY (serial_number, authority_key_identifier)
)
"""
"""The columns that cfssl writes, those of 1.6 included: Debian's package comes without cfssl's goose migrations."""


class _Client:
    """A connection that stays open: light enough to leave the machine to the server."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> bytes:
        """Send an HTTP request; return the body of the answer, chunked or not."""
        self._socket.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        head, _, body = received.partition(b"\r\n\r\n")
        head = head.lower()
        if b"content-length:" in head:
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            while len(body) < length:
                body += self._receive()
            return body
        while not body.endswith(b"0\r\n\r\n"):
            body += self._receive()
        return body.partition(b"\r\n")[2].rpartition(b"\r\n0\r\n")[0]

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _receive(self) -> bytes:
        received = self._socket.recv(65536)
        if not received:
            raise NotMeasuredError("cfssl closed the connection")
        return received


@dataclass(frozen=True, slots=True)
class CfsslServe:
    """``cfssl serve``, asked over some connections, on each again as soon as it has answered."""

    facts: Facts
    connections: int
    journal: str = ""
    """SQLite's journal mode; empty for no storage."""
    synchronous: str = "NORMAL"
    """SQLite's synchronous mode. NORMAL is the default of cfssl's driver, and with it a WAL is not synchronised when a
    transaction commits: what was issued last can be lost when the power fails."""

    def install(self) -> str:
        """Unpack Debian's package where cfssl is not installed; return the version."""
        lines = run([debian_program("golang-cfssl", "cfssl"), "version"]).splitlines()
        return f"cfssl {lines[0].split()[-1]} ({lines[-1].split()[-1]})"

    def issue(self, warm_up: bytes, requests: Sequence[bytes], folder: Path) -> Issued:
        """Serve, and ask for all certificates."""
        make_authority(folder)
        database = folder / "certificates.sqlite"
        if self.journal:
            with contextlib.closing(sqlite3.connect(database)) as connection:
                connection.execute(f"PRAGMA journal_mode = {self.journal}")
                connection.execute(SCHEMA)
        with self._served(folder) as port:
            messages = [_message(request) for request in (warm_up, *requests)]
            _ask(port, messages[:1], 1)
            begin = time.perf_counter()
            answers = _ask(port, messages[1:], self.connections)
            seconds = time.perf_counter() - begin
        stored = 0
        if self.journal:
            with contextlib.closing(sqlite3.connect(database)) as connection:
                stored = connection.execute("SELECT count(*) FROM certificates").fetchone()[0] - 1
        return Issued(
            certificates=[_certificate(answer) for answer in answers],
            issuer=from_pem((folder / "ca.pem").read_bytes()),
            seconds=seconds,
            stored=stored,
        )

    @contextlib.contextmanager
    def _served(self, folder: Path) -> Iterator[int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        usages = {"signing": {"default": {"expiry": "87600h", "usages": ["digital signature"]}}}
        (folder / "config.json").write_text(json.dumps(usages))
        command: list[str | Path] = [debian_program("golang-cfssl", "cfssl"), "serve", "-port", str(port)]
        command += ["-ca", "ca.pem", "-ca-key", "ca.key", "-config", "config.json", "-loglevel", "3"]
        if self.journal:
            source = f"file:certificates.sqlite?_synchronous={self.synchronous}"
            data = {"driver": "sqlite3", "data_source": source}
            (folder / "database.json").write_text(json.dumps(data))
            command += ["-db-config", "database.json"]
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(server, port)
            yield port
        finally:
            server.terminate()
            server.wait(20)


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(400):
        if server.poll() is not None:
            raise NotMeasuredError(f"cfssl serve ended with status {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise NotMeasuredError("cfssl serve does not listen")


def _message(request: bytes) -> bytes:
    body = json.dumps({"certificate_request": to_pem(request)}).encode()
    head = "POST /api/v1/cfssl/sign HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
    return head.encode() + str(len(body)).encode() + b"\r\n\r\n" + body


def _ask(port: int, messages: Sequence[bytes], connections: int) -> list[bytes]:
    answers: list[bytes] = [b""] * len(messages)
    failures: list[Exception] = []

    def ask(part: int) -> None:
        try:
            client = _Client(port)
            for number in range(part, len(messages), connections):
                answers[number] = client.ask(messages[number])
            client.close()
        except (OSError, NotMeasuredError) as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(part,)) for part in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise NotMeasuredError(str(failures[0]))
    return answers


def _certificate(answer: bytes) -> bytes:
    read = json.loads(answer)
    if not read["success"]:
        raise NotMeasuredError(f"cfssl answered {read['errors']}")
    return from_pem(read["result"]["certificate"].encode())


def _facts(what: str, connections: int, stores: str, *, most: int | None = None) -> Facts:
    over = "1 connection" if connections == 1 else f"{connections} connections"
    name = f"cfssl serve, {what}, {over}"
    return Facts(name=name, stores=stores, keeps=stores != "nothing", at_once=connections, most=most)


_KEPT = "SQLite: PEM, serial number, status"
_DURABLE = f"{_KEPT}; journal set to WAL and synchronous to FULL, a durable commit each"
_NOT_DURABLE = f"{_KEPT}; journal set to WAL, commits not synchronised"
_AS_IT_COMES = f"{_KEPT}; rollback journal, a synchronised commit each"

PEERS = (
    CfsslServe(_facts("no database", 1, "nothing"), 1),
    CfsslServe(_facts("no database", CONNECTIONS, "nothing"), CONNECTIONS),
    CfsslServe(_facts("SQLite as it comes", CONNECTIONS, _AS_IT_COMES, most=500), CONNECTIONS, "delete"),
    CfsslServe(_facts("SQLite, WAL", 1, _NOT_DURABLE), 1, "wal"),
    CfsslServe(_facts("SQLite, WAL", CONNECTIONS, _NOT_DURABLE), CONNECTIONS, "wal"),
    CfsslServe(_facts("SQLite, durable", 1, _DURABLE), 1, "wal", "FULL"),
    CfsslServe(_facts("SQLite, durable", CONNECTIONS, _DURABLE), CONNECTIONS, "wal", "FULL"),
)
