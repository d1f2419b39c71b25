"""The National Provider Identifier."""


def is_npi(text: str) -> bool:
    """Tell whether `text` is ten digits whose last is the Luhn check over 80840 and the first nine (45 CFR 162.406)."""
    if len(text) != 10 or not text.isascii() or not text.isdigit():
        return False
    return check_digit(text[:9]) == int(text[9])


def check_digit(nine: str) -> int:
    """Return the check digit of an NPI's first nine digits."""
    # 24 is what the constant prefix 80840 adds.
    total = 24
    for place, digit in enumerate(nine):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return (10 - total % 10) % 10
