"""How a dream is sampled: numbers only, so that pages and verbs may say it without the networks."""

from dataclasses import dataclass
from typing import Literal, get_args

from hardware.types import require

Precision = Literal["float32", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
MOST_STEPS, MOST_CANDIDATES = 1000, 64


@dataclass(frozen=True)
class SampleOptions:
    """Defaults are Dreamitate's (arXiv 2406.16862): 30 Euler steps, noise levels of Karras, no guidance.

    seed: candidate k begins from seed + k, and comes out the same however many there are. guidance: at a view's
    first and last frame, evenly between; (1, 1) is none, (2, 2) the released code, (1, 3) stock Stable Video
    Diffusion. sigma_min, sigma_max, rho: of the noise levels. decode_chunk: frames that are decoded together; the
    memory of decoding grows with it.
    """

    steps: int = 30
    candidates: int = 1
    seed: int = 0
    guidance: tuple[float, float] = (1.0, 1.0)
    sigma_min: float = 0.002
    sigma_max: float = 700.0
    rho: float = 7.0
    decode_chunk: int = 8

    def __post_init__(self) -> None:
        require(1 <= self.steps <= MOST_STEPS, f"steps: {self.steps}; valid: 1 to {MOST_STEPS}")
        require(
            1 <= self.candidates <= MOST_CANDIDATES, f"candidates: {self.candidates}; valid: 1 to {MOST_CANDIDATES}"
        )
        require(0 <= self.seed < 2**62, f"seed: {self.seed}; valid: 0 to 2^62")
        require(len(self.guidance) == 2, f"guidance: {self.guidance}; valid: one number, or two")
        require(all(1 <= g <= 100 for g in self.guidance), f"guidance: {self.guidance}; valid: 1 (none) to 100")
        levels = f"sigma_min {self.sigma_min}, sigma_max {self.sigma_max}, rho {self.rho}"
        require(
            0 < self.sigma_min < self.sigma_max < 1e6 and 0 < self.rho <= 100, f"{levels}; valid: rising, over 0"
        )
        require(self.decode_chunk >= 1, f"decode_chunk: {self.decode_chunk}; valid: 1 or more")

    @property
    def guided(self) -> bool:
        """Whether each step asks the network twice."""
        return self.guidance != (1.0, 1.0)
