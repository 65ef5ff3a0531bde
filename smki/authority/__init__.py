"""The certification authorities: their keys, and the order of writes in which a certificate comes to be."""
