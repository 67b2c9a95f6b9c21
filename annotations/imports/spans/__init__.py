"""Errors that were marked elsewhere, or exported from here: read from a table and stored as a closed study."""
