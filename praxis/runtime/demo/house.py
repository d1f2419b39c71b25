"""What the demo practice consists of: plainly invented people, places, supplies and prices. HCPCS level II codes alone."""

from datetime import date
from typing import Any, Final

ZONE: Final = "America/New_York"

LOCATION: Final[dict[str, Any]] = {
    "code": "MAIN",
    "name": "Demo Family Practice",
    "time_zone": ZONE,
    "place_of_service": "11",
    "address": {
        "line1": "100 Example Way",
        "city": "Springfield",
        "state": "MA",
        "postal_code": "01101-0001",
    },
}
ROOMS: Final = ("Exam 1", "Exam 2", "Procedure")

VISIT_TYPES: Final[tuple[dict[str, Any], ...]] = (
    {"code": "WELLNESS", "name": "Wellness visit", "duration_minutes": 30, "required_tasks": ["vital-signs"]},
    {"code": "OFFICE", "name": "Office visit", "duration_minutes": 20, "required_tasks": ["vital-signs"]},
    {
        "code": "PROCEDURE",
        "name": "Minor procedure",
        "duration_minutes": 45,
        "required_tasks": ["vital-signs", "injection"],
    },
)

PROVIDER: Final[dict[str, Any]] = {
    "role": "provider",
    "family_name": "Demonstrata",
    "given_name": "Ada",
    "npi": "1234567893",
    "taxonomy_code": "207Q00000X",
    "hired_on": "2020-01-06",
}
ASSISTANT: Final[dict[str, Any]] = {
    "role": "medical_assistant",
    "family_name": "Sampleton",
    "given_name": "Mo",
    "hired_on": "2021-03-01",
}
LICENSE: Final = {"kind": "medical-license", "issuer": "Example Board of Medicine", "number": "EX-0001"}
CERTIFICATE: Final = {"kind": "cma", "issuer": "Example Association of Assistants", "number": "EX-0002"}

SUPPLIES: Final = {
    "PAPER": ("Exam-table paper, sheet", "sheet", 120_000),
    "GLOVES-M": ("Examination glove, medium", "piece", 45_000),
    "ELECTRODE": ("ECG electrode", "piece", 90_000),
    "SYRINGE-3": ("Syringe, 3 ml", "piece", 150_000),
    "NEEDLE-25": ("Needle, 25 G", "piece", 80_000),
    "SWAB": ("Alcohol swab", "piece", 20_000),
    "TUBE-EDTA": ("Blood tube, EDTA", "piece", 210_000),
    "DRESSING": ("Wound dressing", "piece", 1_350_000),
    "TRAY": ("Surgical tray", "tray", 18_500_000),
}
"""SKU -> name, base unit, cost of one unit in millionths of a dollar."""
SCARCE: Final = "DRESSING"
"""The one supply that is kept short, so that a shortfall can be shown."""
BILLED: Final = {"TRAY": "A4550"}
"""SKU -> the code under which a supply may be billed."""
DRUG: Final[dict[str, Any]] = {
    "sku": "TRIAM-40",
    "name": "Triamcinolone acetonide 40 mg/ml, 1 ml vial",
    "kind": "drug",
    "base_unit": "vial",
    "tracking": "lot",
    "hcpcs_code": "J3301",
}

KITS: Final[dict[str, tuple[dict[str, int], str]]] = {
    "wellness": ({"PAPER": 1, "GLOVES-M": 2}, "WELLNESS"),
    "office": ({"PAPER": 1, "GLOVES-M": 2}, "OFFICE"),
    "procedure": ({"PAPER": 2, "GLOVES-M": 4, "TRAY": 1, SCARCE: 2}, "PROCEDURE"),
    "ekg": ({"ELECTRODE": 10}, "ekg"),
    "injection": ({"SYRINGE-3": 1, "NEEDLE-25": 1, "SWAB": 2}, "injection"),
    "immunization": ({"SYRINGE-3": 1, "NEEDLE-25": 1, "SWAB": 1}, "immunization"),
    "blood-draw": ({"TUBE-EDTA": 2, "NEEDLE-25": 1, "SWAB": 1}, "blood-draw"),
}
"""Kit -> units by SKU, used up unseen, and the visit type or task that uses it."""
CONFIRMED: Final = {"injection": {"TRIAM-40": 1}}
"""Kit -> units by SKU of what is used up only once somebody names the lot."""

BILLING_PROVIDER: Final[dict[str, Any]] = {
    "organization_name": "DEMO FAMILY PRACTICE",
    "npi": "1999999984",
    "ein": "123456789",
    "taxonomy_code": "261QP2300X",
    "address": {"line1": "100 Example Way", "city": "Springfield", "state": "MA", "postal_code": "011010001"},
    "contact": {"name": "Demo Billing Desk", "phone": "4135550100"},
    "submitter_id": "DEMOSUBMITTER",
    "receiver_name": "EXAMPLE CLEARINGHOUSE",
    "receiver_id": "EXAMPLECLEAR",
    "usage_indicator": "T",
}
PAYER: Final[dict[str, Any]] = {
    "name": "Example Mutual",
    "payer_id": "EXMUT",
    "filing_indicator": "CI",
    "address": {"line1": "1 Placeholder Plaza", "city": "Hartford", "state": "CT", "postal_code": "061030001"},
}

PRICES_FROM: Final = date(1990, 1, 1)
"""As early as a visit can be recorded afterwards."""
FEES: Final = {
    "G0402": 25_000,
    "G0403": 4_500,
    "G0439": 18_000,
    "G0463": 14_000,
    "T1015": 12_500,
    "J3301": 350,
    "A4550": 3_200,
    "G0008": 3_000,
    "G0009": 3_000,
    "G0010": 3_000,
}
"""Code -> price of one unit in cents."""
