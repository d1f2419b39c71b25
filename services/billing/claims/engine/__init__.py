"""X12 claims as pure computation: the codec, the professional claim (837P) and the checks before it leaves.

Nothing here reads a clock, a database or a setting; control numbers, dates and times come in as parameters.
"""
