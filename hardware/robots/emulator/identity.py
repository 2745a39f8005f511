"""How an emulator proves that this program started it (DESIGN, rule of motion 7).

The parent makes a random nonce and hands it to the emulator's process when it starts it. Who knows the nonce sends
a random challenge to a register that the vendor does not use, on the control port itself, and gets its
HMAC-SHA256 back. A real controller, or an emulator that somebody else started, cannot answer.
"""

import hashlib
import hmac
import ipaddress
import secrets
import socket

from hardware.robots.emulator.frames import Frame, decode, encode

IDENTITY_REGISTER = 224
CHALLENGE_BYTES = 32
_PURPOSE = b"dreamdeck emulator identity 1"


def new_nonce() -> bytes:
    """Return a fresh secret for one emulator process."""
    return secrets.token_bytes(32)


def answer(nonce: bytes, challenge: bytes) -> bytes:
    """Return the 32 bytes that prove knowledge of the nonce."""
    return hmac.new(nonce, _PURPOSE + challenge, hashlib.sha256).digest()


def answers(nonce: bytes, challenge: bytes, reply: bytes) -> bool:
    """Return whether a reply is right, in constant time."""
    return hmac.compare_digest(answer(nonce, challenge), reply)


def is_loopback(address: str) -> bool:
    """Return whether an IP address is on this machine's loopback; names are not resolved and are not."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def refusal(emulated: bool, address: str, nonce: bytes | None) -> str:
    """Return why an arm that the rig calls emulated cannot be one of ours, "" where it can."""
    if not emulated or (nonce is not None and is_loopback(address)):
        return ""
    return (
        "the rig says that it is emulated, but it is not an emulator that this program "
        "started on the loopback; start it from here or set emulated = false"
    )


def verify_emulator(address: str, nonce: bytes, control_port: int = 10502, timeout: float = 1.0) -> bool:
    """Return whether the controller at address is an emulator that was started with this nonce.

    Never raises for a controller that is not there, silent or strange: that is False.
    """
    if not is_loopback(address):
        return False
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    try:
        with socket.create_connection((address, control_port), timeout) as link:
            link.settimeout(timeout)
            link.sendall(encode(Frame(1, 2, IDENTITY_REGISTER, challenge)))
            buffer = b""
            while True:
                chunk = link.recv(1024)
                buffer += chunk
                frames, buffer = decode(buffer)
                if frames:
                    return frames[0].register == IDENTITY_REGISTER and answers(
                        nonce, challenge, frames[0].payload[1:]
                    )
                if not chunk:
                    return False
    except (OSError, ValueError):
        return False
