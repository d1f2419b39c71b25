"""Staff members: who works here, in which role, known to payers by which NPI."""
