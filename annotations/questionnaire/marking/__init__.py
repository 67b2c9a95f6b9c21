"""Errors marked in texts: what a page asks and shows, what may be sent, and how it is saved."""
