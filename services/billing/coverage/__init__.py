"""Coverages: which payer insures a patient, in which order and when, with the insured as that payer knows them."""
