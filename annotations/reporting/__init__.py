"""The report of a study put into words, tables and figures."""
