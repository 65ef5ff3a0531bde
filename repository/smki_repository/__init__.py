"""The SMKI Repository and the service interfaces over HTTP. It asks the ledger and the gate, and signs nothing."""
