"""Functions and files stay small enough to read in one look."""

from collections.abc import Iterable
from statistics import median

from tests.architecture.source import EVERYTHING, PRODUCT, Function, Source, sources

LONGEST_FUNCTION = 40
MEDIAN_FUNCTION = 13
LONGEST_FILE = 400


def length(function: Function) -> int:
    """Return the lines from `def` to the last one, without decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def measured(files: Iterable[Source]) -> list[tuple[Source, Function]]:
    return [(file, function) for file in files if "/migrations/" not in file.path for function in file.functions]


def long_functions(files: Iterable[Source]) -> list[str]:
    return [
        file.at(function.lineno, f"{function.name} has {length(function)} lines")
        for file, function in measured(files)
        if length(function) > LONGEST_FUNCTION
    ]


def long_files(files: Iterable[Source]) -> list[str]:
    counted = ((file, file.text.count("\n")) for file in files)
    return [
        file.at(count, f"{count} lines, make it a package of the same name")
        for file, count in counted
        if count > LONGEST_FILE
    ]


def test_no_function_is_longer_than_forty_lines():
    assert long_functions(sources(*PRODUCT)) == []


def test_half_of_all_functions_are_shorter_than_thirteen_lines():
    assert median(length(function) for _, function in measured(sources(*PRODUCT))) < MEDIAN_FUNCTION


def test_no_file_is_longer_than_four_hundred_lines():
    assert long_files(sources(*EVERYTHING)) == []


def test_a_function_of_forty_one_lines_and_a_file_of_four_hundred_and_one_are_caught():
    body = "".join(f"    x{n} = {n}\n" for n in range(40))
    assert long_functions([Source("services/a/b.py", f"def long():\n{body}")])
    assert not long_functions([Source("services/a/b.py", f"def long():\n{body}".rstrip().rpartition("\n")[0])])
    assert long_files([Source("services/a/b.py", "x = 1\n" * 401)])
    assert not long_files([Source("services/a/b.py", "x = 1\n" * 400)])
