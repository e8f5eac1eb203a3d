"""What doors that fetch share: when each box is visited, how what it gives is taken, and what is passed by."""
