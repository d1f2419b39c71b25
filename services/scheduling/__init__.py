"""Scheduling: who comes when, to whom, where; and how the visit went.

Owns: patients, locations, rooms, visit types, appointments, visits, clinical tasks.
Publishes: scheduling.patient.registered|changed, scheduling.location.changed,
scheduling.appointment.booked|rescheduled|cancelled|missed, scheduling.visit.checked-in|completed|amended.
Consumes: gateway.practice.opened, staff.staff-member.registered|changed|deactivated.
"""
