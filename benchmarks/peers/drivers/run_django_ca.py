"""Issues with django-ca; see benchmarks/peers/python_driver.py for what is read and written."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

import django
from cryptography import x509
from django.conf import settings
from django.urls import include, path

urlpatterns: list[Any] = []


def set_up(folder: Path) -> None:
    """Configure Django: SQLite as the documentation of Django recommends for more than one process."""
    files = "django.core.files.storage.FileSystemStorage"
    options = {"init_command": "PRAGMA journal_mode=WAL", "transaction_mode": "IMMEDIATE", "timeout": 60}
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3"), "OPTIONS": options}
    settings.configure(
        SECRET_KEY="only for a benchmark" * 3,
        USE_TZ=True,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_object_actions", "django_ca"],
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        STORAGES={
            "default": {"BACKEND": files},
            "django-ca": {"BACKEND": files, "OPTIONS": {"location": str(folder / "keys")}},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
        ROOT_URLCONF=__name__,
        CA_USE_CELERY=False,
    )
    django.setup()
    urlpatterns.append(path("django_ca/", include("django_ca.urls")))


def issue(requests: list[str]) -> list[str]:
    """Issue certificates for requests (PEM); return the certificates (PEM)."""
    from django_ca.key_backends import key_backends
    from django_ca.models import Certificate, CertificateAuthority

    ca = CertificateAuthority.objects.get(name="Peers")
    backend = key_backends[ca.key_backend_alias]
    options = backend.use_model.model_validate({}, context={"ca": ca, "backend": backend})
    made = []
    for request in requests:
        csr = x509.load_pem_x509_csr(request.encode())
        name = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        certificate = Certificate.objects.create_cert(ca, options, csr, subject=csr.subject, extensions=[name])
        made.append(certificate.pub.pem)
    return made


def main(folder: Path) -> None:
    """Make an authority, then issue with a process for each processor, as a server with workers would."""
    set_up(folder)
    from django.core.management import call_command
    from django.db import connections
    from django_ca.models import Certificate, CertificateAuthority

    call_command("migrate", verbosity=0)
    call_command(
        "init_ca", "--key-type=EC", "--elliptic-curve=secp256r1", "--algorithm=SHA-256", "Peers", "CN=Peers CA",
        stdout=sys.stderr,
    )  # fmt: skip
    requests = json.loads((folder / "requests.json").read_text())
    issue(requests[:1])
    before, issuer = Certificate.objects.count(), CertificateAuthority.objects.get(name="Peers").pub.pem
    connections.close_all()
    workers = os.cpu_count() or 1
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        pool.map(len, [""] * workers)
        begin = time.perf_counter()
        # In slices, so that none of the workers waits for the others for long.
        slices = [requests[1:][start : start + 10] for start in range(0, len(requests) - 1, 10)]
        certificates = [certificate for made in pool.map(issue, slices, chunksize=1) for certificate in made]
        seconds = time.perf_counter() - begin
    stored = Certificate.objects.count() - before
    made = {"certificates": certificates, "issuer": issuer, "seconds": seconds, "stored": stored}
    (folder / "issued.json").write_text(json.dumps(made))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
