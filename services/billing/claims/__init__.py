"""Claims: what a signed charge sheet asks of a payer, checked and kept as the 837P that will be sent."""
