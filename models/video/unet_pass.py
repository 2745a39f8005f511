"""One pass through diffusers' video U-Net with an embedding for each frame.

The class's own forward repeats one embedding over all frames; the network below it takes one for each. Weights,
blocks and their order are those of the class, so that what is trained here loads with plain diffusers.
"""

import torch
from diffusers import UNetSpatioTemporalConditionModel


def predict(
    unet: UNetSpatioTemporalConditionModel,
    sample: torch.Tensor,
    c_noise: torch.Tensor,
    embeddings: torch.Tensor,
    ids: torch.Tensor,
) -> torch.Tensor:
    """Return the raw prediction (B, F, C, h, w).

    sample (B, F, 2C, h, w): scaled noisy latents beside those of the condition; c_noise (B,); embeddings
    (B, F, 1, D); ids (B, 3). h and w are multiples of the U-Net's factor. The temporal layers attend to the
    embedding of the first frame, as in the original.
    """
    scenes, frames = sample.shape[:2]
    emb = _time_embedding(unet, c_noise, ids, sample.dtype).repeat_interleave(frames, 0)
    context = embeddings.flatten(0, 1)
    video = torch.zeros(scenes, frames, dtype=sample.dtype, device=sample.device)  # no frame is a lone picture

    x: torch.Tensor = unet.conv_in(sample.flatten(0, 1))
    skips: tuple[torch.Tensor, ...] = (x,)
    for block in unet.down_blocks:
        x, more = block(hidden_states=x, temb=emb, image_only_indicator=video, **_context(block, context))
        skips += more
    x = unet.mid_block(hidden_states=x, temb=emb, encoder_hidden_states=context, image_only_indicator=video)
    for block in unet.up_blocks:
        count = len(block.resnets)
        skips, used = skips[:-count], skips[-count:]
        x = block(
            hidden_states=x,
            temb=emb,
            res_hidden_states_tuple=used,
            image_only_indicator=video,
            **_context(block, context),
        )
    x = unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))
    return x.reshape(scenes, frames, *x.shape[1:])


def _time_embedding(
    unet: UNetSpatioTemporalConditionModel, c_noise: torch.Tensor, ids: torch.Tensor, dtype: torch.dtype
) -> torch.Tensor:
    noise: torch.Tensor = unet.time_embedding(unet.time_proj(c_noise).to(dtype))
    told = unet.add_time_proj(ids.flatten()).reshape(len(ids), -1)
    return noise.add(unet.add_embedding(told.to(dtype)))


def _context(block: torch.nn.Module, context: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"encoder_hidden_states": context} if getattr(block, "has_cross_attention", False) else {}
