"""Which calls of an incident were probably wrong, the likeliest first, so that they can be run again or corrected."""
