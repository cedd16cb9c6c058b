"""Tables as text and as Markdown."""

import pytest

from sketch2paint.tables import aligned, markdown

ROWS = [["", "PSNR dB", "n"], ["a long name", "9.5", "12345"], ["b", "12.25", ""]]


def test_numbers_stand_to_the_right_of_a_name():
    assert aligned(ROWS).splitlines() == [
        "             PSNR dB      n",
        "a long name      9.5  12345",
        "b              12.25",
    ]


def test_words_stand_to_the_left():
    assert aligned(ROWS, numbers=False).splitlines() == [
        "             PSNR dB  n",
        "a long name  9.5      12345",
        "b            12.25",
    ]


@pytest.mark.parametrize("numbers", [True, False])
def test_empty_tables(numbers):
    assert aligned([], numbers) == ""
    assert aligned([[]], numbers) == ""
    assert aligned([["job", "status"]], numbers) == "job  status"


def test_markdown_has_a_rule_below_its_head():
    assert markdown(ROWS).splitlines() == [
        "|  | PSNR dB | n |",
        "| --- | --- | --- |",
        "| a long name | 9.5 | 12345 |",
        "| b | 12.25 |  |",
    ]
