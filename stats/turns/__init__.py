"""Ratings of the single turns of dialogues: by method, from turn to turn."""
