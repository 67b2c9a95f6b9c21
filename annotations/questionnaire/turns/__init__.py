"""Dialogues on a page: their turns, as questions by the criteria that rate turns, and the saving of an answer."""
