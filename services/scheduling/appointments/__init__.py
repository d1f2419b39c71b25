"""Appointments: who comes when, and the occupancies that make double booking impossible."""
