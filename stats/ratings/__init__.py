"""Ratings as a long table, and the model of all ratings for designs whose pages are not complete."""
