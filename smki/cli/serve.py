"""smki serve"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from smki_repository.options import Options, ReadAccess
from smki_repository.server import DEFAULT_HOST, DEFAULT_PORT, DEFAULT_WORKERS, default_read_access, refuse_taken_port
from smki_repository.server import serve as serve_repository

from smki.cli.common import home_option
from smki.cli.say import say
from smki.home.smki import Smki

_EXAMPLE = "00-DB-12-34-56-78-90-A0"


@click.command()
@home_option
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="The address to listen on.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="The port.")
@click.option(
    "--workers", default=DEFAULT_WORKERS, show_default=True, type=click.IntRange(1, 64), help="How many processes."
)
@click.option(
    "--read",
    type=click.Choice([access.value for access in ReadAccess]),
    help="Who may read: whoever connects, or systems with an API key. [default: open on this machine's own address]",
)
@click.option("--access-log", is_flag=True, help="Write a line for each request to standard output.")
@click.option("--base-path", default="", metavar="/PATH", help="Serve everything below this path, behind a proxy.")
@click.option("--time-travel", is_flag=True, help="Let each request say when it is asked, with the header X-SMKI-Time.")
@click.option("--faults", is_flag=True, help="Let faults be set at /faults: answers that are late, wrong or cut off.")
@click.option(
    "--publish-test-keys",
    is_flag=True,
    help="Hand out org-crypto.zip: the private keys that were made for it, no others.",
)
def serve(home: Path, host: str, port: int, workers: int, base_path: str, read: str | None, **switches: bool) -> None:
    """Serve the SMKI Repository over HTTP, until interrupted.

    What is issued while it runs appears at once.
    """
    with Smki.open(home) as smki:
        count = smki.ledger.count_certificates()
        if switches["publish_test_keys"]:
            smki.published_keys.certificates()  # said before anything is said to be served
    refuse_taken_port(host, port)
    access = ReadAccess(read) if read else default_read_access(host)
    options = Options(access, base_path=base_path, **switches)
    address = f"[{host}]" if ":" in host else host
    say(*_banner(home, f"http://{address}:{port}{base_path}", count, access).split("\n"))
    sys.stdout.flush()
    serve_repository(home, host, port, workers, options)


def _banner(home: Path, url: str, count: int, access: ReadAccess) -> str:
    smki = sys.argv[0] if Path(sys.argv[0]).name == "smki" else "smki"
    where = "" if home == Path("pki") else f" --home {home}"
    search = f"<CertificateSearchRequest><CertificateSubjectAltName>{_EXAMPLE}</CertificateSubjectAltName></CertificateSearchRequest>"
    keys = "" if access is ReadAccess.OPEN else f"Who reads needs an API key: {smki} apikey add{where} NAME\n"
    return f"""The SMKI in {home} ({count} certificates, all of them Test Certificates) is served at {url}/
{keys}Ctrl-C stops it. To try, in another terminal:

  {smki} issue device{where} --eui {_EXAMPLE} --usage ds --out meter-ds.pem
  curl -s {url}/services/certificatesearch -d '{search}'
  {smki} list{where} --kind device
"""
