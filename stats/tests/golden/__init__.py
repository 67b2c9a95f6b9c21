"""Golden numbers on a simulated study, made with other implementations than those under test."""
