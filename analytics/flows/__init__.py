"""What one flow's sessions say: the page about it, and its JSON."""
