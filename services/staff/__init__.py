"""Staff: the people of the practice and what they are qualified for.

Owns: staff members, credentials.
Publishes: staff.staff-member.registered|changed|deactivated, staff.credential.changed.
Consumes: gateway.practice.opened.
"""
