"""How many evaluators and prompts a study needs, before it is launched."""
