"""The training round: pages with feedback before the first real page, with a passing mark or for practice."""
