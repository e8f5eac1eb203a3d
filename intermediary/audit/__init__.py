"""The audit trail: a closed list of events, chained per Nachricht, in a signed Merkle log, verifiable offline."""
