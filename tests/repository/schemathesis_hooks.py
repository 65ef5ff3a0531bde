"""What schemathesis is told of this Repository: bodies for media types of which it knows nothing."""

from __future__ import annotations

import os
from pathlib import Path

import schemathesis
from hypothesis import strategies as st

SAMPLES = [file.read_bytes() for file in sorted(Path(os.environ["SAMPLES"]).iterdir())]
BODIES = st.sampled_from(SAMPLES) | st.binary(min_size=1, max_size=200).filter(bytes.strip)

for media_type in (
    "application/octet-stream",
    "application/x-pem-file",
    "application/pkix-cert",
    "application/pkix-crl",
    "application/pkcs10",
):
    schemathesis.openapi.media_type(media_type, BODIES)
