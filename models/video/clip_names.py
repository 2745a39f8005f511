"""How the weights of transformers' CLIP towers are called, and laid out, in OpenCLIP's code."""

from collections.abc import Iterable

from models.video.weights import Origin

_IMAGE = {
    "vision_model.embeddings.class_embedding": "class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "positional_embedding",
    "vision_model.pre_layrnorm": "ln_pre",
    "vision_model.post_layernorm": "ln_post",
    "vision_model.encoder.layers": "transformer.resblocks",
}
_TEXT = {
    "text_model.embeddings.token_embedding": "token_embedding",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm": "ln_final",
    "text_model.encoder.layers": "transformer.resblocks",
}
_PROJECTIONS = {"visual_projection.weight": "proj", "text_projection.weight": "text_projection"}
_INSIDE = {
    "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}  # fmt: skip
_THIRDS = ("self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj.")


def clip_origins(names: Iterable[str]) -> dict[str, Origin]:
    """Return where each weight of a tower is in OpenCLIP's: its queries, keys and values are one matrix there."""
    return {name: _origin(name) for name in names}


def _origin(name: str) -> Origin:
    if name in _PROJECTIONS:
        return Origin(_PROJECTIONS[name], transposed=True)
    begins = {**_IMAGE, **_TEXT}
    ours = next((begin for begin in begins if name == begin or name.startswith(f"{begin}.")), None)
    if ours is None:
        raise KeyError(f"{name}: no part of an OpenCLIP tower")
    theirs, rest = begins[ours], name[len(ours) :]
    for third, part in enumerate(_THIRDS):
        before, found, kind = rest.partition(part)
        if found:
            return Origin(f"{theirs}{before}attn.in_proj_{kind}", third=third)
    for inner, other in _INSIDE.items():
        rest = rest.replace(f".{inner}.", f".{other}.")
    return Origin(f"{theirs}{rest}")
