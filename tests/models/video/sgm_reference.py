"""The published networks written anew under `sgm` names: what imports are held against.

Nothing here is shared with the program. Spatial layers see pictures (B*F, C, H, W), temporal ones (B, C, F, H, W).
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, pad, scaled_dot_product_attention, silu

HEAD = 32  # channels of an attention head, published: 64


def sinusoids(values: Tensor, width: int) -> Tensor:
    """Cosines, then sines, of values (N,) at frequencies from 1 down to 1/10000."""
    half = width // 2
    angles = values[:, None].float() * torch.exp(-math.log(10000) * torch.arange(half) / half)
    return torch.cat([angles.cos(), angles.sin()], -1)


def as_video(x: Tensor, frames: int) -> Tensor:
    return x.reshape(-1, frames, *x.shape[1:]).transpose(1, 2)


def as_pictures(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(0, 1)


class Mixer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix_factor = nn.Parameter(torch.randn(1))

    def forward(self, spatial: Tensor, temporal: Tensor) -> Tensor:
        alpha = self.mix_factor.sigmoid()
        return alpha * spatial + (1 - alpha) * temporal


class Residual(nn.Module):
    """Norm, convolution, embedding, norm, convolution; in time with a kernel of three frames."""

    def __init__(self, width: int, out: int, embedding: int, temporal: bool = False) -> None:
        super().__init__()
        shape = {"kernel_size": (3, 1, 1), "padding": (1, 0, 0)} if temporal else {"kernel_size": 3, "padding": 1}
        conv = nn.Conv3d if temporal else nn.Conv2d
        self.in_layers = nn.Sequential(nn.GroupNorm(32, width), nn.SiLU(), conv(width, out, **shape))
        if embedding:
            self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, out))
        self.out_layers = nn.Sequential(nn.GroupNorm(32, out), nn.SiLU(), nn.Identity(), conv(out, out, **shape))
        self.skip_connection = conv(width, out, 1) if width != out else nn.Identity()

    def forward(self, x: Tensor, added: Tensor | None) -> Tensor:
        h = self.in_layers(x)
        return self.skip_connection(x) + self.out_layers(h if added is None else h + added)


class VideoResidual(Residual):
    def __init__(self, width: int, out: int, embedding: int) -> None:
        super().__init__(width, out, embedding)
        self.time_stack = Residual(out, out, embedding, temporal=True)
        self.time_mixer = Mixer()

    def forward(self, x: Tensor, emb: Tensor, frames: int) -> Tensor:  # type: ignore[override]
        x = super().forward(x, self.emb_layers(emb)[..., None, None])
        video = as_video(x, frames)
        in_time = self.time_stack.emb_layers(emb).reshape(-1, frames, video.shape[1]).transpose(1, 2)
        return as_pictures(self.time_mixer(video, self.time_stack(video, in_time[..., None, None])))


class Attention(nn.Module):
    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Identity())

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        parts = (self.to_q(x), self.to_k(context), self.to_v(context))
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        return self.to_out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Gated(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 8 * width)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, -1)
        return value * gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(Gated(width), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Block(nn.Module):
    """Attention to itself, to the context, and a feed-forward; in time with another feed-forward first."""

    def __init__(self, width: int, context: int, heads: int, temporal: bool = False) -> None:
        super().__init__()
        if temporal:
            self.norm_in, self.ff_in = nn.LayerNorm(width), FeedForward(width)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn1 = Attention(width, width, heads)
        self.attn2 = Attention(width, context, heads)
        self.ff = FeedForward(width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        if hasattr(self, "ff_in"):
            x = x + self.ff_in(self.norm_in(x))
        normed = self.norm1(x)
        x = x + self.attn1(normed, normed)
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class VideoTransformer(nn.Module):
    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in, self.proj_out = nn.Linear(width, width), nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([Block(width, context, heads)])
        self.time_stack = nn.ModuleList([Block(width, context, heads, temporal=True)])
        self.time_pos_embed = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width))
        self.time_mixer = Mixer()

    def forward(self, x: Tensor, context: Tensor, frames: int) -> Tensor:
        count, width, height, across = x.shape
        places = height * across
        tokens = self.proj_in(self.norm(x).flatten(2).transpose(1, 2))
        number = torch.arange(frames).repeat(count // frames)
        position = self.time_pos_embed(sinusoids(number, width))[:, None]
        first = context[::frames].repeat_interleave(places, 0)  # in time, the first frame's context holds for all
        tokens = self.transformer_blocks[0](tokens, context)
        through = (tokens + position).reshape(-1, frames, places, width).transpose(1, 2).flatten(0, 1)
        through = self.time_stack[0](through, first)
        through = through.reshape(-1, places, frames, width).transpose(1, 2).reshape(count, places, width)
        tokens = self.proj_out(self.time_mixer(tokens, through))
        return x + tokens.transpose(1, 2).reshape(count, width, height, across)


class Down(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(width, width, 3, stride=2, padding=1)


class Up(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)


class VideoUNet(nn.Module):
    def __init__(
        self,
        channels: int,
        out: int,
        width: int,
        multiples: tuple[int, ...],
        attention: tuple[bool, ...],
        context: int,
        head: int,
        told: int,
        blocks: int = 2,
    ) -> None:
        super().__init__()
        embedding = 4 * width
        self.width = width
        self.time_embed = nn.Sequential(nn.Linear(width, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.label_emb = nn.Sequential(
            nn.Sequential(nn.Linear(told, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        )

        def layers(came: int, here: int, attends: bool) -> list[nn.Module]:
            more = [VideoTransformer(here, context, here // head)] if attends else []
            return [VideoResidual(came, here, embedding), *more]

        self.input_blocks = nn.ModuleList([nn.ModuleList([nn.Conv2d(channels, width, 3, padding=1)])])
        skips, here = [width], width
        for level, multiple in enumerate(multiples):
            for _ in range(blocks):
                self.input_blocks.append(nn.ModuleList(layers(here, multiple * width, attention[level])))
                here = multiple * width
                skips.append(here)
            if level < len(multiples) - 1:
                self.input_blocks.append(nn.ModuleList([Down(here)]))
                skips.append(here)
        self.middle_block = nn.ModuleList([*layers(here, here, True), VideoResidual(here, here, embedding)])
        self.output_blocks = nn.ModuleList()
        for level, multiple in reversed(list(enumerate(multiples))):
            for i in range(blocks + 1):
                block = layers(here + skips.pop(), multiple * width, attention[level])
                here = multiple * width
                self.output_blocks.append(nn.ModuleList([*block, *([Up(here)] if level and i == blocks else [])]))
        self.out = nn.Sequential(nn.GroupNorm(32, here), nn.SiLU(), nn.Conv2d(here, out, 3, padding=1))

    def forward(self, x: Tensor, noise: Tensor, context: Tensor, told: Tensor, frames: int) -> Tensor:
        """x (B*F, C, h, w), noise (B*F,), context (B*F, 1, D), told (B*F, told)."""
        emb = self.time_embed(sinusoids(noise, self.width)) + self.label_emb(told)
        kept = []
        for block in self.input_blocks:
            x = self._through(block, x, emb, context, frames)
            kept.append(x)
        x = self._through(self.middle_block, x, emb, context, frames)
        for block in self.output_blocks:
            x = self._through(block, torch.cat([x, kept.pop()], 1), emb, context, frames)
        return self.out(x)

    @staticmethod
    def _through(block: nn.ModuleList, x: Tensor, emb: Tensor, context: Tensor, frames: int) -> Tensor:
        for layer in block:
            if isinstance(layer, VideoResidual):
                x = layer(x, emb, frames)
            elif isinstance(layer, VideoTransformer):
                x = layer(x, context, frames)
            elif isinstance(layer, Down):
                x = layer.op(x)
            elif isinstance(layer, Up):
                x = layer.conv(interpolate(x, scale_factor=2, mode="nearest"))
            else:
                x = layer(x)
        return x


class CoderBlock(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(32, width, eps=1e-6), nn.GroupNorm(32, out, eps=1e-6)
        self.conv1, self.conv2 = nn.Conv2d(width, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1)
        if width != out:
            self.nin_shortcut = nn.Conv2d(width, out, 1)

    def forward(self, x: Tensor, frames: int = 0) -> Tensor:
        h = self.conv2(silu(self.norm2(self.conv1(silu(self.norm1(x))))))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class VideoCoderBlock(CoderBlock):
    def __init__(self, width: int, out: int) -> None:
        super().__init__(width, out)
        self.time_stack = Residual(out, out, 0, temporal=True)
        self.mix_factor = nn.Parameter(torch.randn(1))

    def forward(self, x: Tensor, frames: int = 0) -> Tensor:
        video = as_video(super().forward(x), frames)
        alpha = self.mix_factor.sigmoid()
        return as_pictures(alpha * self.time_stack(video, None) + (1 - alpha) * video)


class PictureAttention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        q, k, v = (part(normed).flatten(2).transpose(1, 2) for part in (self.q, self.k, self.v))
        mixed = scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        return x + self.proj_out(mixed)


class Middle(nn.Module):
    def __init__(self, kind: type[CoderBlock], width: int) -> None:
        super().__init__()
        self.block_1, self.attn_1, self.block_2 = kind(width, width), PictureAttention(width), kind(width, width)

    def forward(self, x: Tensor, frames: int = 0) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x, frames)), frames)


class Sampling(nn.Module):
    def __init__(self, width: int, down: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2 if down else 1, padding=0 if down else 1)


class Level(nn.Module):
    def __init__(self, kind: type[CoderBlock], widths: list[int], sampling: str) -> None:
        super().__init__()
        self.block = nn.ModuleList(kind(a, b) for a, b in pairwise(widths))
        if sampling:
            setattr(self, sampling, Sampling(widths[-1], sampling == "downsample"))


class PictureEncoder(nn.Module):
    def __init__(self, widths: tuple[int, ...], latent: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        came = (widths[0], *widths)
        self.down = nn.ModuleList(
            Level(CoderBlock, [came[i], w, w], "downsample" if i < len(widths) - 1 else "")
            for i, w in enumerate(widths)
        )
        self.mid = Middle(CoderBlock, widths[-1])
        self.norm_out = nn.GroupNorm(32, widths[-1], eps=1e-6)
        self.conv_out = nn.Conv2d(widths[-1], 2 * latent, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for level in self.down:
            for block in level.block:
                x = block(x)
            if hasattr(level, "downsample"):
                x = level.downsample.conv(pad(x, (0, 1, 0, 1)))
        return self.conv_out(silu(self.norm_out(self.mid(x))))


class TimeConv(nn.Conv2d):
    def __init__(self, width: int, out: int) -> None:
        super().__init__(width, out, 3, padding=1)
        self.time_mix_conv = nn.Conv3d(out, out, (3, 1, 1), padding=(1, 0, 0))


class VideoDecoder(nn.Module):
    def __init__(self, widths: tuple[int, ...], latent: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(latent, widths[-1], 3, padding=1)
        self.mid = Middle(VideoCoderBlock, widths[-1])
        came = (*widths[1:], widths[-1])
        self.up = nn.ModuleList(
            Level(VideoCoderBlock, [came[i], w, w, w], "upsample" if i else "") for i, w in enumerate(widths)
        )
        self.norm_out = nn.GroupNorm(32, widths[0], eps=1e-6)
        self.conv_out = TimeConv(widths[0], 3)

    def forward(self, z: Tensor, frames: int) -> Tensor:
        x = self.mid(self.conv_in(z), frames)
        for level in reversed(self.up):
            for block in level.block:
                x = block(x, frames)
            if hasattr(level, "upsample"):
                x = level.upsample.conv(interpolate(x, scale_factor=2, mode="nearest"))
        x = self.conv_out(silu(self.norm_out(x)))
        return as_pictures(self.conv_out.time_mix_conv(as_video(x, frames)))


class FirstStage(nn.Module):
    def __init__(self, widths: tuple[int, ...], latent: int) -> None:
        super().__init__()
        self.encoder, self.decoder = PictureEncoder(widths, latent), VideoDecoder(widths, latent)


class ClipBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 2 * width))
        self.mlp.add_module("gelu", nn.GELU())
        self.mlp.add_module("c_proj", nn.Linear(2 * width, width))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        h = self.ln_1(x)
        x = x + self.attn(h, h, h, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class ClipLayers(nn.Module):
    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(ClipBlock(width, max(1, width // 64)) for _ in range(layers))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for block in self.resblocks:
            x = block(x, mask)
        return x


class ClipPictures(nn.Module):
    def __init__(self, width: int, layers: int, side: int, patch: int, out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width))
        self.positional_embedding = nn.Parameter(torch.randn((side // patch) ** 2 + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = ClipLayers(width, layers)
        self.proj = nn.Parameter(torch.randn(width, out) / width**0.5)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.conv1(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_embedding.expand(len(x), 1, -1), patches], 1) + self.positional_embedding
        return self.ln_post(self.transformer(self.ln_pre(tokens))[:, 0]) @ self.proj


class ClipWords(nn.Module):
    def __init__(self, width: int, layers: int, vocabulary: int, positions: int, out: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.positional_embedding = nn.Parameter(torch.randn(positions, width))
        self.transformer = ClipLayers(width, layers)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.randn(width, out) / width**0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        mask = torch.full((length, length), -torch.inf).triu(1)
        x = self.transformer(self.token_embedding(tokens) + self.positional_embedding[:length], mask)
        last = tokens.argmax(-1)  # the token that ends a text has the highest number
        return self.ln_final(x)[torch.arange(len(x)), last] @ self.text_projection


class Published(nn.Module):
    """A whole checkpoint, tiny: `state()` has the names that a file of the authors has."""

    def __init__(self, text: bool = False) -> None:
        super().__init__()
        self.unet = VideoUNet(8, 4, 32, (1, 2), (True, False), context=16, head=HEAD, told=24)
        self.vae = FirstStage((32, 32), 4)
        self.text = text
        self.tower = ClipWords(128, 2, 514, 77, 16) if text else ClipPictures(128, 2, 32, 16, 16)
        for name, weight in self.named_parameters():
            if "norm" in name or "ln_" in name:  # as made, norms do nothing that a test could see
                nn.init.normal_(weight, 1.0 if name.endswith("weight") else 0.0, 0.3)

    def state(self) -> dict[str, Tensor]:
        tower = "conditioner.embedders.0.open_clip.model." + ("" if self.text else "visual.")
        parts = {"model.diffusion_model.": self.unet, "first_stage_model.": self.vae, tower: self.tower}
        return {f"{prefix}{n}": t.clone() for prefix, part in parts.items() for n, t in part.state_dict().items()}
