"""Pictures on what is drawn: a texture and a material of one name."""

import mujoco
import numpy as np

from hardware.types import Image


def add_picture(spec: mujoco.MjSpec, name: str, picture: Image, specular: float = 0.1) -> None:
    """Add a texture and a material of the same name; texture coordinates (0, 1) are the picture's upper left."""
    texture = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, nchannel=3)
    texture.height, texture.width = picture.shape[:2]
    texture.data = np.ascontiguousarray(picture[::-1]).tobytes()
    material = spec.add_material(name=name, specular=specular, shininess=0.2)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    material.texuniform = False
