"""Short tones for what a demonstrator must know without looking: it records, stopped, is saved, is not well."""

import importlib
import os
import sys
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Sound = Literal["started", "stopped", "saved", "discarded", "warning"]
RATE = 44100
LOUDNESS = 0.35
EDGE_S = 0.008  # how long a tone takes to rise and to fall, so that it does not click
# each a row of (frequency [Hz], length [s]); 0 Hz is silence. Up: it records. Down: it stopped.
TUNES: dict[Sound, tuple[tuple[float, float], ...]] = {
    "started": ((660, 0.09), (990, 0.16)),
    "stopped": ((990, 0.09), (660, 0.16)),
    "saved": ((784, 0.08), (988, 0.08), (1319, 0.2)),
    "discarded": ((330, 0.12), (247, 0.2)),
    "warning": ((440, 0.12), (0, 0.06), (440, 0.12), (0, 0.06), (440, 0.12)),
}
NO_DEVICE = "no sounds: this machine has no sound device"


def samples(sound: Sound) -> NDArray[np.int16]:
    """Return a sound (N,) at RATE, full scale 32767."""
    parts = [_tone(frequency, seconds) for frequency, seconds in TUNES[sound]]
    return (np.concatenate(parts) * LOUDNESS * 32767).astype(np.int16)


def _tone(frequency: float, seconds: float) -> NDArray[np.float64]:
    t = np.arange(round(seconds * RATE)) / RATE
    edge = np.clip(np.minimum(t, seconds - t) / EDGE_S, 0.0, 1.0)
    return np.asarray(edge * (np.sin(2 * np.pi * frequency * t) + 0.2 * np.sin(4 * np.pi * frequency * t)) / 1.2)


def has_output() -> bool:
    """Whether a sound device may be there: asked for one without, ALSA fills the terminal."""
    if sys.platform != "linux":
        return True
    servers = [
        Path(os.environ.get("XDG_RUNTIME_DIR", "/nowhere")) / name for name in ("pulse/native", "pipewire-0")
    ]
    cards = Path("/dev/snd").glob("pcm*p") if Path("/dev/snd").is_dir() else ()
    if "SDL_AUDIODRIVER" in os.environ:
        return True
    return any(cards) or any(server.exists() for server in servers) or "PULSE_SERVER" in os.environ


class Sounds:
    """Plays sounds where the machine can; `problem` says why it cannot, for a person, "" where it can."""

    def __init__(self) -> None:
        self.problem = ""
        self._sdl: Any = None
        self._device = 0

    def play(self, sound: Sound) -> bool:
        """Play it, in place of one that still sounds; return whether it could be. Never waits for the sound."""
        if self.problem or not self._open():
            return False
        data = samples(sound).tobytes()
        self._sdl.SDL_ClearQueuedAudio(self._device)
        return bool(self._sdl.SDL_QueueAudio(self._device, data, len(data)) == 0)

    def close(self) -> None:
        """Let go of the sound device. Safe to call twice."""
        if self._device:
            self._sdl.SDL_CloseAudioDevice(self._device)
            self._sdl.SDL_QuitSubSystem(self._sdl.SDL_INIT_AUDIO)
            self._device = 0

    def _open(self) -> bool:
        """Open the device at the first sound: a session that is silent keeps none."""
        if self._device:
            return True
        self.problem = self._try_open()
        return not self.problem

    def _try_open(self) -> str:
        if not has_output():
            return NO_DEVICE
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # it tells which SDL it found
                sdl = self._sdl = importlib.import_module("sdl2")
        except ImportError:
            return "no sounds: pip install 'dreamdeck[sound]'"
        if sdl.SDL_InitSubSystem(sdl.SDL_INIT_AUDIO) != 0:
            return NO_DEVICE
        wanted = sdl.SDL_AudioSpec(RATE, sdl.AUDIO_S16SYS, 1, 1024)
        self._device = sdl.SDL_OpenAudioDevice(None, 0, wanted, None, 0)
        if not self._device:
            sdl.SDL_QuitSubSystem(sdl.SDL_INIT_AUDIO)
            return NO_DEVICE
        sdl.SDL_PauseAudioDevice(self._device, 0)
        return ""
