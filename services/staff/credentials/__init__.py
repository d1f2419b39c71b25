"""Credentials: licences, certificates and registrations, with validity dates and who verified them."""
