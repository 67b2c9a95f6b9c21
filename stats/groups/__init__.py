"""Groups of evaluators compared: whether students and experts, say, see the same differences between methods."""
