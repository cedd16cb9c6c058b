import numpy as np

from sketch2paint.hints.palette import palette_of


def pixels(*counted: tuple[int, tuple[int, int, int]]) -> np.ndarray:
    return np.concatenate([np.full((count, 3), colour, np.uint8) for count, colour in counted])


def test_colours_come_by_their_area_without_paper():
    found = palette_of(pixels((10, (200, 30, 30)), (70, (255, 255, 255)), (30, (20, 60, 200))))
    assert found.colours.tolist() == [[20, 60, 200], [200, 30, 30]]
    np.testing.assert_allclose(found.portions, [0.75, 0.25])


def test_like_colours_are_one_the_most_common_of_them():
    found = palette_of(pixels((30, (200, 30, 30)), (10, (206, 33, 33)), (20, (20, 60, 200))))
    assert found.colours.tolist() == [[200, 30, 30], [20, 60, 200]]
    np.testing.assert_allclose(found.portions, [2 / 3, 1 / 3])


def test_the_rarest_are_left_out():
    rng = np.random.default_rng(0)
    some = rng.integers(0, 200, (40, 3)).astype(np.uint8)
    found = palette_of(some.repeat(np.arange(1, 41), axis=0), most=5)
    assert len(found.colours) == 5 and (np.diff(found.portions) <= 0).all()
    np.testing.assert_allclose(found.portions.sum(), 1, rtol=1e-6)
    one = palette_of(pixels((1, (20, 60, 200)), (999, (200, 30, 30))))
    assert one.colours.tolist() == [[200, 30, 30]]  # a speck is noise


def test_white_paper_has_none():
    for some in (pixels((9, (255, 255, 255))), np.zeros((0, 3), np.uint8)):
        found = palette_of(some)
        assert found.colours.shape == (0, 3) and found.portions.shape == (0,)
