"""Practices: what the gateway opens and every service then keeps books for."""
