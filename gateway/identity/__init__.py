"""Identity: people who sign in, their sessions, and the keys of other systems."""
