"""The demo practice: opened on a development installation, filled and walked through over the public API alone."""
