"""A network that reads a drawing's regions as words and gives each a colour."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sketch2paint.hints.words import ABOUT, PAIR
from sketch2paint.models.networks import LARGEST, UNetGenerator, check_fraction, check_whole

HIDDEN = 32  # numbers between those of a pair and what they add to the attention
KEY = 64  # numbers by which words are compared
NEVER = -1e4  # added to a score: nobody looks there; fp16 can hold it


class Reply(NamedTuple):
    """What a network says of N words, float32.

    Attributes:
        shares: Shares of the K colours, of the N words and of the M entries of a palette that a
            colour is copied from, which add up to 1, (B, N, K + N + M); 0 for a word that is not
            known and for what is no entry.
        same: Logits of two words being one object, (B, N, N), symmetric.
    """

    shares: Tensor
    same: Tensor


class RegionNetwork(nn.Module):
    """Says for each region of a drawing how likely each colour is, given those that are known.

    A U-Net reads the drawing alone, so that one pass serves all hints; its last step, to full
    resolution, is left out, as regions are larger than pixels. Its features, over each region, and
    what is told of it make a word; words look at each other with a bias that their
    places decide on (Graphormer, Ying et al. 2021). A word answers with K colours, or points at
    words whose colour is known (pointer networks, Vinyals et al. 2015; See et al. 2017). A
    palette's entries are words that have a colour and no place.

    Args:
        size: Side in pixels at which drawings are read, a multiple of 2**levels.
        base_channels: Width of the U-Net's first level.
        levels: Number of times that the U-Net halves the resolution.
        norm: Kind of the U-Net's norm: batch | instance | none.
        features: Channels of what the U-Net finds, at half the resolution.
        width: Numbers of a word, a multiple of `heads`.
        heads: Number of attention's heads.
        layers: Number of times that words look at each other.
        colours: Number K of colours.
        dropout: Probability in the layers, in training.
        palettes: Whether it can be given a palette.

    Attributes:
        side: Side at which it is told where words are, size / 2.
        colours: RGB of the K colours, (K, 3) in [-1, 1]; all 0 until training has chosen them.

    Raises:
        ValueError: a parameter is out of its range.
    """

    colours: Tensor

    def __init__(
        self,
        *,
        size: int = 128,
        base_channels: int = 24,
        levels: int = 5,
        norm: str = "batch",
        features: int = 32,
        width: int = 160,
        heads: int = 5,
        layers: int = 4,
        colours: int = 96,
        dropout: float = 0.1,
        palettes: bool = False,
    ) -> None:
        super().__init__()
        for name, value in (("features", features), ("heads", heads), ("colours", colours)):
            check_whole(name, value, 1, LARGEST)
        check_whole("width", width, 1, LARGEST)
        check_whole("layers", layers, 0, 64)
        check_fraction("dropout", dropout)
        if not isinstance(palettes, bool):
            raise ValueError(f"Expected `palettes` to be true or false, got {palettes!r}.")
        if width % heads:
            raise ValueError(
                f"Expected `width` to be a multiple of `heads` ({heads}), got {width}. Pass "
                f"{max(width // heads, 1) * heads}."
            )
        self.unet = UNetGenerator(
            size, base_channels=base_channels, levels=levels, norm=norm, dropout=0.0
        )
        self.size, self.side = size, size // 2
        self.unet.out = nn.Conv2d(2 * base_channels, features, 1)  # type: ignore[assignment]
        self.word = _two(2 * features + ABOUT, width, width)
        self.known, self.unknown = _two(3, width, width), nn.Parameter(torch.zeros(width))
        self.pair = _two(PAIR, HIDDEN, heads + 2)  # for each head, for pointing, for one object
        self.layers = nn.ModuleList(Layer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.logits = nn.Linear(width, colours)
        self.query, self.key = nn.Linear(width, KEY), nn.Linear(width, KEY)
        self.gate, self.object = nn.Linear(width, 1), nn.Linear(width, KEY)
        nn.init.constant_(self.gate.bias, -3.0)  # at first it copies little
        self.register_buffer("colours", torch.zeros(colours, 3))
        self.palettes = palettes
        if palettes:
            self.entry = _two(4, width, width)
            # Bias of words that look at entries, entries at words, and entries at entries.
            self.beside = nn.Parameter(torch.zeros(3, heads + 1))  # for each head, for pointing

    def forward(
        self,
        sketch: Tensor,
        *,
        labels: Tensor,
        about: Tensor,
        pairs: Tensor,
        known: Tensor,
        given: Tensor,
        palette: Tensor | None = None,
        portions: Tensor | None = None,
    ) -> Reply:
        """Read drawings and answer for their regions; see `read`, `relate` and `reply`."""
        features, bias = self.read(sketch, labels, about.shape[1]), self.relate(pairs)
        told = {"known": known, "given": given, "palette": palette, "portions": portions}
        return self.reply(features, about=about, bias=bias, **told)  # type: ignore[arg-type]

    def read(self, sketch: Tensor, labels: Tensor, count: int) -> Tensor:
        """Read drawings once, whatever will be known of their colours.

        Args:
            sketch: Drawings, (B, 1, H, W) in [-1, 1]; H and W multiples of 2**levels.
            labels: Number of the word at each place, (B, H / 2, W / 2) int64; -1 for none.
            count: Number N of words.

        Returns:
            Means and maxima of the features over each word, (B, N, 2 * features).
        """
        found = self.unet(sketch).float().flatten(2)  # (B, F, P)
        numbers = torch.arange(count, device=labels.device)[:, None]
        places = labels.flatten(1)[:, None]  # (B, 1, P)
        here = (places == numbers).to(found.dtype)  # (B, N, P)
        mean = (here @ found.transpose(1, 2)) / here.sum(2, keepdim=True).clamp(min=1)
        none = found.new_zeros(*found.shape[:2], count + 1)
        most = none.scatter_reduce(
            2, (places + 1).expand_as(found), found, "amax", include_self=False
        )
        return torch.cat([mean, most[..., 1:].transpose(1, 2)], dim=2)

    def relate(self, pairs: Tensor) -> Tensor:
        """What how two words lie to each other adds to their scores, once for all hints.

        Args:
            pairs: Numbers of each pair, (B, N, N, 8), as `words_of` makes them.

        Returns:
            (B, heads + 2, N, N): for each head, for pointing, and for being one object.
        """
        return self.pair(pairs).permute(0, 3, 1, 2).contiguous()

    def reply(
        self,
        features: Tensor,
        *,
        about: Tensor,
        bias: Tensor,
        known: Tensor,
        given: Tensor,
        palette: Tensor | None = None,
        portions: Tensor | None = None,
    ) -> Reply:
        """Answer for words, of which some are known.

        Args:
            features: Features of the words, (B, N, 2 * features), as `read` returns them.
            about: Numbers of each word, (B, N, 9), as `words_of` makes them; 0 for no word.
            bias: Bias of each pair, (B, heads + 2, N, N), as `relate` returns it.
            known: Words whose colour is known, (B, N) bool.
            given: Colours of the known ones, (B, N, 3) in [-1, 1].
            palette: Colours of a palette's entries, (B, M, 3) in [-1, 1]; None: there is none.
            portions: Share of each entry in the coloured area, (B, M): 0 where it is not told,
                -1 where there is no entry.

        Raises:
            ValueError: a palette is given to a network that was built without `palettes`.
        """
        x = self.word(torch.cat([features, about], dim=2))
        x = x + torch.where(known[..., None], self.known(given).to(x.dtype), self.unknown)
        count, looks, there = x.shape[1], bias[:, :-1], about[..., -1] != 0
        if palette is not None:
            entries, is_entry = self._entries(palette, portions)
            x = torch.cat([x, entries.to(x.dtype)], dim=1)  # (B, N + M, width)
            there, known = torch.cat([there, is_entry], 1), torch.cat([known, is_entry], 1)
            looks = self._with_entries(looks, is_entry.shape[1])
        seen = (looks[:, :-1] + ~there[:, None, None] * NEVER).to(x.dtype)
        for layer in self.layers:
            x = layer(x, seen)
        x = self.norm(x)
        kinship = self.object(x)
        alike = (kinship @ kinship.transpose(1, 2))[:, :count, :count]
        same = alike.float() / KEY**0.5 + bias[:, -1].float()
        shares = self._shares(x, looks[:, -1], known)[:, :count]
        return Reply(shares, (same + same.transpose(1, 2)) / 2)

    def _entries(self, palette: Tensor, portions: Tensor | None) -> tuple[Tensor, Tensor]:
        """A palette's entries as words (B, M, width), and which of them there are (B, M)."""
        if not self.palettes:
            raise ValueError(
                "Expected no `palette` for a network that was trained without palettes, got one. "
                "Pass weights that were trained with model.network.palettes=true."
            )
        if portions is None:
            portions = torch.zeros_like(palette[..., 0])
        root = portions.clamp(min=0).sqrt()[..., None]
        return self.entry(torch.cat([palette, root], dim=2)), portions >= 0

    def _with_entries(self, bias: Tensor, entries: int) -> Tensor:
        """Bias (B, heads + 1, N, N) of heads and pointing with entries, (.., N + M, N + M)."""
        to = F.pad(bias.new_zeros(bias.shape[-1]), (0, entries), value=1.0)
        of = to[:, None]
        to_entry, to_word, among = self.beside[..., None, None].to(bias.dtype)
        wide = F.pad(bias, (0, entries, 0, entries))
        return wide + to_entry * (1 - of) * to + to_word * of * (1 - to) + among * of * to

    def _shares(self, x: Tensor, bias: Tensor, known: Tensor) -> Tensor:
        """How much each colour, and each known word and entry, has of a word's colour."""
        score = (self.query(x) @ self.key(x).transpose(1, 2)).float() / KEY**0.5 + bias.float()
        column = known[:, None]  # (B, 1, N + M)
        pointer = score.masked_fill(~column, NEVER).softmax(2) * column
        likest = pointer.max(dim=2, keepdim=True).values
        copied = torch.sigmoid(self.gate(x).float() + 4 * likest) * column.any(2, keepdim=True)
        named = self.logits(x).float().softmax(2)
        return torch.cat([(1 - copied) * named, copied * pointer], dim=2)


class Layer(nn.Module):
    """Words look at each other, then each thinks for itself (pre-norm transformer)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.look, self.think = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.own = _two(width, 2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Words (B, N, width); bias of the attention, (B, heads, N, N)."""
        heads = self.qkv(self.look(x)).unflatten(2, (3, self.heads, -1))  # (B, N, 3, H, W / H)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        # Written out, as torch's own attention cannot be exported to ONNX with a bias.
        query = (query / query.shape[3] ** 0.5).flatten(0, 1)  # (B * heads, N, W / H)
        score = torch.baddbmm(bias.flatten(0, 1), query, key.flatten(0, 1).transpose(1, 2))
        seen = score.softmax(2).to(value.dtype) @ value.flatten(0, 1)
        seen = seen.unflatten(0, (-1, self.heads))
        x = x + self.dropout(self.out(seen.transpose(1, 2).flatten(2)))
        return x + self.dropout(self.own(self.think(x)))


def _two(into: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(into, hidden), nn.ReLU(), nn.Linear(hidden, out))
