"""The sealed form once more, as plainly as it can be said: what a sensor with other software would have to do."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass

_TOPICS = {"sound": 0, "windows": 1, "candidates": 2, "checkpoints": 3}
_FORM = 2


def _hkdf(key: bytes, info: bytes, n_bytes: int) -> bytes:
    """Draw keys from a key, without salt (RFC 5869)."""
    pseudorandom = hmac.digest(bytes(32), key, "sha256")
    out, last = b"", b""
    for counter in range(1, n_bytes // 32 + 1):
        last = hmac.digest(pseudorandom, last + info + bytes([counter]), "sha256")
        out += last
    return out


def _quarter_round(x: list[int], a: int, b: int, c: int, d: int) -> None:
    for to, other, into, n_bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[to] = x[to] + x[other] & 0xFFFFFFFF
        mixed = x[into] ^ x[to]
        x[into] = (mixed << n_bits | mixed >> 32 - n_bits) & 0xFFFFFFFF


def _rounds(state: list[int]) -> list[int]:
    """Mix 16 words by the 20 rounds of ChaCha (RFC 8439, 2.3)."""
    x = list(state)
    for _ in range(10):
        for i in range(4):
            _quarter_round(x, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            _quarter_round(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return x


def _state(key: bytes, last: bytes) -> list[int]:
    return list(struct.unpack("<16I", b"expand 32-byte k" + key + last))


def _stream(key: bytes, nonce: bytes, n_bytes: int, first: int) -> bytes:
    """Give ChaCha20's stream for a nonce of 12 bytes, from block `first` on."""
    out = b""
    for counter in range(first, first + -(-n_bytes // 64)):
        state = _state(key, struct.pack("<I", counter) + nonce)
        words = (a + b & 0xFFFFFFFF for a, b in zip(_rounds(state), state, strict=True))
        out += struct.pack("<16I", *words)
    return out[:n_bytes]


def _poly1305(key: bytes, text: bytes) -> bytes:
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    sum_ = 0
    for i in range(0, len(text), 16):
        sum_ = (sum_ + int.from_bytes(text[i : i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((sum_ + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def encrypt(key: bytes, nonce: bytes, bound: bytes, content: bytes) -> bytes:
    """Encrypt by XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03); the tag stands behind."""
    mixed = struct.pack("<16I", *_rounds(_state(key, nonce[:16])))
    key, nonce = mixed[:16] + mixed[48:], bytes(4) + nonce[16:]
    stream = _stream(key, nonce, len(content), 1)
    body = bytes(a ^ b for a, b in zip(content, stream, strict=True))
    padded = b"".join(part + bytes(-len(part) % 16) for part in (bound, body))
    sizes = struct.pack("<QQ", len(bound), len(body))
    return body + _poly1305(_stream(key, nonce, 32, 0), padded + sizes)


@dataclass(frozen=True)
class Place:
    """What the header says of a message."""

    topic: str
    sensor_id: int
    boot_ns: int
    sequence: int
    content_version: int = 1


def key_id(key: bytes) -> bytes:
    """Name a key by a hash of it."""
    return hashlib.sha256(b"sourdine zone key id" + key).digest()[:8]


def seal(key: bytes, place: Place, content: bytes) -> bytes:
    """Seal content: header, nonce, body, tag."""
    topic = _TOPICS[place.topic]
    header = struct.pack("<BBI", _FORM, topic, place.content_version) + key_id(key)
    header += struct.pack("<IQQI", place.sensor_id, place.boot_ns, place.sequence, len(content))
    info = b"sourdine sealed topic" + bytes([_FORM, topic]) + b"." + struct.pack("<I", place.sensor_id)
    keys = _hkdf(key, info, 64)
    nonce = hmac.digest(keys[32:], header + content, "sha256")[:24]
    return header + nonce + encrypt(keys[:32], nonce, header, content)


def block(sample_rate: int, start_sample: int, samples: list[int]) -> bytes:
    """Write a block of 16-bit samples as content."""
    return struct.pack("<IIQ", sample_rate, 0, start_sample) + struct.pack(f"<{len(samples)}h", *samples)
