"""What tests of a service use: the whole application on a real database, signed events, signed tokens, a stopped clock."""

from praxis.kit.testing.harness import Harness, PracticeUnderTest

__all__ = ["Harness", "PracticeUnderTest"]
