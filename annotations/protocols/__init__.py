"""What evaluators are asked on a page: one small package a protocol, and the table of them (`table.py`)."""
