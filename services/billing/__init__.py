"""Billing: what a visit costs, who is asked to pay, and books that always balance.

Owns: payers, fee schedules, the billing provider, coverages, charge sheets, claims, the ledger.
Publishes: billing.charge.captured, billing.claim.readied, billing.entry.posted.
Consumes: gateway.practice.opened; staff.staff-member.registered|changed|deactivated; scheduling.patient.registered|changed|merged,
location.changed, visit.completed|amended; inventory.stock.consumed.
"""
