"""Stock: where which lot lies, how it came and went, and who may take it."""
