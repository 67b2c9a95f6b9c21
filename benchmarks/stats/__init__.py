"""How fast the statistics are, and how often they hold what they promise."""
