"""Limits on what is taken in and what is kept, in one place.

Limits on the parts of certificates, requests and revocation lists are in :mod:`smki.pki.bounds`. Larger input is refused
with an error that names the limit.
"""

from __future__ import annotations

# Archives

MAX_ENTRY_BYTES = 16 * 1024 * 1024
"""Maximum size of an expanded entry of an archive: a key store of ten thousand certificates is smaller."""

MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
"""Maximum size of an archive's directory, which is read into memory: that of 200,000 certificates is smaller."""

MAX_EXPANDED_BYTES = 2 * 1024 * 1024 * 1024
"""Maximum number of bytes to which the entries of one archive expand in all."""

MAX_EXPANSION_RATIO = 50
"""Maximum number of bytes to which a byte of an archive expands. Certificates and keys are mostly random: in PEM, JSON or
DER they expand 2 to 6 times, a decompression bomb 1,000 times."""

FREE_EXPANSION_BYTES = 1024 * 1024
"""Number of bytes to which an entry, and an archive in all, may expand whatever the ratio: small files compress well."""

MAX_ARCHIVE_SECONDS = 60.0
"""Maximum processor time, in seconds, for expanding and searching the entries of one archive. 200,000 certificates in PEM
take a third of it on a slow machine."""

# Requests for many certificates

MAX_REQUEST_FILES = 50_000
"""Maximum number of files in a folder, or entries of an archive, of certification requests."""

MAX_REQUEST_ROWS = 1_000_000
"""Maximum number of certificates that are applied for with one file of rows, or with a count."""

MAX_REQUEST_FILE_BYTES = 256 * 1024
"""Maximum size of a file with a certification request: one of the maximum size in hexadecimal is half as large."""

MAX_ROW_BYTES = 512 * 1024
"""Maximum length of a line in such a file of rows."""

# Encrypted private keys

MAX_KEY_ROUNDS = 10_000_000
"""Maximum number of rounds of the key derivation of a private key that is read: about 4 seconds."""

MAX_KEY_MEMORY_BYTES = 256 * 1024 * 1024
"""Maximum memory for the key derivation of a private key that is read (scrypt: 128 N r bytes)."""

MAX_KEY_SCRYPT_WORK = 2**22
"""Maximum work for the key derivation with scrypt, as N r p; the usual N = 2^17, r = 8, p = 1 is a quarter of it."""

# The audit trail of requests to the XML services

MAX_TRAIL_VALUE_CHARACTERS = 128
"""Maximum number of characters recorded of a value that a client sent; the longest valid one has 39."""

MAX_TRAIL_LINE_BYTES = 8 * 1024
"""Maximum length of a record, in bytes: one with 100 serial numbers has less than 4 kB."""

MAX_TRAIL_FILE_BYTES = 32 * 1024 * 1024
"""Maximum size of a file of the audit trail: about 100,000 requests. Then the day is continued in another file."""

MAX_TRAIL_FILES_A_DAY = 8
"""Maximum number of files of one day. The oldest is removed when there would be more."""

MAX_TRAIL_DAYS = 30
"""Maximum number of days that are kept: those to which was written last. Older ones are removed."""

# Files left behind

MIN_NAMELESS_AGE_SECONDS = 86_400.0
"""Seconds for which a temporary file whose name has no process id, as version 0.1 wrote, must have been unchanged before
it counts as left behind."""
