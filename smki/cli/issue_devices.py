"""smki issue devices"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import click

from smki.bounds import MAX_REQUEST_ROWS
from smki.cli.common import (
    DEVICE_TYPE,
    EUI64,
    USAGES,
    applicant_options,
    home_option,
    json_option,
    once,
    output,
    read_input,
    require_directory,
    under_test_option,
)
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.progress import progress_bar
from smki.cli.say import count_of, say, say_problems
from smki.home.device_issuing import DeviceIssuing
from smki.home.smki import Smki
from smki.identity import EntityIdentifier
from smki.interchange.device_certificates import DeviceOutput, Refusals, open_output
from smki.interchange.device_requests import DeviceRequests, open_requests, requests_for_range
from smki.interchange.device_requests.contents import BOTH_USAGES
from smki.problem import Malformed, Problem
from smki.registration import Actor, Application
from smki.sec.device import DeviceType, parse_model
from smki.sec.role import CertificateKind, KeyUsage

SHOWN_REFUSALS = 5
"""Number of refusals that are printed; all of them are in the report."""

_REPORT_EVERY = 50


@click.command()
@click.argument("source", required=False, metavar="[FILE|DIR]")
@home_option
@once("--from", "first", type=EUI64, help="First of consecutive Device IDs for which to make keys and requests.")
@once("--count", type=click.IntRange(1, MAX_REQUEST_ROWS), help="Number of Devices, with --from.")
@once("--usage", "usages", type=USAGES, help="Key usages, with --from. [default: ds,ka]", again="Write --usage ds,ka.")
@once(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR|FILE.zip|FILE.jsonl",
    help="Folder, ZIP archive or JSON Lines file for the certificates, and the keys that are made.",
)
@once(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File for the refusals, as JSON Lines. [default: refusals.jsonl in the output, if there are any]",
)
@once(
    "--type", "device_type", type=DEVICE_TYPE, help="Type of the Devices that are not in the inventory: they are added."
)
@once("--model", default="", help="For such Devices, their product identifier on the Certified Products List.")
@under_test_option
@once("--issuer", default="", metavar="NAME", help="Common name of the Issuing DCA to use. [default: each in turn]")
@click.option(
    "--statement", is_flag=True, help="State for every request what SEC L11 requires (see smki issue device)."
)
@applicant_options
@json_option
def devices(
    source: str | None,
    home: Path,
    first: EntityIdentifier | None,
    count: int | None,
    usages: tuple[KeyUsage, ...] | None,
    out: Path | None,
    report: Path | None,
    device_type: DeviceType | None,
    model: str,
    under_test: bool,
    issuer: str,
    statement: bool,
    applicant: str,
    officer: str,
    on_behalf_of: str,
    as_json: bool,
) -> None:
    """Apply for the certificates of many Devices.

    FILE is CSV with a header (request, or eui and usage; type, model), JSON Lines with these fields, a ZIP archive of
    requests, or requests in PEM; DIR is a folder of requests; - is standard input. A request is PEM, base64, DER, or in a
    row the name of a file beside FILE. For a row with eui, and with --from, keys are made; they are encrypted if
    SMKI_KEY_PASSPHRASE is set.

    If it is interrupted, run the same command again: it goes on where it was.

    Exit status: 0 every certificate was issued, now or before; 1 something was refused.

    \b
    smki issue devices meters.csv --out certificates/
    smki issue devices requests.zip --type ESME --out certificates.zip
    smki issue devices --from 00-DB-12-34-56-78-A0-00 --count 1000 --type ESME --out meters/
    """
    _refuse_unfit(source, first, count, usages, out)
    assert out is not None
    application = Application(
        kind=CertificateKind.DEVICE, request=b"", device_type=device_type, issuer=issuer, statement=statement,
        model=parse_model(model) if model else "", under_test=under_test,
    )  # fmt: skip
    actor = Actor(interface="cli", party=applicant, officer=officer, on_behalf_of=on_behalf_of)
    require_directory(out.absolute().parent)
    with (
        Smki.open(home) as smki,
        _opened(source, first, count, usages) as requests,
        output(report) if report is not None else nullcontext() as report_file,
        open_output(out) as destination,
        closing(Refusals()) as refusals,
    ):
        issuing = DeviceIssuing(smki, actor, application, destination)
        counts = _issue(issuing, requests, destination, refusals, smki)
        place = destination.finish(refusals.file if report is None else None)
        if report is not None and report_file is not None:
            report_file.write(refusals.file.read())
            place = report
    _summarize(counts, requests.ignored, out, place, as_json=as_json)
    if refusals.count:
        sys.exit(EXIT_NEGATIVE)


def _refuse_unfit(
    source: str | None,
    first: EntityIdentifier | None,
    count: int | None,
    usages: tuple[KeyUsage, ...] | None,
    out: Path | None,
) -> None:
    if (source is None) == (first is None):
        seen = "nothing is given" if source is None else "both are given"
        raise click.UsageError(f"{seen}: name a FILE or DIR with requests, or use --from and --count.")
    if first is not None and count is None:
        raise click.UsageError("--count is required with --from.")
    if first is None and count is not None:
        raise click.UsageError("--count can only be used with --from.")
    if first is None and usages is not None:
        raise click.UsageError(
            "--usage can only be used with --from: a request contains it, and rows have a column usage."
        )
    if out is None or str(out) == "-":
        raise click.UsageError("--out is required: a folder, or a file that ends in .zip or .jsonl.")
    if source not in (None, "-") and Path(str(source)).is_dir():
        _refuse_mixed(Path(str(source)), out)


def _refuse_mixed(folder: Path, out: Path) -> None:
    """Refuse an output among the input: a later run would read the certificates as requests."""
    inside = out.resolve()
    if folder.resolve() in (inside, *inside.parents):
        seen, expected = f"inside {folder}, the folder of the requests", "a place outside it"
        raise Malformed(Problem(code="output.inside-input", subject=str(out), seen=seen, expected=expected))


@contextmanager
def _opened(
    source: str | None, first: EntityIdentifier | None, count: int | None, usages: tuple[KeyUsage, ...] | None
) -> Iterator[DeviceRequests]:
    if first is not None and count is not None:
        yield requests_for_range(first, count, usages or BOTH_USAGES)
    elif source == "-":
        with open_requests(None, read_input("-")) as requests:
            yield requests
    else:
        with open_requests(Path(str(source))) as requests:
            yield requests


def _issue(
    issuing: DeviceIssuing, requests: DeviceRequests, destination: DeviceOutput, refusals: Refusals, smki: Smki
) -> Counter[str]:
    counts = Counter[str](issued=0, issuedBefore=0)
    try:
        with progress_bar("issuing", rate=True) as report, closing(issuing.run(requests.items)) as outcomes:
            for number, outcome in enumerate(outcomes, 1):
                problems = outcome.problems
                if outcome.certificate is not None:
                    counts["issued" if outcome.is_new else "issuedBefore"] += 1
                    problem = destination.write(outcome.certificate, smki.clock.now())
                    problems = () if problem is None else (problem,)
                if problems:
                    if refusals.count < SHOWN_REFUSALS:
                        is_named = problems[0].subject.startswith(outcome.source)
                        say_problems(problems, "" if is_named else f"{outcome.source}: ", err=True)
                    refusals.add(outcome.source, problems)
                if number % _REPORT_EVERY == 0:
                    report(number, requests.total)
    except KeyboardInterrupt:
        say("Interrupted. Run the same command again to go on: what was issued is found in the ledger.", err=True)
        raise
    counts["refused"] = refusals.count
    return counts


def _summarize(counts: Counter[str], ignored: int, out: Path, report: Path | None, *, as_json: bool) -> None:
    if as_json:
        values = {**counts, "ignoredFiles": ignored, "out": str(out), "report": str(report) if report else None}
        say(json.dumps(values))
        return
    parts = [f"{count_of(counts['issued'], 'certificate')} issued"]
    if counts["issuedBefore"]:
        parts.append(f"{counts['issuedBefore']} issued before")
    parts.append(f"{counts['refused']} refused")
    if ignored:
        parts.append(f"{count_of(ignored, 'other file')} ignored")
    say(f"{', '.join(parts)}: {out}", err=True)
    if counts["refused"]:
        say(f"refusals in {report}", err=True)
