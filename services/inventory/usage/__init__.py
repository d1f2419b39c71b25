"""Usage: the kits that visits and tasks use up, and what each visit really took from stock."""
