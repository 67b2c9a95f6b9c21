"""Checklists: shares of yes as scores of texts, items that split evaluators, and what the evaluators agree on."""
