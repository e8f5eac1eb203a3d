"""`mapping report`: a mapping as the Fachamt reads it, made from what its golden cases show."""
