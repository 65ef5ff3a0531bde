"""How fast it is on this machine, as ratios to the raw cryptography measured in the same run.

``make bench`` runs everything; ``make bench BENCH="issuance commands"`` only what is named.
"""
