"""How fast studies are filled, rated, read out and reported."""
