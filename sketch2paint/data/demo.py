"""Draws pairs of pictures by code, so that the project can be tried before anybody has data.

    colour, sketch = draw_pair(seed=0, index=7)
    write_pairs(Path("data/demo"), pairs=400, seed=0)

What makes them learnable in minutes: **a pattern carries its colour**. Each style of hair, garment,
animal and backdrop has its own colours and is drawn all over with its own marks, so that any part
of the sketch, however small, says what to paint. Every call draws paint (flat colours) and ink
(lines) at once, and the colour half is the paint under the ink: the halves cannot disagree.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from sketch2paint.data.canvas import (
    PAGE_WIDTH,
    THIN,
    Canvas,
    Colour,
    Pattern,
    arc,
    band,
    bowed,
    box,
    dark,
    mix,
    oval,
    pts,
    smooth,
    star,
    sym,
)
from sketch2paint.files import locked, written_beside

DRAWING = 2  # raise it when the pictures change: folders drawn by older code are then drawn again
SUPERSAMPLE = 2
INK: Colour = (44, 26, 52)
WHITE: Colour = (255, 253, 250)
RED, PINK, GOLD, ORANGE = (232, 62, 76), (250, 140, 165), (255, 205, 64), (250, 140, 50)
LIPS: Colour = (196, 52, 70)
LIGHT, BROWN = (255, 226, 206), (190, 124, 86)  # skin

SPIRAL = np.stack([np.cos(t := np.linspace(0, 12, 30)), np.sin(t)], 1) * (2 + 0.85 * t[:, None])
HEART = smooth(sym(0, -4, 5, -9, 10, -4, 8, 3, 0, 11), steps=3)
FLOWER = bowed(oval(0, 0, 9, count=5), 0.31)


class Hair(NamedTuple):
    """A style of hair around a head of radius 92 to 105; points as x0, y0, x1, y1, ..."""

    pattern: Pattern
    skin: Colour
    back: np.ndarray  # what is behind the face
    fringe: np.ndarray  # from the right temple to the left one


# fmt: off
BACK = sym(0, -110, 92, -70, 98, 20, 70, 78, 20, 90)
BANGS = bowed(pts(99, 66, 74, -14, 52, 2, 34, -34, 8, 6, -16, -34, -46, 4, -64, -30, -72, -6,
                  -99, 66), 0.05, False)
HAIR = {
    "bob": Hair(Pattern((48, 172, 190), pts(0, -18, 0, 18), (20, 36)), LIGHT,
                smooth(sym(0, -118, 92, -80, 114, 20, 116, 92, 40, 104)),
                pts(109, 92, 70, 84, 74, -10, 0, -16, -74, -10, -70, 84, -109, 92)),
    "long": Hair(Pattern((126, 92, 208), smooth(pts(0, -18, 6, -9, -6, 9, 0, 18), False), (24, 36)),
                 LIGHT, smooth(sym(0, -118, 92, -80, 118, 20, 132, 180, 146, 320, 60, 340)),
                 bowed(pts(111, 168, 78, 172, 80, 20, 0, -84, -80, 20, -78, 172, -111, 168),
                       0.06, False)),
    "tails": Hair(Pattern((248, 116, 172), arc(0, -8, 13, 15, 0, 180), (26, 16)), LIGHT,
                  smooth(BACK), BANGS),
    "spiky": Hair(Pattern((252, 204, 62), pts(-8, 8, 0, -10, 8, 8), (26, 26)), LIGHT,
                  star(0, -8, 168, arms=12, waist=0.67), BANGS),
    "bun": Hair(Pattern((66, 64, 104), pts(-7, 10, 7, -10), (11, 20)), BROWN,
                smooth(sym(0, -186, 40, -168, 52, -132, 40, -100, 10, -92)),
                bowed(pts(99, 34, 76, -26, -34, -88, -74, -18, -99, 34), 0.08, False)),
    "curly": Hair(Pattern((224, 88, 40), SPIRAL, (32, 28)), BROWN,
                  bowed(oval(0, -22, 134, 118, count=15), 0.15),
                  bowed(pts(96, -8, 66, -34, 30, -44, -6, -46, -40, -42, -70, -32, -96, -8),
                        0.2, False)),
}
# fmt: on
EYES = {"round": (58, 136, 232), "lashes": (46, 170, 112), "star": (158, 74, 214)}
GARMENTS = {
    "sweater": Pattern((240, 86, 78), pts(-8, 0, 8, 0, 0, 0, 0, -8, 0, 8), (30, 24)),
    "striped": Pattern((248, 248, 250), box(-200, -9, 200, 9), (400, 46), (44, 178, 172)),
    "dress": Pattern((255, 208, 78), oval(0, 0, 9, count=12), (40, 27), WHITE),
    "gingham": Pattern((104, 156, 236), box(-9, -9, 9, 9), (44, 22), WHITE),
    "kimono": Pattern((164, 96, 200), FLOWER * 1.2, (54, 34), (250, 190, 212)),
}
ANIMALS = {
    "cat": Pattern((250, 154, 66), pts(-11, -5, 0, 5, 11, -5), (40, 24)),
    "frog": Pattern((112, 200, 84), oval(0, 0, 6, count=10), (34, 24), (176, 226, 110)),
    "penguin": Pattern((66, 88, 148), pts(0, -5, 0, 5), (14, 16)),
    "rabbit": Pattern((252, 184, 204), arc(0, 4, 6, 7, 180, 360), (24, 20)),
}
GRASS = Pattern((120, 198, 94), pts(-9, -8, -2, 8, 0, -12, 3, 8, 10, -8), (44, 32))
PAPER = Pattern((255, 226, 184), HEART, (48, 36), (246, 150, 140))
HOUSE = Pattern((94, 76, 150), box(-8, -11, 8, 11), (64, 23), GOLD)
STRAW = Pattern((248, 214, 120), pts(-11, 0, 0, -11, 11, 0, 0, 11, -11, 0), (22, 11))
WOOD = Pattern((206, 142, 92), box(-60, -19, 60, 19), (120, 38), (214, 152, 100))


# ---- backdrops: in page coordinates ----


def spots(rng: Generator, *, columns: int, rows: int, top: float, bottom: float) -> np.ndarray:
    """Scatter points over the page's width, one in each cell of a grid so that none is empty."""
    cell = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).reshape(-1, 2)
    spread = (cell + rng.uniform(0.25, 0.75, cell.shape)) / (columns, rows)
    return spread * (PAGE_WIDTH, bottom - top) + (0.0, top)


def _sky(page: Canvas, rng: Generator, rows: int, bottom: float) -> None:
    page.paint[:] = (120, 204, 250)
    puffs = pts(-1, 0.35, -0.85, -0.1, -0.3, -0.45, 0.4, -0.4, 0.85, -0.05, 1, 0.35)
    for middle in spots(rng, columns=5, rows=rows, top=0, bottom=bottom):
        page.fill(bowed(puffs * rng.uniform(30, 44) + middle, 0.18, closed=False), WHITE)


def _flower(page: Canvas, middle: np.ndarray, scale: float, petal: Colour) -> None:
    page.fill(FLOWER * scale + middle, petal, THIN)
    page.fill(oval(0, 0, 4.5 * scale, count=12) + middle, GOLD, THIN)


def _meadow(page: Canvas, rng: Generator) -> None:
    _sky(page, rng, 5, 380)
    x, y = rng.choice([60, 450]), rng.uniform(55, 85)
    page.fill(star(x, y, 66, arms=12, waist=0.72), ORANGE)
    page.fill(oval(x, y, 38), (255, 228, 84))
    y = rng.uniform(330, 370)
    hill = smooth(pts(-20, y, 150, y - 30, 360, y + 25, PAGE_WIDTH + 20, y, 600, 560, -90, 560))
    page.cover(hill, GRASS)
    for middle in spots(rng, columns=6, rows=1, top=430, bottom=500):
        _flower(page, middle, 1.7, WHITE)


def _night(page: Canvas, rng: Generator) -> None:
    page.paint[:] = (44, 46, 128)
    for x, y in spots(rng, columns=8, rows=7, top=0, bottom=440):
        page.fill(star(x, y, rng.uniform(13, 18), arms=4, waist=0.35), GOLD, THIN)
    moon = np.concatenate([arc(0, 0, 54, 54, 60, 300), arc(22, 0, 47, 47, 285, 75)])
    page.fill(moon + (rng.choice([85, 425]), rng.uniform(70, 110)), GOLD)
    for left in range(-30, 512, 80):
        roof = pts(0, 250, 0, 0, 40, -40, 80, 0, 80, 250)
        page.at(left, rng.uniform(330, 420)).cover(roof, HOUSE)


def _sea(page: Canvas, rng: Generator) -> None:
    horizon = rng.uniform(215, 265)
    _sky(page, rng, 4, horizon)
    boat = page.at(rng.choice([70, 430]), horizon + 30)
    boat.fill(pts(0, -110, 52, -18, 0, -18), RED)
    boat.fill(pts(-6, -96, -6, -18, -40, -18), WHITE)
    boat.fill(pts(-50, -12, 60, -12, 38, 40, -32, 40), (186, 112, 66))
    for row in range(1, 11):
        crest = np.arange(572 - 22 * (row % 2), -70, -44.0)
        wave = bowed(np.stack([crest, 0 * crest], 1), 0.12, closed=False)
        wave = np.concatenate([wave, pts(-90, 560, 600, 560)]) + (0, horizon + 30 * row - 30)
        page.fill(wave, (36, 132, 208), THIN)


def _room(page: Canvas, rng: Generator) -> None:
    page.cover(box(-9, -9, 521, 521), PAPER)
    window = page.at(rng.choice([80, 430]), rng.uniform(110, 150))
    window.fill(box(-84, -96, 84, 96), (184, 116, 72))
    for x, y in ((-74, -86), (5, -86), (-74, 5), (5, 5)):
        window.fill(box(x, y, x + 69, y + 81), (150, 216, 250))
        window.line(pts(12, 55, 44, 22, 28, 55, 60, 22).reshape(2, 2, 2) + (x, y), THIN)
    page.cover(box(-9, rng.uniform(360, 400), 521, 540), WOOD)


def _blossom(page: Canvas, rng: Generator) -> None:
    page.paint[:] = (255, 216, 226)
    for x, y in spots(rng, columns=9, rows=9, top=0, bottom=520):
        petal = page.at(x, y, tilt=rng.uniform(0, 360))
        petal.fill(bowed(pts(-15, 0, 15, 0), 0.18), (255, 160, 192), THIN)
    tree = page.at(PAGE_WIDTH, 0, mirror=True) if rng.integers(2) else page
    for branch in (pts(-10, 200, 110, 110, 330, 70), pts(-10, 400, 70, 330, 130, 290)):
        tree.fill(band(branch, 20), (140, 88, 82))
        for middle in smooth(branch, closed=False)[3::2]:
            _flower(tree, middle + rng.uniform(-26, 26, 2), 2.6, (255, 130, 176))


BACKDROPS = (_meadow, _night, _sea, _room, _blossom)


# ---- characters: the head's centre is the origin, half the face's width is 92 ----


def _hair_back(head: Canvas, style: str) -> None:
    hair = HAIR[style]
    head.cover(hair.back, hair.pattern)
    if style == "tails":
        tail = smooth(pts(78, -66, 134, -92, 178, -30, 184, 90, 158, 215, 136, 120, 116, 20))
        for half in head.both():
            half.cover(tail, hair.pattern)


def _hairline(style: str) -> np.ndarray:
    """Outline the hair before the face: over the top from the left temple, back by the fringe."""
    half = pts(105, 14, 106, -34, 84, -94)
    top = smooth(np.concatenate([half * (-1, 1), pts(0, -122), half[::-1]]), closed=False)
    return np.concatenate([top, HAIR[style].fringe])


def _hair_front(head: Canvas, style: str) -> None:
    pattern = HAIR[style].pattern
    head.cover(_hairline(style), pattern)
    with head.inside(_hairline(style)) as part:
        shine = np.concatenate([arc(0, 10, 86, 104, 208, 332), arc(0, 26, 86, 100, 332, 208)])
        part.fill(shine, mix(pattern.main, WHITE, 0.6), THIN)
    if style == "tails":
        for half in head.both():
            half.fill(oval(100, -68, 17, 20), RED)


def _eye(eye: Canvas, kind: str) -> None:
    """Draw the eye on the right of the page; the origin is its centre."""
    white = smooth(pts(-21, 2, -17, -20, 0, -28, 18, -22, 23, 0, 14, 24, -12, 24))
    eye.fill(white, WHITE, THIN)
    eye.fill(oval(0, 0, 19, 26), EYES[kind], THIN)
    eye.tint(oval(0, 14, 13, 10), mix(EYES[kind], WHITE, 0.4))
    eye.line(arc(0, 0, 23, 28, 195, 345), 6)
    if kind == "star":
        return eye.fill(star(0, 0, 17), (255, 232, 120), THIN)
    eye.blot(oval(0, -4, 9, 13))
    if kind == "lashes":
        eye.line(pts(20, -14, 36, -24, 23, -3, 39, -6).reshape(2, 2, 2), 5)
        eye.line(arc(0, 4, 14, 16, 20, 160), THIN)
    eye.fill(oval(-7, -11, 6, 8), WHITE, 0)


def _lid(eye: Canvas) -> None:
    eye.line(arc(0, -4, 23, 20, 15, 165), 6)


def _face(head: Canvas, rng: Generator, style: str, blink: bool) -> None:
    skin, chin = HAIR[style].skin, rng.uniform(94, 104)
    outline = smooth(sym(0, -105, 74, -75, 92, -10, 85, 38, 51, chin - 22, 10, chin))
    for half in head.both():
        half.fill(oval(92, 14, 15, 21), skin)
    head.fill(outline, skin)
    with head.inside(outline) as part:
        part.tint(_hairline(style) + (0, 9), dark(skin))
    kind = str(rng.choice(list(EYES)))
    head = head.at(rng.uniform(-9, 9), rng.uniform(-4, 5))  # it looks a little to one side
    for half in head.both():
        half.tint(oval(52, 55, 18, 11), mix(skin, (255, 96, 110), 0.45))
        for x in (44, 52, 60):  # freckles or dashes tell one skin from the other
            half.line(pts(x - 3, 50, x + 3, 60) if skin == LIGHT else pts(x, 54, x, 56))
        eye = half.at(42, 16, scale=1.08)
        _lid(eye) if blink else _eye(eye, kind)
    head.line(pts(-2, 40, 3, 43))
    if rng.random() < 0.4:
        return head.line(arc(0, 52, 17, 13, 20, 160))
    head.fill(arc(0, 56, 23, 26, 0, 180) if rng.random() < 0.6 else oval(0, 66, 10, 12), LIPS)


def _collar(body: Canvas, kind: str) -> None:
    if kind in ("sweater", "striped"):
        collar = band(pts(-46, 112, -26, 140, 26, 140, 46, 112), 24)
        return body.fill(collar, (255, 190, 150) if kind == "sweater" else (44, 178, 172))
    for half in body.both():
        if kind == "kimono":
            half.fill(band(pts(-46, 108, -24, 160, 40, 270), 24), WHITE)
            continue
        half.fill(bowed(pts(0, 128, 44, 108, 70, 138, 36, 176), 0.07), WHITE)
        if kind == "gingham":
            half.fill(bowed(pts(0, 146, 44, 124, 48, 182, 0, 162), 0.05), RED)


def _clothes(body: Canvas, rng: Generator, skin: Colour) -> None:
    kind = str(rng.choice(list(GARMENTS)))
    body.fill(box(-27, 70, 27, 140), skin)
    body.tint(box(-27, 70, 27, 112), dark(skin))
    for half in body.both():
        half.cover(band(pts(78, 152, 114, 186, 134, 270, 150, 460), 50), GARMENTS[kind])
    torso = sym(0, 112, 34, 112, 78, 130, 98, 176, 92, 270, 124, 480, 40, 490)
    body.cover(smooth(torso), GARMENTS[kind])
    body.fill(arc(0, 108, 36, 34, 0, 180), skin)
    _collar(body, kind)


def _ribbon(head: Canvas) -> None:
    bow = head.at(50, -98, tilt=22)
    for half in bow.both():
        half.fill(bowed(pts(0, -6, 52, -34, 58, 34, 0, 8), 0.05), RED)
        half.line(pts(12, 0, 34, -6), THIN)
    bow.fill(oval(0, 0, 14, 16), RED)


def _glasses(head: Canvas) -> None:
    for half in head.both():
        half.line(oval(44, 18, 38, 36), 5, closed=True)
    head.line(arc(0, 18, 8, 8, 180, 360), 5)


def _straw_hat(head: Canvas) -> None:
    crown = smooth(sym(0, -182, 56, -172, 76, -120, 84, -70, 30, -62))
    for shape in (oval(0, -72, 164, 30), crown):
        head.cover(shape, STRAW)
    head.fill(band(pts(-80, -88, 0, -76, 80, -88), 26), RED)


def _character(place: Canvas, rng: Generator, blink: bool = False) -> None:
    style = str(rng.choice(list(HAIR)))
    _hair_back(place, style)
    _clothes(place, rng, HAIR[style].skin)
    _face(place, rng, style, blink)
    _hair_front(place, style)
    hat = _straw_hat if style in ("bob", "long", "tails") else _ribbon
    if rng.random() < 0.6:
        (_ribbon, _glasses, hat)[rng.integers(3)](place)


# ---- animals: the head's centre is the origin, its radius about 60 ----


def _animal_ears(half: Canvas, kind: str, fur: Colour) -> None:
    if kind == "cat":
        half.fill(bowed(pts(14, -48, 54, -84, 60, -14), 0.03), fur)
        half.fill(pts(30, -48, 49, -68, 53, -34), PINK, THIN)
    elif kind == "rabbit":
        half.at(26, -40, tilt=12).fill(oval(0, -50, 19, 54), fur)
        half.at(26, -40, tilt=12).fill(oval(0, -50, 9, 38), PINK, THIN)


def _animal_face(pet: Canvas, kind: str, fur: Colour) -> None:
    for half in pet.both():
        eye = half.at(27, -4)
        if kind == "frog":
            eye = half.at(34, -46)
            eye.fill(oval(0, 0, 24), fur)
            eye.fill(oval(0, 0, 15), WHITE, THIN)
        eye.blot(oval(0, 0, 9, 12))
        eye.fill(oval(-3, -4, 4), WHITE, 0)
        half.fill(oval(44, 22, 10, 7), PINK, THIN)
    if kind == "penguin":
        pet.fill(bowed(pts(-15, 12, 15, 12, 0, 30), 0.05), ORANGE, THIN)
    elif kind == "frog":
        pet.line(arc(0, 4, 26, 20, 15, 165))
    else:
        pet.blot(oval(0, 10, 7, 5))
        pet.line(bowed(pts(14, 18, 0, 18, -14, 18), 0.2, closed=False), THIN)


def _animal(pet: Canvas, rng: Generator) -> None:
    kind = str(rng.choice(list(ANIMALS)))
    fur = ANIMALS[kind]
    pale = WHITE if kind == "penguin" else mix(fur.main, WHITE, 0.6)
    pet.cover(smooth(sym(0, 30, 44, 44, 64, 100, 60, 160, 10, 170)), fur)
    pet.fill(smooth(sym(0, 60, 24, 74, 30, 112, 10, 136)), pale, THIN)
    for half in pet.both():
        half.fill(oval(32, 150, 22, 12), ORANGE if kind == "penguin" else fur.main)
        _animal_ears(half, kind, fur.main)
    pet.cover(oval(0, 0, 66, 56), fur)
    pet.fill(smooth(sym(0, -20, 24, -32, 56, -14, 56, 30, 10, 47)), pale, THIN)
    _animal_face(pet, kind, fur.main)


# ---- whole pictures, and folders of them ----


def draw_pair(seed: int, index: int, size: int = 512) -> tuple[np.ndarray, np.ndarray]:
    """Draw one pair: colour (size, size, 3) uint8 RGB and sketch (size, size) uint8.

    The same numbers give the same pair, whatever was drawn before.
    """
    rng = np.random.default_rng([seed, index])
    page = Canvas.blank(size * SUPERSAMPLE)
    BACKDROPS[rng.integers(len(BACKDROPS))](page, rng)
    stage = page.at(PAGE_WIDTH, 0, mirror=True) if rng.integers(2) else page
    beside = rng.random() < 0.55
    middle = (205, 225, 1.1) if beside else (256, 245, 1.32)
    x, y, scale = middle + rng.uniform(-1, 1, 3) * (30, 18, 0.08)
    _character(stage.at(x, y, scale=scale), rng)
    if beside:
        x, y, scale = rng.uniform((395, 360, 1.0), (425, 400, 1.2))
        _animal(stage.at(x, y, scale=scale), rng)
    # The light varies by 2 %: more would be noise that no sketch explains.
    return _shown(page, size, rng.uniform(0.98, 1.0, 3))


def _shown(page: Canvas, size: int, light_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour and sketch of a page under some light (3,)."""
    sketch = cv2.resize(page.ink, (size, size), interpolation=cv2.INTER_AREA)
    paint = cv2.resize(page.paint, (size, size), interpolation=cv2.INTER_AREA)
    levels = np.arange(256)[None, :, None]
    light = np.rint(levels * light_of).astype(np.uint8)
    lines = np.rint((255 - levels) * np.divide(INK, 255)).astype(np.uint8)
    grey = cv2.merge([sketch] * 3)
    lit = cv2.multiply(cv2.LUT(paint, light), grey, scale=1 / 255)
    return cv2.add(lit, cv2.LUT(grey, lines)), sketch


def draw_frame(
    seed: int, part: float, *, size: int = 512, blink: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one frame of a scene, as `draw_pair` draws pairs.

    A character crosses the page, turning and coming nearer, and hides an animal that runs the other
    way behind it.

    Args:
        seed: Seed of who is there and where.
        part: Part of the scene that is over, 0 to 1.
        size: Side of the frame in pixels.
        blink: Whether the character's eyes are closed.
    """
    page = Canvas.blank(size * SUPERSAMPLE)
    rng = np.random.default_rng([seed, 0])
    BACKDROPS[rng.integers(len(BACKDROPS))](page, rng)
    swing = math.sin(2 * math.pi * part)
    animal = page.at(430 - 330 * part, 390 - 30 * abs(swing), scale=1.1, tilt=8 * swing)
    _animal(animal, np.random.default_rng([seed, 1]))
    character = page.at(140 + 200 * part, 250 + 12 * swing, scale=0.9 + 0.25 * part, tilt=7 * swing)
    _character(character, np.random.default_rng([seed, 2]), blink)
    return _shown(page, size, np.ones(3))


DONE, BEGUN = "demo.json", "demo.begun.json"
# The number that each folder counts from; held-out pairs lie in two folders.
FOLDERS = {"train": 0, "val": 10**6, "colours": 2 * 10**6, "sketches": 2 * 10**6}


def _write(path: Path, index: int, seed: int, size: int) -> None:
    """Draw one file; OpenCV writes a PNG faster than Pillow."""
    colour, sketch = draw_pair(seed, index, size)
    grey = np.repeat(sketch[..., None], 3, axis=2)
    single = {"colours": colour, "sketches": grey}
    picture = single.get(path.parent.name, np.hstack([colour, grey]))[..., ::-1]
    data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
    with written_beside(path) as beside:
        beside.write_bytes(data.tobytes())


def _claim(root: Path, wanted: str) -> None:
    """Make the folder ours, and remove from it what an earlier call drew, known by its name."""
    ours = (root / DONE).exists() or (root / BEGUN).exists()
    if root.exists() and not ours and any(root.iterdir()):
        raise ValueError(
            f"{root}: expected a new folder to draw demo pairs into (data=demo), got one that "
            "holds other files, which are left alone. If they are your pairs, pass data=pairs."
        )
    root.mkdir(parents=True, exist_ok=True)
    (root / BEGUN).write_text(wanted)
    (root / DONE).unlink(missing_ok=True)
    for path in root.glob("*/*.png"):
        ours = re.fullmatch(r"\d{5}\.png|\.\d{5}\.\d+\.tmp\.png", path.name) is not None
        if ours and path.parent.name in FOLDERS:
            path.unlink()


def _files(root: Path, counts: dict[str, int]) -> dict[Path, int]:
    """List the files to draw and the index of each one's pair."""
    if not all(0 <= count <= 10**5 for count in counts.values()):
        raise ValueError(f"Expected 0 to 100000 pictures in each folder, got {counts}.")
    return {
        root / folder / f"{number:05d}.png": first + number
        for folder, first in FOLDERS.items()
        for number in range(counts[folder])
    }


def write_pairs(
    root: Path | str,
    *,
    pairs: int = 400,
    val_pairs: int = 40,
    heldout: int = 16,
    seed: int = 0,
    size: int = 512,
) -> Path:
    """Draw a folder of pairs, unless it was drawn with the same parameters.

    `train/` and `val/` get (size, 2 size) PNGs with the colours left and the sketch right,
    `sketches/` and `colours/` the same held-out pairs as single PNGs.

    Args:
        root: Folder to draw into; what was drawn into it with other parameters is drawn again.
        pairs: Number of pairs in `train/`.
        val_pairs: Number of pairs in `val/`.
        heldout: Number of pairs in `sketches/` and `colours/`.
        seed: Seed of all pairs.
        size: Side of a picture in pixels.

    Returns:
        `root` as a Path.

    Raises:
        ValueError: `root` holds files and was not made here, or a number is out of its range.
    """
    root = Path(root)
    counts = dict(zip(FOLDERS, (pairs, val_pairs, heldout, heldout), strict=True))
    files = _files(root, counts)
    wanted = json.dumps({"drawing": DRAWING, "seed": seed, "size": size, **counts}, indent=2)
    if _is_drawn(root, files, wanted):
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with locked(root.with_name(f".{root.name}.lock")):  # jobs of a sweep begin together
        if not _is_drawn(root, files, wanted):
            _claim(root, wanted)
            print(f"Drawing {pairs + val_pairs} demo pairs into {root}", flush=True)
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(lambda path: _write(path, files[path], seed, size), files))
            os.replace(root / BEGUN, root / DONE)
    return root


def _is_drawn(root: Path, files: Iterable[Path], wanted: str) -> bool:
    done = root / DONE
    told = done.exists() and done.read_text() == wanted
    return told and all(path.exists() for path in files)
