"""Sets of numbers that become one: a union-find forest, as a list of each number's parent."""

from __future__ import annotations


def root(parents: list[int], number: int) -> int:
    """The lowest number of the set in which a number is."""
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


def roots(parents: list[int]) -> list[int]:
    """The root of every number."""
    return [root(parents, number) for number in range(len(parents))]


def unite(parents: list[int], one: int, other: int) -> None:
    """Make the sets of two numbers one."""
    one, other = root(parents, one), root(parents, other)
    parents[max(one, other)] = min(one, other)
