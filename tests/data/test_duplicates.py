import numpy as np
from PIL import Image
from scipy.fft import dctn

from sketch2paint.data import duplicates
from sketch2paint.data.duplicates import NEAR_HASH, Fingerprint, perceptual_bits


def test_the_search_in_blocks_finds_what_a_double_loop_finds():
    rng = np.random.default_rng(0)
    bits = rng.random((60, 256)) < 0.5
    for copy in range(30):  # of earlier ones, some too far away to be duplicates
        bits[30 + copy] = bits[rng.integers(30 + copy)] ^ (rng.random(256) < 0.05)
    thumb = np.zeros((8, 8, 3), np.uint8)
    fingerprints = {n: Fingerprint(row, thumb) for n, row in enumerate(bits)}

    def loop(first, second):
        for b in second:
            apart = {a: int((bits[a] != bits[b]).sum()) for a in first if first != second or a < b}
            best = min(apart, key=lambda a: apart[a], default=None)
            if best is not None and apart[best] <= NEAR_HASH:
                yield best, b, apart[best]

    everything, early, late = np.arange(60), np.arange(20), np.arange(20, 60)
    for first, second in ((everything, everything), (early, late)):
        expected = list(loop(list(first), list(second)))
        assert list(duplicates._nearest(first, second, fingerprints, block=7)) == expected
        assert expected


def test_bits_change_little_with_the_picture_and_much_with_another():
    rng = np.random.default_rng(0)
    pictures = [
        np.asarray(
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((64, 64))
        )
        for _ in range(2)
    ]
    noisy = np.clip(pictures[0] + rng.integers(-3, 4, (64, 64, 3)), 0, 255).astype(np.uint8)
    first, same, other = (perceptual_bits(p) for p in (pictures[0], noisy, pictures[1]))
    assert first.shape == (256,)
    assert (first != same).sum() <= NEAR_HASH < (first != other).sum()


def test_bits_are_signs_of_the_cosine_transform():
    picture = np.full((64, 64, 3), 100, np.uint8)
    picture[:, :40] = 200
    picture[20:, 10:30] = 20
    grey = (picture[..., 0] * 0.8 + 25).astype(float)
    low = dctn(grey)[:16, :16]
    clear = np.abs(low - np.median(low)) > 2000  # away from the threshold, noise decides nothing
    agree = perceptual_bits(picture).reshape(16, 16) == (low > np.median(low))
    assert clear.sum() > 50 and agree[clear].all()
