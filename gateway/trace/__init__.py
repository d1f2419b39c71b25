"""Trace: the whole story of one appointment or visit, put together from every service."""
