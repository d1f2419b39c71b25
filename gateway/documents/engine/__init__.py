"""Drawing the page of operations."""
