"""The general ledger: double entry, only ever added to, each entry chained to the one before."""
