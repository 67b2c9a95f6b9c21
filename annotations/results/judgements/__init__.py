"""Judgements of whole pages: as scores of texts, and as rows of files."""
