"""Payers, their fee schedules, and who bills and renders as payers know them."""
