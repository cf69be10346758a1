"""A team's own model as a judge of a weighted sample of calls, within a daily cap of money."""
