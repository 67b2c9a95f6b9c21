"""Reports: result objects, and how they are written as LaTeX, CSV and JSON."""
