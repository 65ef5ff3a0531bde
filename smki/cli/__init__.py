"""The command line: ``smki --help``."""

from smki.cli.main import main

__all__ = ["main"]
