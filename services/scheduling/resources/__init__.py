"""Resources: locations, rooms, visit types, the practitioners staff told us of, and the rows that bookings lock."""
