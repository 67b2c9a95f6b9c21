"""Files as they were uploaded: they wait on the server until somebody has said how they are read."""
