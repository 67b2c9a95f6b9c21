"""Reasons and corrected texts on a page, and the saving of them."""
