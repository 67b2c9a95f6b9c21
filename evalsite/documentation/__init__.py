"""The documentation, served by the site: the Markdown of `docs/`, and the footer that leads there."""
