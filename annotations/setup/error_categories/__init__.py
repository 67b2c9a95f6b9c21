"""The categories and severities of the errors that a study has marked: from rubrics, and stored."""
