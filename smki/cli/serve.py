"""smki serve"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from smki_repository.options import Options, ReadAccess, TimeTravel
from smki_repository.server import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    DEFAULT_WORKERS,
    check_port,
    default_read_access,
    require_keys,
)
from smki_repository.server import serve as serve_repository

from smki.cli.common import home_option
from smki.cli.say import say
from smki.home.smki import Smki

_EXAMPLE = "00-DB-12-34-56-78-90-A0"


@click.command()
@home_option
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option(
    "--workers",
    default=DEFAULT_WORKERS,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Number of worker processes.",
)
@click.option(
    "--read",
    type=click.Choice([access.value for access in ReadAccess]),
    help="Who may read: anyone (open), or clients with an API key. [default: open on the loopback interface, else api-key]",
)
@click.option("--access-log", is_flag=True, help="Write a line for each request to standard output.")
@click.option("--base-path", default="", metavar="/PATH", help="Path below which to serve everything, behind a proxy.")
@click.option(
    "--time-travel",
    is_flag=False,
    flag_value=TimeTravel.READ.value,
    default=TimeTravel.OFF.value,
    type=click.Choice([travel.value for travel in TimeTravel]),
    help="Let requests set the time with the header X-SMKI-Time: those that read, or with =write commands too.",
)
@click.option(
    "--faults", is_flag=True, help="Allow clients to inject faults at /faults: late, wrong or truncated responses."
)
@click.option(
    "--publish-test-keys",
    is_flag=True,
    help="Serve org-crypto.zip with the private keys that were made to be published.",
)
def serve(
    home: Path,
    host: str,
    port: int,
    workers: int,
    base_path: str,
    read: str | None,
    time_travel: str,
    **switches: bool,
) -> None:
    """Serve the SMKI Repository over HTTP until interrupted.

    Certificates issued while it runs are available at once.
    """
    with Smki.open(home) as smki:
        count = smki.ledger.count_certificates()
        require_keys(smki)
        if switches["publish_test_keys"]:
            smki.published_keys.certificates()  # fails before the banner is printed if a key must not be published
    check_port(host, port)
    access = ReadAccess(read) if read else default_read_access(host)
    options = Options(access, base_path=base_path, time_travel=TimeTravel(time_travel), **switches)
    address = f"[{host}]" if ":" in host else host
    say(*_banner(home, f"http://{address}:{port}{base_path}", count, access).split("\n"))
    sys.stdout.flush()
    serve_repository(home, host, port, workers, options)


def _banner(home: Path, url: str, count: int, access: ReadAccess) -> str:
    smki = sys.argv[0] if Path(sys.argv[0]).name == "smki" else "smki"
    where = "" if home == Path("pki") else f" --home {home}"
    search = f"<CertificateSearchRequest><CertificateSubjectAltName>{_EXAMPLE}</CertificateSubjectAltName></CertificateSearchRequest>"
    keys = "" if access is ReadAccess.OPEN else f"Reading requires an API key: {smki} apikey add{where} NAME\n"
    return f"""Serving the SMKI in {home} ({count} certificates, all of them Test Certificates) at {url}/
{keys}Press Ctrl-C to stop. Try in another terminal:

  {smki} issue device{where} --eui {_EXAMPLE} --usage ds --out meter-ds.pem
  curl -s {url}/services/certificatesearch -d '{search}'
  {smki} list{where} --kind device
"""
