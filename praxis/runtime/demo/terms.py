"""What codes of other systems are called here: small explicit tables; what they do not list is reported, not guessed."""

from typing import Final

SNOMED: Final = "http://snomed.info/sct"
CVX: Final = "http://hl7.org/fhir/sid/cvx"
LOINC: Final = "http://loinc.org"
HCPCS: Final = frozenset({"http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "urn:oid:2.16.840.1.113883.6.285"})
ICD_10_CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"

CHECK_UPS: Final = frozenset({"185349003", "162673000", "410620009"})
"""SNOMED CT encounter types that are a check-up of somebody well."""

CONDITIONS: Final = {
    "38341003": "I10",
    "59621000": "I10",
    "44054006": "E11.9",
    "15777000": "R73.03",
    "162864005": "E66.9",
    "444814009": "J01.90",
    "40055000": "J32.9",
    "195662009": "J02.9",
    "43878008": "J02.0",
    "10509002": "J20.9",
    "65363002": "H66.90",
    "84757009": "G40.909",
    "128613002": "G40.909",
    "703151001": "Z86.69",
    "271737000": "D64.9",
    "55822004": "E78.5",
    "195967001": "J45.909",
}
"""SNOMED CT condition -> ICD-10-CM code without more detail than the condition has."""

PROCEDURES: Final = {"428191000124101": "medication-review"}
"""SNOMED CT procedure -> task code."""

ADMINISTRATIONS: Final = {
    **dict.fromkeys(("88", "135", "140", "141", "150", "155", "158", "161", "168", "185", "186", "197"), "G0008"),
    **dict.fromkeys(("33", "100", "109", "133", "152", "215", "216"), "G0009"),
    **dict.fromkeys(("08", "43", "44", "45", "189", "220"), "G0010"),
}
"""CVX vaccine -> HCPCS code of giving it: influenza, pneumococcus, hepatitis B. Others have none of level II."""

VITAL_SIGNS: Final = {
    ("8480-6", "mm[Hg]"): ("systolic_mmhg", 1),
    ("8462-4", "mm[Hg]"): ("diastolic_mmhg", 1),
    ("8867-4", "/min"): ("pulse_per_minute", 1),
    ("9279-1", "/min"): ("respirations_per_minute", 1),
    ("8310-5", "Cel"): ("temperature_decicelsius", 10),
    ("2708-6", "%"): ("oxygen_saturation_percent", 1),
    ("29463-7", "kg"): ("weight_grams", 1000),
    ("8302-2", "cm"): ("height_millimetres", 10),
}
"""LOINC code and UCUM unit -> field of the vital-signs result and what to multiply by."""

CHECK_UP_ADULT: Final = "G0439"
CLINIC_VISIT: Final = "T1015"
WELL_ADULT: Final = "Z00.00"
WELL_CHILD: Final = "Z00.129"
IMMUNIZATION: Final = "Z23"
ADULT_AGE: Final = 18

NO_INSURANCE: Final = frozenset({"no_insurance", "no insurance", "self-pay", "self pay"})
FILING_INDICATORS: Final = {"medicare": "MB", "medicaid": "MC", "dual eligible": "MB"}
"""Insurer in lower case -> claim filing indicator; any other is commercial insurance (CI)."""

STATES: Final = {
    "alabama": "AL", "alaska": "AK", "arizona": "AZ", "arkansas": "AR", "california": "CA", "colorado": "CO",
    "connecticut": "CT", "delaware": "DE", "district of columbia": "DC", "florida": "FL", "georgia": "GA",
    "hawaii": "HI", "idaho": "ID", "illinois": "IL", "indiana": "IN", "iowa": "IA", "kansas": "KS",
    "kentucky": "KY", "louisiana": "LA", "maine": "ME", "maryland": "MD", "massachusetts": "MA", "michigan": "MI",
    "minnesota": "MN", "mississippi": "MS", "missouri": "MO", "montana": "MT", "nebraska": "NE", "nevada": "NV",
    "new hampshire": "NH", "new jersey": "NJ", "new mexico": "NM", "new york": "NY", "north carolina": "NC",
    "north dakota": "ND", "ohio": "OH", "oklahoma": "OK", "oregon": "OR", "pennsylvania": "PA", "puerto rico": "PR",
    "rhode island": "RI", "south carolina": "SC", "south dakota": "SD", "tennessee": "TN", "texas": "TX", "utah": "UT",
    "vermont": "VT", "virginia": "VA", "washington": "WA", "west virginia": "WV", "wisconsin": "WI", "wyoming": "WY",
}  # fmt: skip
"""State in lower case -> its two letters."""

ELSEWHERE: Final = {
    "ExplanationOfBenefit": "what a payer decided comes by remittance, not by import",
    "MedicationRequest": "prescriptions stay in the EHR",
    "CarePlan": "care plans stay in the EHR",
    "DiagnosticReport": "reports stay in the EHR",
    "Goal": "goals stay in the EHR",
    "Organization": "the demo practice stands in for it",
    "Practitioner": "the demo provider stands in: a provider is registered with a valid NPI, not taken from bundles",
    "Device": "devices belong to inventory and are not taken from bundles",
}
"""Resource type -> why none of it is imported."""
