"""How carefully a study was answered: known answers, repeated pages, and flags for people to look at."""
