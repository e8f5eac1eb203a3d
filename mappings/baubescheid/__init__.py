"""Mapping `baubescheid`: the decision of a building authority (XBau 2.1, 0205) to a notice that the applicant can read."""
