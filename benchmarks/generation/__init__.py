"""How well and how fast texts are written."""
