"""Values, identities, faults and states of the field; no input, no output, no other room is imported here."""
