"""The audit trail: a closed list of events, chained per Nachricht, folded into a signed Merkle log, verifiable offline."""
