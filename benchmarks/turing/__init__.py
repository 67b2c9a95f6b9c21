"""How fast the game is, and whether many players at once lose a round."""
