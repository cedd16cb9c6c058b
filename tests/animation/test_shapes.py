"""Silhouettes of regions, and which are alike."""

import numpy as np

from sketch2paint.animation.shapes import likeness, shapes_of


def drawing(*boxes):
    labels = np.zeros((60, 80), np.int32)
    for number, (y, x, height, width) in enumerate(boxes, 1):
        labels[y : y + height, x : x + width] = number
    return labels


def test_regions_at_the_edge_and_tiny_ones_have_no_silhouette():
    shapes = shapes_of(drawing((10, 10, 20, 9), (0, 40, 8, 8), (40, 40, 3, 3)))
    assert shapes.numbers.tolist() == [1] and shapes.sizes.tolist() == [[20, 9]]
    assert (shapes.silhouettes == 1).all()
    labels = drawing((10, 10, 20, 9), (10, 30, 20, 9))
    assert shapes_of(labels, np.array([False, False, True])).numbers.tolist() == [2]


def test_the_same_shape_elsewhere_is_alike_and_others_are_not():
    one = shapes_of(drawing((10, 10, 20, 12)))
    others = drawing((30, 50, 20, 12), (5, 30, 12, 20), (35, 10, 20, 14))
    others[5:11, 30:40] = 0
    found = likeness(one, shapes_of(others))
    assert found[0, 0] == 1 and found[0, 1] == 0 and 0 < found[0, 2] < 0.7


def test_nothing_is_like_nothing():
    none = shapes_of(np.zeros((20, 20), np.int32))
    assert likeness(none, none).shape == (0, 0)
    assert likeness(none, shapes_of(drawing((10, 10, 20, 12)))).shape == (0, 1)
