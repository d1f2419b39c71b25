"""Write and read the professional claim file 005010X222A1 (837P).

Covered: loops 1000A-B, 2000A-C, 2010AA, 2010AB, 2010BA, 2010BB, 2010CA, 2300, 2310B, 2310C, 2400 and 2410, with the
segments that `claim` names. Not covered: other payers (2320, 2430), referring and supervising providers, equipment
and ambulance segments.
"""

from services.billing.claims.engine.professional.read import Survey, Uncovered, read_professional, survey_professional
from services.billing.claims.engine.professional.write import Envelope, professional_segments, write_professional

__all__ = [
    "Envelope",
    "Survey",
    "Uncovered",
    "professional_segments",
    "read_professional",
    "survey_professional",
    "write_professional",
]
