"""Real data through the real thing: what `bench/replay.py` sends, and what it reads back."""
