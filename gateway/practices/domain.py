"""Rules of practices."""

from typing import Final

from praxis.kit.problems import Conflict, NotFound, Problem


class PracticeUnknown(NotFound):
    """The practice has not been opened here."""

    code = "practice-unknown"
    title = "There is no such practice"


class PracticeCodeTaken(Conflict):
    """Two practices cannot have one code."""

    code = "practice-code-taken"
    title = "Another practice has this code"


REFUSALS: Final[dict[str, type[Problem]]] = {"practice_codes_code": PracticeCodeTaken}
