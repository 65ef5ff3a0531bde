"""The SMKI Repository and the service interfaces over HTTP.

Nothing here uses a signing key itself. What changes state is a command of :mod:`smki.registration`, and through those
commands a server does cause signatures: officers apply for certificates over REST, and each worker renews revocation lists
before they expire.
"""
