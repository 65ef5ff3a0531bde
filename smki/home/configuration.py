"""The settings chosen when a home was made, stored in its ``smki.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from smki.clock import RealClock, utc
from smki.keys.private_key import write_private_file
from smki.os_errors import remedy_for
from smki.problem import IntegrityError, Malformed, NotReady, Problem
from smki.profile import TEST_POLICY_OID

CONFIGURATION_FILE = "smki.json"
FORMAT = 1

SEEDED_START = datetime(2026, 1, 1, tzinfo=UTC)
"""The default starting time of an SMKI made from a seed. It is fixed, so that the same seed gives the same bytes on any
day."""


def beginning(seed: str | None, at: datetime | None) -> datetime:
    """Return when an SMKI begins (UTC): *at* if given, else :data:`SEEDED_START` if there is a seed, else now.

    :raises Malformed: if the seed is not valid UTF-8 text, or *at* has no time zone.
    """
    if seed is not None and any("\ud800" <= character <= "\udfff" for character in seed):
        seen = f"{seed[:64]!r}"
        raise Malformed(Problem(code="seed.malformed", subject="seed", seen=seen, expected="text"))
    if at is not None:
        return utc(at, "at")
    return SEEDED_START if seed is not None else RealClock().now()


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings chosen when a home was made."""

    created: str
    """ISO 8601, UTC."""
    policy_oid: str = TEST_POLICY_OID
    """The certificatePolicies of everything issued, which identify the environment."""
    seed: str | None = None
    deemed_accepted_after: int = 0
    """Seconds after its issue at which an Organisation Certificate that was neither accepted nor rejected is deemed
    accepted (SEC L11). Assumption: the Code's own period is not known to us. The default is 0, so that a first try
    needs one step."""
    format: int = FORMAT

    def write(self, path: Path) -> None:
        """Write the settings as JSON to a new file with mode 0600, because the seed gives access to every key."""
        write_private_file(path, json.dumps(asdict(self), indent=2).encode() + b"\n")

    @classmethod
    def read(cls, home: Path) -> Configuration:
        """Read the configuration of a home.

        :raises NotReady: if there is no SMKI.
        :raises IntegrityError: if the file is damaged or has a later format.
        """
        path = home / CONFIGURATION_FILE
        try:
            values = json.loads(path.read_bytes())
            configuration = cls(**dict(values))
        except (FileNotFoundError, NotADirectoryError):
            raise NotReady(
                Problem(
                    code="home.not-initialised",
                    subject=str(home),
                    seen=f"no {CONFIGURATION_FILE} in it",
                    expected="an SMKI home",
                    remedy=f"Make one with: smki init --home {home}",
                )
            ) from None
        except OSError as error:
            seen, remedy = error.strerror or str(error), remedy_for(error)
            raise IntegrityError(
                Problem(code="home.unreadable", subject=str(path), seen=seen, expected="a readable file", remedy=remedy)
            ) from None
        except (ValueError, TypeError) as error:
            raise IntegrityError(
                Problem(
                    code="home.unreadable", subject=str(path), seen=str(error), expected="a file written by smki init"
                )
            ) from None
        if configuration.format != FORMAT:
            raise IntegrityError(
                Problem(
                    code="home.format",
                    subject=str(path),
                    seen=f"format {configuration.format}",
                    expected=f"format {FORMAT}",
                )
            )
        return configuration


def refuse_occupied(path: Path) -> None:
    """Check early that an SMKI can be made in a directory.

    :raises NotReady: if something else is there.
    """
    try:
        occupied = path.exists() and (not path.is_dir() or any(path.iterdir()))
    except OSError as error:
        seen, expected = error.strerror or str(error), "an empty directory"
        raise NotReady(Problem(code="home.not-writable", subject=str(path), seen=seen, expected=expected)) from error
    if occupied:
        seen, expected = "already exists and is not empty", "a new directory, or an empty one"
        remedy = "Choose another directory with --home."
        raise NotReady(Problem(code="home.occupied", subject=str(path), seen=seen, expected=expected, remedy=remedy))
