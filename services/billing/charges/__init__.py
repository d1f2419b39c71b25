"""Charge sheets: what a completed visit is charged for, coded and signed by a provider."""
