"""Errors marked in texts: as scores, in the report, in a picture of each text, and as rows of files."""
