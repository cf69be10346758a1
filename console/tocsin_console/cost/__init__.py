"""What a right answer really costs: the calls, what is asked again, and the people."""
