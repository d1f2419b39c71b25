"""Passwords: hashing them, and knowing which everybody would guess."""
