"""django-ca: a CA on Django, here with SQLite."""

from __future__ import annotations

import os

from benchmarks.peers.library import Library
from benchmarks.peers.peer import Facts

PEERS = (
    Library(
        Facts(
            name="django-ca, a process for each processor",
            stores="SQLite (WAL): certificate, request, search fields; a durable commit each",
            keeps=True,
            at_once=os.cpu_count() or 1,
            most=500,
        ),
        "django-ca",
        "django-ca>=3.2,<4",
        "run_django_ca.py",
    ),
)
