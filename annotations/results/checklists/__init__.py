"""Answers to checklists: as scores of texts, as facts of a report, and as rows of files."""
