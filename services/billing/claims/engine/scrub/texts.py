"""Rules for every text on the claim: characters, blanks and length."""

from collections.abc import Callable

from services.billing.claims.engine.codec import Delimiters
from services.billing.claims.engine.scrub.rule import Check, Rule, error, warning
from services.billing.claims.engine.scrub.walk import Text

USUAL = Delimiters()
DELIMITERS = frozenset(USUAL.element + USUAL.repetition + USUAL.component + USUAL.segment)


def _on_each_text(holds: Callable[[Text], bool]) -> Check:
    return lambda case: [text.pointer for text in case.texts if not holds(text)]


def _is_carried(text: Text) -> bool:
    return text.value.isascii() and text.value.isprintable() and DELIMITERS.isdisjoint(text.value)


RULES: tuple[Rule, ...] = (
    error(
        "text-characters",
        "Text must be printable ASCII without * : ^ or ~, which separate the parts of a claim; write accents as plain "
        "letters.",
        _on_each_text(_is_carried),
    ),
    error(
        "text-length",
        "Text is longer than its element holds; shorten it.",
        _on_each_text(lambda text: text.limit is None or len(text.value) <= text.limit),
    ),
    warning(
        "text-blanks",
        "Text starts or ends with a blank; remove it.",
        _on_each_text(lambda text: text.value == text.value.strip()),
    ),
)
