"""Patients: who they are and how to reach them. Their names leave this service only in answers to those who may read them."""
