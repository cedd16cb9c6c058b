import numpy as np

from sketch2paint.data.colours import colours_of

RED, BLUE = (200, 20, 20), (20, 40, 220)


def picture(colour, area=30, sketch=255):
    made = np.full((32, 32, 4), 255, np.uint8)
    made[:area, :, :3] = colour
    made[..., 3] = sketch
    return made


def nearest(colours, colour):
    return np.abs(colours.astype(int) - colour).max(1).min()


def test_white_is_first_and_rare_colours_have_their_own():
    pictures = [picture(RED)] * 20 + [picture(BLUE, area=1)] * 2
    colours = colours_of(pictures, 3)
    assert colours.shape == (3, 3) and colours.dtype == np.uint8
    assert colours[0].tolist() == [255, 255, 255]
    assert nearest(colours, RED) <= 1 and nearest(colours, BLUE) <= 1


def test_it_is_the_same_every_time():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (32, 32, 4), np.uint8) for _ in range(5)]
    np.testing.assert_array_equal(colours_of(pictures, 16, 3), colours_of(pictures, 16, 3))
    assert (colours_of(pictures, 16, 3) != colours_of(pictures, 16, 4)).any()
    assert len(np.unique(colours_of(pictures, 16), axis=0)) == 16


def test_lines_are_no_colours_and_pictures_need_no_sketch():
    lines = picture((0, 0, 0))
    lines[..., 3] = lines[..., 0]
    assert (colours_of([lines], 4) == 255).all()
    assert nearest(colours_of([picture(RED)[..., :3]], 2), RED) <= 1


def test_where_there_are_too_few_they_are_repeated():
    blank = picture(RED, sketch=0)
    assert (colours_of([blank], 5) == 255).all()
    few = colours_of([picture(RED)], 200)
    assert few.shape == (200, 3) and nearest(few, RED) <= 1
    assert colours_of([picture(RED)], 1).tolist() == [[255, 255, 255]]


def test_a_large_set_is_looked_at_evenly():
    class Many:
        def __len__(self):
            return 4001

        def __getitem__(self, index):
            seen.append(index)
            return picture(RED)

    seen = []
    colours_of(Many(), 2)
    assert len(seen) == 1334 and (np.diff(seen) == 3).all()
