"""Gateway: the one way in. Who may enter, whose practice it is, and which service answers.

Owns: practices, users, sessions, API clients.
Publishes: gateway.practice.opened.
Consumes: gateway.practice.opened, staff.staff-member.deactivated.
"""
