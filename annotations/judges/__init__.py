"""Programs that rate the texts of a study: judges and metrics, never mixed with people's ratings."""
