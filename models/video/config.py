"""What a video model is: its layout of views and frames, what it is conditioned on, and the shape of its networks.

Numbers only, no tensors: pages and verbs may read it. Defaults are Stable Video Diffusion XT as Dreamitate uses it
(arXiv 2406.16862; the widths are those of the published checkpoint).
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from hardware.types import require
from models.data.clips import MOST_VIEWS, MOST_ZOOM, TimeIds
from models.data.clips import Conditioning as ConditionedOn

Arrangement = Literal["clip", "window"]
NORM_GROUPS = 32  # of every group norm of the published networks: widths are multiples of it
BYTE_VOCABULARY = (
    514  # of models that are made here: a token for each byte, at the end of a word or not, and two more
)


@dataclass(frozen=True)
class UNetShape:
    """The spatio-temporal U-Net. widths, heads: of each level from the picture down; attention: which levels have
    it; layers: residual blocks a level; cross_attention: numbers of an embedding; time_embed: of each time id."""

    widths: tuple[int, ...] = (320, 640, 1280, 1280)
    heads: tuple[int, ...] = (5, 10, 20, 20)
    attention: tuple[bool, ...] = (True, True, True, False)
    layers: int = 2
    cross_attention: int = 1024
    time_embed: int = 256

    def __post_init__(self) -> None:
        _check_widths("unet", self.widths)
        require(self.layers > 0, f"unet.layers: {self.layers}; valid: over 0")
        levels = len(self.widths)
        require(
            len(self.heads) == levels, f"unet.heads: {self.heads}; valid: one number for each of {levels} widths"
        )
        fits = all(h > 0 and w % h == 0 for w, h in zip(self.widths, self.heads, strict=True))
        require(fits, f"unet.heads: {self.heads}; valid: numbers that divide the widths {self.widths}")
        require(
            len(self.attention) == levels, f"unet.attention: {self.attention}; valid: {levels} times true or false"
        )
        require(self.cross_attention > 0, f"unet.cross_attention: {self.cross_attention}; valid: over 0")
        require(
            self.time_embed > 0 and self.time_embed % 2 == 0, f"unet.time_embed: {self.time_embed}; valid: even"
        )

    @property
    def factor(self) -> int:
        """How much smaller its lowest level is than its input."""
        return int(2 ** (len(self.widths) - 1))


@dataclass(frozen=True)
class VaeShape:
    """The auto-encoder of pictures. kind: "kl" is Stable Video Diffusion's, "tiny" diffusers' AutoencoderTiny,
    which has no norms: it learns and decodes many times faster where pictures are few and small. layers: residual
    blocks a level (kl: one more in the decoding half; tiny: one at the pictures' own size). scaling: what its
    latents are multiplied by before they are noised, so that they have unit variance."""

    kind: Literal["kl", "tiny"] = "kl"
    widths: tuple[int, ...] = (128, 256, 512, 512)
    layers: int = 2
    latent_channels: int = 4
    scaling: float = 0.18215

    def __post_init__(self) -> None:
        if self.kind == "tiny":
            fine = len(self.widths) > 1 and self.widths[0] > 0 and len(set(self.widths)) == 1
            require(
                fine, f"vae.widths: {self.widths}; valid: one width, twice or more often, in a tiny auto-encoder"
            )
        else:
            require(self.kind == "kl", f"vae.kind: {self.kind!r}; valid: kl, tiny")
            _check_widths("vae", self.widths)
        require(self.layers > 0, f"vae.layers: {self.layers}; valid: over 0")
        require(self.latent_channels > 0, f"vae.latent_channels: {self.latent_channels}; valid: over 0")
        require(0 < self.scaling < 1e4, f"vae.scaling: {self.scaling}; valid: over 0")

    @property
    def factor(self) -> int:
        """How much smaller latents are than pictures."""
        return int(2 ** (len(self.widths) - 1))


@dataclass(frozen=True)
class EncoderShape:
    """The CLIP tower that makes the embeddings. picture, patch [px]: of one that looks at pictures; vocabulary,
    positions: of one that reads text. hidden: width of its feed-forward layers."""

    width: int = 1280
    layers: int = 32
    heads: int = 16
    hidden: int = 5120
    picture: int = 224
    patch: int = 14
    vocabulary: int = 49408
    positions: int = 77
    activation: Literal["gelu", "quick_gelu"] = "gelu"

    def __post_init__(self) -> None:
        sizes = (self.width, self.layers, self.heads, self.hidden, self.patch, self.vocabulary, self.positions)
        require(min(sizes) > 0, f"encoder: {sizes}; valid: numbers over 0")
        require(self.width % self.heads == 0, f"encoder.heads: {self.heads}; valid: a divisor of {self.width}")
        fits = self.picture >= self.patch and self.picture % self.patch == 0
        require(fits, f"encoder.picture: {self.picture}; valid: a multiple of patch {self.patch}")


@dataclass(frozen=True)
class VideoConfig:
    """One video model.

    views, length: each of the cameras has `length` frames. arrangement "clip" (Dreamitate) is
    [view 1 t0..., view 2 t1..., ...], whose first frame repeats the scene; "window" (Video Policy) is
    [pad, view 1 t0..., view 2 t0..., ...]. size (width, height) [px]; zoom: how many times less of a camera's
    picture than its aspect allows is shown, around the middle. conditioning: embeddings of each frame's own view at
    t0 ("image"), or of one sentence ("text"); latents of each frame's own view at t0 are always added. residual:
    the network predicts how a frame differs from that scene instead of the frame itself (not as published).
    fps [Hz]: rate at which a view's frames follow each other. time_ids: what the network is told by default.
    """

    views: int = 2
    length: int = 13
    arrangement: Arrangement = "clip"
    size: tuple[int, int] = (768, 448)
    zoom: float = 1.0
    conditioning: ConditionedOn = "image"
    residual: bool = False
    fps: float = 6.0
    time_ids: TimeIds = field(default_factory=lambda: TimeIds(6, 200, 0.02))
    unet: UNetShape = field(default_factory=UNetShape)
    vae: VaeShape = field(default_factory=VaeShape)
    encoder: EncoderShape = field(default_factory=EncoderShape)

    def __post_init__(self) -> None:
        require(1 <= self.views <= MOST_VIEWS, f"views: {self.views}; valid: 1 to {MOST_VIEWS}")
        require(self.arrangement in ("clip", "window"), f"arrangement: {self.arrangement!r}; valid: clip, window")
        require(self.conditioning in ("image", "text"), f"conditioning: {self.conditioning!r}; valid: image, text")
        shortest = 2 if self.arrangement == "clip" else 1
        require(shortest <= self.length <= 1000, f"length: {self.length}; valid: {shortest} to 1000")
        require(1 <= self.zoom <= MOST_ZOOM, f"zoom: {self.zoom}; valid: 1 to {MOST_ZOOM:g}")
        require(self.fps > 0, f"fps: {self.fps}; valid: over 0")
        step = self.vae.factor * self.unet.factor
        fits = all(side > 0 and side % step == 0 for side in self.size)
        require(fits, f"size: {self.size}; valid: width and height that are multiples of {step}")

    @property
    def layout(self) -> tuple[tuple[int, int], ...]:
        """(view, t) of each of the network's frames; t counts the frames of a view from its scene image at 0."""
        if self.arrangement == "window":
            return ((0, 0), *((view, t) for view in range(self.views) for t in range(self.length)))
        later = ((view, t) for view in range(1, self.views) for t in range(1, self.length))
        return (*((0, t) for t in range(self.length)), *later)

    @property
    def kept(self) -> tuple[int, ...]:
        """Which of the network's frames are the dream: all but the first, view after view, equally many of each."""
        return tuple(range(1, len(self.layout)))

    @property
    def latent_size(self) -> tuple[int, int]:
        """(height, width) of latents."""
        return self.size[1] // self.vae.factor, self.size[0] // self.vae.factor


def _check_widths(name: str, widths: tuple[int, ...]) -> None:
    fine = len(widths) > 0 and all(w > 0 and w % NORM_GROUPS == 0 for w in widths)
    require(fine, f"{name}.widths: {widths}; valid: multiples of {NORM_GROUPS}")


TEXT_TOWER = EncoderShape(width=1024, layers=24, heads=16, hidden=4096)
"""The text half of OpenCLIP ViT-H-14; the default is its picture half."""

PUBLISHED = VideoConfig()
"""Dreamitate as the paper has it: two views, 13 + 12 frames, embeddings of each frame's own view."""

PUBLISHED_TEXT = replace(PUBLISHED, conditioning="text", encoder=TEXT_TOWER)
"""Dreamitate as its released code has it: the embedding of a sentence in every frame."""

VIDEO_POLICY = replace(
    PUBLISHED_TEXT,
    views=3,
    length=8,
    arrangement="window",
    size=(256, 256),
    fps=5.0,
    time_ids=TimeIds(6, 100, 0.02),
)
"""Video Policy in simulation (arXiv 2508.00795): a pad and three cameras with eight frames each."""


def small(
    views: int = 2,
    length: int = 13,
    size: tuple[int, int] = (192, 128),
    conditioning: ConditionedOn = "image",
    widths: tuple[int, ...] = (32, 64, 128, 128),
) -> VideoConfig:
    """Return a model of the same build that trains on a CPU: about 10 million weights with the default widths."""
    return VideoConfig(
        views=views,
        length=length,
        size=size,
        conditioning=conditioning,
        unet=UNetShape(
            widths=widths,
            heads=tuple(max(1, w // 32) for w in widths),
            attention=(*(True for _ in widths[:-1]), False),
            layers=1,
            cross_attention=64,
            time_embed=32,
        ),
        vae=VaeShape(widths=(32, 64, 64, 64)),
        encoder=EncoderShape(
            width=64, layers=2, heads=4, hidden=128, picture=64, patch=16, vocabulary=BYTE_VOCABULARY
        ),
    )
