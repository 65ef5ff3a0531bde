"""``openssl ca``: an authority of text files."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.installing import run
from benchmarks.peers.peer import Facts, Issued, from_pem, to_pem

CONFIGURATION = """\
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
new_certs_dir = certificates
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 3650
policy = anything
unique_subject = no
copy_extensions = copy
x509_extensions = device
[anything]
commonName = optional
[device]
basicConstraints = critical, CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def make_authority(folder: Path) -> None:
    """Make a key (ca.key) and a self-signed certificate (ca.pem) for an authority."""
    run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ca.key"], folder=folder)
    subject = ["-key", "ca.key", "-subj", "/CN=Peers CA", "-days", "3650", "-out", "ca.pem"]
    run(["openssl", "req", "-x509", "-new", "-sha256", *subject], folder=folder)


@dataclass(frozen=True, slots=True)
class OpensslCa:
    """``openssl ca``, with all requests in one process or with a process for each."""

    facts: Facts
    is_batch: bool

    def install(self) -> str:
        """Return the version; nothing is installed."""
        return run(["openssl", "version"]).split("(")[0].strip()

    def issue(self, warm_up: bytes, requests: Sequence[bytes], folder: Path) -> Issued:
        """Write the requests to files, then issue."""
        make_authority(folder)
        (folder / "openssl.cnf").write_text(CONFIGURATION)
        (folder / "serial").write_text("1000000000\n")
        for name in ("index.txt", "index.txt.attr"):
            (folder / name).touch()
        for name in ("requests", "certificates"):
            (folder / name).mkdir()
        files = [f"requests/{number:06}.pem" for number in range(len(requests))]
        for file, request in zip(files, requests, strict=True):
            (folder / file).write_text(to_pem(request))
        openssl = shutil.which("openssl") or "openssl"
        command = [openssl, "ca", "-config", "openssl.cnf", "-batch", "-notext", "-infiles"]
        begin = time.perf_counter()
        for together in [files] if self.is_batch else [[file] for file in files]:
            run([*command, *together], folder=folder)
        seconds = time.perf_counter() - begin
        certificates = sorted((folder / "certificates").iterdir())
        return Issued(
            certificates=[from_pem(file.read_bytes()) for file in certificates],
            issuer=from_pem((folder / "ca.pem").read_bytes()),
            seconds=seconds,
            stored=len((folder / "index.txt").read_text().splitlines()),
        )


PEERS = (
    OpensslCa(
        Facts(
            name="openssl ca, all in one process",
            stores="index.txt and a PEM file each, written at the end, not synchronised",
            keeps=True,
            at_once=sys.maxsize,
        ),
        is_batch=True,
    ),
    OpensslCa(
        Facts(
            name="openssl ca, a process for each",
            stores="index.txt (written again each time) and a PEM file each, not synchronised",
            keeps=True,
            at_once=1,
            most=200,
        ),
        is_batch=False,
    ),
)
