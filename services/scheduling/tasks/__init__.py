"""Clinical tasks of a visit: what has to be done, what was done, and the sealed result of it."""
