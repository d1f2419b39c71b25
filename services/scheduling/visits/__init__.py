"""Visits: the patient is here; through waiting, room and provider to the end, and corrected afterwards."""
