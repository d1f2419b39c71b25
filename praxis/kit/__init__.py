"""What every service and the gateway share: one edge, one way to store, announce, authorize and report."""
