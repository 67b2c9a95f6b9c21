"""Ratings of the turns of dialogues, as rows of files."""
