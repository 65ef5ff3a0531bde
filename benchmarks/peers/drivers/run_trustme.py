"""Issues with trustme; see benchmarks/peers/python_driver.py for what is read and written."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import trustme


def main(folder: Path) -> None:
    """Issue as many certificates as there are requests; trustme makes the keys itself."""
    names = [f"{number:016x}.example" for number, _ in enumerate(json.loads((folder / "requests.json").read_text()))]
    ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
    ca.issue_cert(names[0], key_type=trustme.KeyType.ECDSA)
    begin = time.perf_counter()
    leaves = [ca.issue_cert(name, key_type=trustme.KeyType.ECDSA) for name in names[1:]]
    seconds = time.perf_counter() - begin
    made = {
        "certificates": [leaf.cert_chain_pems[0].bytes().decode() for leaf in leaves],
        "issuer": ca.cert_pem.bytes().decode(),
        "seconds": seconds,
        "stored": 0,
    }
    (folder / "issued.json").write_text(json.dumps(made))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
