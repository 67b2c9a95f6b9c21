"""The Turing game: how well players tell, how sure they are, how hard each pair is, and what that shows."""
