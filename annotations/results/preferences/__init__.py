"""Data to train models on what people preferred: pairs, single texts, and orders."""
