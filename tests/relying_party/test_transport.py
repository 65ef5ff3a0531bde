"""What is asked over HTTP and how often, and what becomes of answers at the bounds; a server on this machine."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from smki import EntityIdentifier, SerialNumber
from smki.pki.certificate import Certificate
from smki.problem import NotFound, Problem
from smki.relying_party import RepositoryClient
from smki.relying_party import transport as transport_module
from smki.relying_party.transport import Limits, Reply, RepositoryError, Transport, is_header_value, visible
from smki.sec.role import CertificateStatus, KeyUsage, RemotePartyRole
from tests.relying_party.server import SUPPLIER

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
LIMITS = Limits(seconds=4.0, connect_seconds=2.0, attempts=3, back_off=0.01)


class Server:
    """Answers each connection with the next of *answers*, the last one for ever, and keeps what it was asked."""

    def __init__(self, listening: socket.socket, answers: list[bytes]) -> None:
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.asked: list[bytes] = []
        self._listening, self._answers = listening, answers

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self.asked.append(question(connection))
                connection.sendall(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])


def question(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def answering(*answers: bytes) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(listening, list(answers))
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def answer(body: bytes, status: int = 200, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Text", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def redirect(location: str, status: int = 302) -> bytes:
    return answer(b"", status, f"Location: {location}")


def ask(url: str, path: str = "a", max_bytes: int = 100, body: bytes | None = None) -> Reply:
    return Transport(url, LIMITS).ask(path, max_bytes=max_bytes, body=body)


def refused(action: Callable[[], object]) -> Problem:
    with pytest.raises(RepositoryError) as caught:
        action()
    return caught.value.problems[0]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it slept, on a watch that only sleeping moves."""
    slept: list[float] = []
    watch = SimpleNamespace(now=0.0)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        watch.now += seconds

    monkeypatch.setattr(transport_module, "time", SimpleNamespace(monotonic=lambda: watch.now, sleep=sleep))
    return slept


# Questions


@pytest.mark.parametrize("ending", ["", "/", "//"])
@pytest.mark.parametrize("path", ["Xa/b?c=d", "/Xa/b?c=d"])
def test_the_request(ending: str, path: str) -> None:
    with answering(OK) as server:
        one = Transport(f"{server.url}/baseX{ending}", LIMITS)
        assert one.url == f"{server.url}/baseX/"
        reply = one.ask(path, max_bytes=4, headers={"X-Test": "1"})
    assert (reply.status, reply.body, dict(reply.headers)) == (200, b"body", {"content-length": "4"})
    head = server.asked[0].split(b"\r\n")
    assert head[0] == b"GET /baseX/Xa/b?c=d HTTP/1.1"
    assert b"X-Test: 1" in head


def test_a_body_is_posted() -> None:
    with answering(OK) as server:
        ask(server.url, body=b"question")
        ask(server.url, body=b"")
    assert server.asked[0].startswith(b"POST /a HTTP/1.1\r\n")
    assert server.asked[0].endswith(b"\r\n\r\nquestion")
    assert server.asked[1].startswith(b"POST ")


def test_the_root_without_a_path() -> None:
    with answering(OK, redirect("?x=y"), OK) as server:
        ask(server.url, "")
        ask(server.url, "")
    assert [one.split(b" ")[1] for one in server.asked] == [b"/", b"/", b"/?x=y"]


# Attempts


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_it_asks_again_and_waits_longer_each_time(status: int, pauses: list[float]) -> None:
    with answering(answer(b"", status)) as server:
        assert ask(server.url).status == status
    assert len(server.asked) == 3
    assert pauses == [0.01, 0.02]
    with answering(answer(b"", status), OK) as server:
        assert ask(server.url).body == b"body"
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 401, 402, 404, 428, 430, 501, 505])
def test_it_does_not_ask_again(status: int, pauses: list[float]) -> None:
    with answering(answer(b"", status)) as server:
        assert ask(server.url).status == status
    assert len(server.asked) == 1
    assert pauses == []


def test_what_is_no_answer_is_asked_again(pauses: list[float]) -> None:
    with answering(b"rubbish\r\n\r\n") as server:
        problem = refused(lambda: ask(server.url))
    assert (problem.code, problem.subject) == ("repository.unreachable", f"{server.url}/a")
    assert "rubbish" in problem.seen
    assert problem.expected == "a complete HTTP response"
    assert len(server.asked) == 3
    assert pauses == [0.01, 0.02]
    with answering(b"rubbish\r\n\r\n", OK) as server:
        assert ask(server.url).body == b"body"


@pytest.mark.parametrize(
    ("first", "code"), [(answer(b"", 500), "repository.timeout"), (b"rubbish\r\n\r\n", "repository.unreachable")]
)
@pytest.mark.parametrize(("back_off", "asked"), [(1.9, 1), (2.0, 1), (1.3, 2), (0.66, 2), (0.6, 3)])
def test_no_pause_reaches_beyond_the_deadline(
    pauses: list[float], first: bytes, code: str, back_off: float, asked: int
) -> None:
    limits = Limits(seconds=1.9, attempts=4, back_off=back_off)
    with answering(first) as server:
        problem = refused(lambda: Transport(server.url, limits).ask("a", max_bytes=9))
    assert len(server.asked) == asked
    assert problem.code == code
    assert pauses == [back_off, 2 * back_off][: asked - 1]
    if code == "repository.timeout":
        assert (problem.subject, problem.seen) == (f"{server.url}/a", "no complete response within 1.9 s")


def test_the_patience_that_it_has_unless_told() -> None:
    assert Transport("http://host").limits == Limits(10.0, 3.0, 3, 0.2)


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_as_many_redirects_as_are_followed(status: int) -> None:
    more = [redirect(f"/{number}", status) for number in range(3)]
    with answering(*more, OK) as server:
        assert ask(server.url).body == b"body"
    assert [one.split(b" ")[1] for one in server.asked] == [b"/a", b"/0", b"/1", b"/2"]
    with answering(*more, redirect("/3", status), OK) as server:
        problem = refused(lambda: ask(server.url))
    assert (problem.code, problem.subject) == ("repository.redirect", f"{server.url}/a")
    assert (problem.seen, problem.expected) == ("more than 3 redirects", "a response")
    assert len(server.asked) == 4


def test_redirects_that_are_answers() -> None:
    for first in (answer(b"x", 302), redirect("/b", 300), redirect("/b", 304), redirect("/b", 200)):
        with answering(first, OK) as server:
            assert ask(server.url).status == int(first[9:12])
        assert len(server.asked) == 1
    with answering(redirect("/b"), OK) as server:
        assert ask(server.url, body=b"x").status == 302
    assert len(server.asked) == 1


def test_a_redirect_that_leads_nowhere() -> None:
    with answering(redirect("ftp://host/")) as server:
        problem = refused(lambda: ask(server.url))
    assert (problem.code, problem.subject, problem.seen, problem.expected, problem.clause) == (
        "repository.redirect",
        f"{server.url}/a",
        "a redirect to ftp://host/",
        "a redirect to http://HOST or https://HOST, in ASCII",
        "RFC 9110 15.4",
    )


# Sizes


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101])
@pytest.mark.parametrize("how", ["promised", "until the end", "chunked"])
def test_the_most_that_is_read(size: int, how: str) -> None:
    body = b"x" * size
    chunk = b"%x\r\n%s\r\n" % (size, body) if size else b""
    data = {
        "promised": answer(body),
        "until the end": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body,
        "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n",
    }[how]
    with answering(data) as server:
        if size <= 100:
            assert ask(server.url).body == body
            return
        problem = refused(lambda: ask(server.url))
    assert (problem.code, problem.subject) == ("repository.too-large", f"{server.url}/a")
    assert problem.seen == ("101 bytes promised" if how == "promised" else "more than 100 bytes")
    assert problem.expected == "at most 100 bytes"
    assert len(server.asked) == 1


def test_a_body_in_many_parts() -> None:
    body = bytes(range(256)) * 1024
    chunks = b"".join(b"%X;a=b\r\n%s\r\n" % (len(part), part) for part in (body[:70000], body[70000:]))
    for data in (answer(body), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"):
        with answering(data) as server:
            assert ask(server.url, max_bytes=len(body)).body == body


@pytest.mark.parametrize(
    ("chunks", "seen"),
    [
        (b"4\r\nbodyX\r\n0\r\n\r\n", "a chunk that is not followed by an end of line"),
        (b"-1\r\nbody\r\n", "a chunk with size b'-1\\\\r\\\\n'"),
        (b"8\r\nbody", "IncompleteRead(0 bytes read, 4 more expected)"),
        (b"4;" + b"x" * 1021 + b"\r\nbody\r\n0\r\n\r\n", f"a chunk with size b'4;{'x' * 18}'"),
    ],
)
def test_chunks_that_are_none(chunks: bytes, seen: str) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks) as server:
        problem = refused(lambda: ask(server.url))
    assert (problem.code, problem.seen) == ("repository.unreachable", seen)


def test_the_longest_line_before_a_chunk() -> None:
    line = b"4;" + b"x" * 1020 + b"\r\n"
    with answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + line + b"body\r\n0\r\n\r\n") as server:
        assert ask(server.url).body == b"body"


def test_lines_after_chunks_may_end_as_text_does() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\nbody\n0\n\n") as server:
        assert ask(server.url).body == b"body"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_have_no_body_whatever_they_say(status: int) -> None:
    with answering(f"HTTP/1.1 {status} Text\r\nTransfer-Encoding: chunked\r\n\r\n".encode()) as server:
        assert (ask(server.url).status, ask(server.url).body) == (status, b"")


def test_a_server_that_is_silent_when_it_should_speak_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        limits = Limits(seconds=20, connect_seconds=0.1, attempts=1)
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        problem = refused(lambda: Transport(url, limits).ask("a", max_bytes=9))
    assert problem.code == "repository.unreachable"
    assert "timed out" in problem.seen


def test_a_body_that_ends_early() -> None:
    with answering(answer(b"body").replace(b"4", b"9")) as server:
        problem = refused(lambda: ask(server.url))
    assert (problem.code, problem.seen) == ("repository.unreachable", "IncompleteRead(0 bytes read, 5 more expected)")


# Texts


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", False),
        ("x", True),
        ("x" * 1024, True),
        ("x" * 1025, False),
        ("\xe9", False),
        ("a\tb", False),
        ("a b", True),
    ],
)
def test_values_of_headers(text: str, holds: bool) -> None:
    assert is_header_value(text) is holds


def test_what_a_server_said_is_made_visible() -> None:
    assert visible("a\x1b\xe9\n") == "a\\x1b\\xe9\\n"
    assert visible("x" * 300) == "x" * 200


@pytest.mark.parametrize(("value", "expected"), [("Text/XML; charset=x", "text/xml"), (" a/b ", "a/b"), ("", "")])
def test_media_types(value: str, expected: str) -> None:
    assert Reply(200, {"content-type": value}, b"").content_type == expected
    assert Reply(200, {}, b"").content_type == ""


# The client

NAME = EntityIdentifier.parse("90B3D51F30010000")
XML = "Content-Type: application/xml"


def result(**values: str) -> bytes:
    wanted = {
        "CertificateSerial": "0A", "CertificateSubjectName": NAME.hyphenated, "CertificateStatus": "I",
        "CertificateUsage": "DS", "CertificateRole": "2",
    } | values  # fmt: skip
    inner = "".join(f"<{tag}>{value}</{tag}>" for tag, value in wanted.items() if value)
    return f"<r xmlns='urn:x'><Result>{inner}</Result></r>".encode()


def test_a_search() -> None:
    with answering(answer(result(), 200, XML)) as server:
        client = RepositoryClient(server.url, api_key="a key&", limits=LIMITS)
        [found] = client.search(NAME)
        client.search(
            NAME, device=True, role=RemotePartyRole.SUPPLIER, usage=KeyUsage.KEY_AGREEMENT,
            status=CertificateStatus.IN_USE,
        )  # fmt: skip
    assert (found.serial_number, found.entity, found.is_device) == (SerialNumber(10), NAME, False)
    assert (found.status, found.usage) == (CertificateStatus.IN_USE, KeyUsage.DIGITAL_SIGNATURE)
    assert found.role is RemotePartyRole.SUPPLIER
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /services/certificatesearch?apikey=a+key%26 HTTP/1.1\r\n")
    assert b"\r\nContent-Type: application/xml" in head
    assert b"\r\nAccept: application/xml" in head
    declaration = b"<?xml version='1.0' encoding='UTF-8'?>\n<CertificateSearchRequest>"
    name = NAME.hyphenated.encode()
    assert body == (
        declaration + b"<CertificateSubjectName>" + name + b"</CertificateSubjectName></CertificateSearchRequest>"
    )
    assert server.asked[1].partition(b"\r\n\r\n")[2] == (
        declaration + b"<CertificateSubjectAltName>" + name + b"</CertificateSubjectAltName>"
        b"<CertificateRole>2</CertificateRole><CertificateUsage>KA</CertificateUsage>"
        b"<CertificateStatus>" + CertificateStatus.IN_USE.value.encode() + b"</CertificateStatus>"
        b"</CertificateSearchRequest>"
    )


@pytest.mark.parametrize("kind", ["text/xml", "application/xml; charset=UTF-8"])
def test_a_device_that_a_search_finds(kind: str) -> None:
    body = result(CertificateSubjectName="", CertificateSubjectAltName=NAME.hyphenated, CertificateRole="")
    with answering(answer(body, 200, f"Content-Type: {kind}")) as server:
        [found] = RepositoryClient(server.url, limits=LIMITS).search(NAME, device=True)
    assert (found.entity, found.is_device, found.role) == (NAME, True, None)
    assert server.asked[0].startswith(b"POST /services/certificatesearch HTTP/1.1\r\n")


def retrieved(serial: SerialNumber, body: str, status: str = "I") -> object:
    inner = f"<CertificateBody>{body}</CertificateBody><CertificateStatus>{status}</CertificateStatus>"
    with answering(answer(f"<r>{inner}</r>".encode(), 200, XML)) as server:
        found = RepositoryClient(server.url, limits=LIMITS).retrieve(serial)
    assert server.asked[0].startswith(b"POST /services/retrievecertificate HTTP/1.1\r\n")
    wanted = f"<CertificateDataRequest><CertificateSerial>{serial.hex}</CertificateSerial></CertificateDataRequest>"
    assert server.asked[0].endswith(wanted.encode())
    return found.certificate, found.status


def test_a_retrieval() -> None:
    certificate = Certificate.from_der(SUPPLIER)
    encoded = base64.encodebytes(SUPPLIER).decode()
    assert retrieved(certificate.serial_number, encoded) == (certificate, CertificateStatus.IN_USE)
    other = refused(lambda: retrieved(SerialNumber(1), encoded))
    assert other.code == "repository.answer"
    assert other.seen == f"certificate {certificate.serial_number}, not {SerialNumber(1)}"


NO_STATUS = (
    "certificate status: {}; expected P (pending), I (in use), N (not in use), E (expired), R (revoked)"
    " (SEC Appendix P) [status.unknown]\n  Use P, I, N, E or R."
)
NO_SERIAL = (
    "serial number: ''; expected a positive number of 1 to 40 hexadecimal digits (RFC 5280 4.1.2.2)"
    " [serial-number.malformed]\n  Write it like 4DF56E92D528F83544EBA0547068CF8C."
)
NO_CERTIFICATE = (
    "certificate: nothing there at byte 0; expected a DER SEQUENCE (RFC 5280 4.1) [structure.unreadable]\n"
    "  Run smki lint on it to see everything that is wrong."
)


@pytest.mark.parametrize(
    ("body", "status", "seen"),
    [
        ("!", "I", "Only base64 data is allowed"),
        (base64.b64encode(SUPPLIER).decode(), "wizard", NO_STATUS.format("'wizard'")),
        (base64.b64encode(SUPPLIER).decode(), "", NO_STATUS.format("''")),
        ("", "I", NO_CERTIFICATE),
    ],
)
def test_a_retrieval_that_brings_nothing_of_use(body: str, status: str, seen: str) -> None:
    problem = refused(lambda: retrieved(SerialNumber(1), body, status))
    assert (problem.code, problem.seen) == ("repository.answer", seen)


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (answer(b"", 404), "HTTP status 404"),
        (answer(b"", 401), "HTTP status 401 (invalid search parameters)"),
        (answer(b"<r/>", 200, "Content-Type: text/html"), "content type text/html"),
        (answer(b"<r/>", 200), "content type none"),
        (answer(result(CertificateStatus="wizard"), 200, XML), NO_STATUS.format("'wizard'")),
        (answer(result(CertificateSerial=""), 200, XML), NO_SERIAL),
        (answer(b"<r><Result><CertificateSerial/></Result></r>", 200, XML), NO_SERIAL),
    ],
)
def test_answers_that_cannot_be_used(data: bytes, seen: str) -> None:
    with answering(data) as server:
        problem = refused(lambda: RepositoryClient(server.url, limits=LIMITS).search(NAME))
    assert (problem.code, problem.subject) == ("repository.answer", server.url + "/")
    assert problem.expected == "a response that follows the Repository's interface"
    assert problem.seen == seen


def test_what_is_said_of_an_answer_has_a_limit() -> None:
    with answering(answer(b"<" + b"x" * 900 + b">", 200, XML)) as server:
        seen = refused(lambda: RepositoryClient(server.url, limits=LIMITS).search(NAME)).seen
        assert len(seen) == 200
        assert seen.startswith("not XML: ")
    with answering(answer(b"", 200, f"Content-Type: {'x' * 190}").replace(b"x", b"\xe9")) as server:
        assert len(refused(lambda: RepositoryClient(server.url, limits=LIMITS).search(NAME)).seen) == 300
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n") as server:
        problem = refused(lambda: RepositoryClient(server.url, limits=LIMITS).search(NAME))
    assert (problem.code, problem.expected) == ("repository.too-large", "at most 4194304 bytes")


def test_entities_of_xml_stand_for_nothing() -> None:
    body = b"<!DOCTYPE r [<!ENTITY e '0A'>]>" + result(CertificateSerial="&amp;e;").replace(b"&amp;", b"&")
    with answering(answer(body, 200, XML)) as server:
        assert refused(lambda: RepositoryClient(server.url, limits=LIMITS).search(NAME)).code == "repository.answer"


def test_xml_loads_nothing_and_is_no_deeper_than_it_has_to_be() -> None:
    with answering(OK) as other:
        names = f"<!DOCTYPE r SYSTEM '{other.url}/r.dtd' [<!ENTITY % p SYSTEM '{other.url}/p'> %p;]>".encode()
        with answering(answer(names + result(), 200, XML)) as server:
            assert len(RepositoryClient(server.url, limits=LIMITS).search(NAME)) == 1
        assert other.asked == []
    with answering(answer(b"<r>" * 300 + result() + b"</r>" * 300, 200, XML)) as server:
        problem = refused(lambda: RepositoryClient(server.url, limits=LIMITS).search(NAME))
        assert problem.seen.startswith("not XML: ")


def test_nothing_is_no_error_for_a_search_and_one_for_a_retrieval() -> None:
    with answering(answer(b"", 402)) as server:
        client = RepositoryClient(server.url, limits=LIMITS)
        assert client.search(NAME) == []
        with pytest.raises(NotFound) as caught:
            client.retrieve(SerialNumber(10))
    problem = caught.value.problems[0]
    assert (problem.code, problem.subject) == ("repository.nothing", SerialNumber(10).hex)
    assert (problem.seen, problem.expected) == ("no certificate with that serial number", "a certificate")
