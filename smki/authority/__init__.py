"""Certification authorities: their keys, and how certificates and revocation lists are built and signed."""
