"""The items of checklists: of a study, and of the prompts that its material has."""
