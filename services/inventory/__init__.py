"""Inventory: what the practice keeps in stock, where, from which lot, and what each visit used up.

Owns: items and their packs, places, lots, movements and balances, kits, the usage of visits.
Publishes: inventory.stock.consumed, inventory.stock.ran-short.
Consumes: gateway.practice.opened, scheduling.location.changed, scheduling.visit.completed|amended.
"""
