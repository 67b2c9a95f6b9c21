"""What a start of the site costs, and what a site of some size needs."""
