"""Tables as text, as Markdown and as CSV."""

from pathlib import Path

import pytest

from sketch2paint.tables import aligned, markdown, write_table

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


def test_a_csv_file_keeps_every_name_and_leaves_out_what_is_not_told(tmp_path: Path):
    write_table(
        tmp_path / "a.csv", ["name", "n"], [{"name": "\u00e4, \udcff"}, {"n": 2, "name": ""}]
    )
    assert (tmp_path / "a.csv").read_bytes() == b'name,n\r\n"\xc3\xa4, \xff",\r\n,2\r\n'
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
