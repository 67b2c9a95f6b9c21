"""Checklists on a page: its items as questions about each text, and the saving of an answer."""
