"""Long work outside the request: queued, done by a worker, watched, stopped and fetched on a page of its own."""
