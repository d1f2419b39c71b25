"""Code lists and shapes that the rules look up; the descriptions belong to those who publish the lists."""

import re


def _codes(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Place of service codes kept by CMS.
PLACES_OF_SERVICE = _codes(
    "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 31 32 33 34 41 42"
    " 49 50 51 52 53 54 55 56 57 58 60 61 62 65 66 71 72 81 99"
)
# States, the district, territories, freely associated states and military mail, as the postal service writes them.
STATES = _codes(
    "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV"
    " NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY AS GU MP PR VI FM MH PW AA AE AP"
)
FILING_INDICATORS = _codes("11 12 13 14 15 16 17 AM BL CH CI DS FI HM LM MA MB MC OF TV VA WC ZZ")
RELATIONSHIPS = _codes("01 19 20 21 39 40 53 G8")
ACCIDENT_CAUSES = _codes("AA EM OA")
DRUG_UNITS = _codes("F2 GR ME ML UN")
# Modifiers that say a service was meant to be done again or separately.
REPEAT_MODIFIERS = _codes("59 76 77 91 LT RT XE XP XS XU")

TAX_ID = re.compile(r"[0-9]{9}")
TAXONOMY = re.compile(r"[0-9]{3}[0-9A-Z]{6}[A-Z]")
POSTAL_CODE = re.compile(r"[0-9]{5}(?:[0-9]{4})?")
FULL_POSTAL_CODE = re.compile(r"[0-9]{9}")
POST_OFFICE_BOX = re.compile(r"\b(?:p\.?\s*o\.?\s*box|post\s+office\s+box|lock\s*box)\b", re.IGNORECASE)
CONTROL_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,19}")
ICD_10_CM = re.compile(r"[A-Z][0-9][0-9A-Z](?:[0-9A-Z]{1,4})?")
ICD_9_CM = re.compile(r"[0-9]{3,5}|V[0-9]{2,4}|E[0-9]{3,4}")
EXTERNAL_CAUSE = re.compile(r"[V-Y]")
# Level I is four digits and a digit or the letter of a category or laboratory code; level II a letter and four digits.
PROCEDURE = re.compile(r"[0-9]{4}[0-9AFMTU]|[A-Z][0-9]{4}")
MODIFIER = re.compile(r"[0-9A-Z]{2}")
NDC = re.compile(r"[0-9]{11}")
NPI = re.compile(r"[12][0-9]{9}")
# The Luhn sum of 80840, the card issuer prefix that completes an NPI (45 CFR 162.406).
NPI_PREFIX_SUM = 24


def is_npi(text: str) -> bool:
    """Tell whether text is ten digits whose Luhn check digit holds with the prefix 80840."""
    if not NPI.fullmatch(text):
        return False
    digits = [int(digit) for digit in reversed(text)]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (NPI_PREFIX_SUM + sum(digits[::2]) + doubled) % 10 == 0
