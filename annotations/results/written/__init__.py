"""Reasons and corrected texts: as rows of files, and beside the texts that they are about."""
