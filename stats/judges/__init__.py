"""Programs that rate: what their scores are worth beside people's ratings."""
