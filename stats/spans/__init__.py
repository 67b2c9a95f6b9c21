"""Errors that evaluators marked in texts."""
