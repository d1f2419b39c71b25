"""Check a professional claim before it leaves: SNIP types 3 to 5 as a table of rules.

A file can be sound X12 and still be refused: totals that do not add up, an NPI with a wrong check digit, a pointer to
a diagnosis that is not there. Each rule is a row: an id that never changes, a severity, a message and a predicate
that yields the places where the claim breaks it. Errors must be mended before the claim is sent, warnings are for a
person to judge.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from services.billing.claims.engine.claim import Batch, ProfessionalClaim
from services.billing.claims.engine.scrub import claims, lines, parties, texts
from services.billing.claims.engine.scrub.rule import Case, Coverage, Finding, Rule, Severity
from services.billing.claims.engine.scrub.walk import texts_of

RULES: tuple[Rule, ...] = (*claims.RULES, *parties.RULES, *lines.RULES, *texts.RULES)
SHARED_CONTROL_NUMBER = "control-number-shared"

__all__ = ["RULES", "Coverage", "Finding", "Rule", "Severity", "scrub", "scrub_batch"]


def scrub(claim: ProfessionalClaim, as_of: date, coverage: Coverage | None = None) -> list[Finding]:
    """Return every place where the claim breaks a rule, in the order of the table; empty for a clean claim.

    `as_of` is the day the payer will receive the claim. The dates of service are held against `coverage` when it is
    known.
    """
    case = Case(claim, as_of, coverage or Coverage(), texts_of(claim))
    return [
        Finding(rule.id, rule.severity, pointer, rule.message) for rule in RULES for pointer in rule.broken_at(case)
    ]


def scrub_batch(batch: Batch, as_of: date) -> list[Finding]:
    """Scrub each claim, with pointers from the batch (`/claims/0/...`), and find shared control numbers."""
    return [*_shared_control_numbers(batch), *_claim_findings(batch, as_of)]


def _claim_findings(batch: Batch, as_of: date) -> Iterator[Finding]:
    for index, claim in enumerate(batch.claims):
        for finding in scrub(claim, as_of):
            yield Finding(finding.rule, finding.severity, f"/claims/{index}{finding.pointer}", finding.message)


def _shared_control_numbers(batch: Batch) -> Iterator[Finding]:
    uses = Counter(claim.control_number for claim in batch.claims)
    message = "Claim control number (CLM01) must be used once in a batch; give each claim its own."
    for index, claim in enumerate(batch.claims):
        if uses[claim.control_number] > 1:
            yield Finding(SHARED_CONTROL_NUMBER, Severity.ERROR, f"/claims/{index}/control_number", message)
