"""Small TensorFlow checkpoints in the true layout, written without TensorFlow."""

import json
import struct

import numpy as np

ENDING = "/.ATTRIBUTES/VARIABLE_VALUE"
FLOAT, STRING, INT64 = 1, 7, 9


def crc32c(content):
    """The CRC-32C of bytes, bit by bit."""
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def masked(content):
    value = crc32c(content)
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def block(entries, restart_every=4):
    content, restarts, before = b"", [], b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % restart_every == 0:
            restarts.append(len(content))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        content += varint(shared) + varint(len(key) - shared) + varint(len(value))
        content += key[shared:] + value
        before = key
    restarts = restarts or [0]
    return content + struct.pack(f"<{len(restarts)}I", *restarts) + struct.pack("<I", len(restarts))


def table(entries, per_block=7):
    """A LevelDB table of sorted keys."""
    content, places = b"", []

    def add(entries):
        nonlocal content
        raw = block(entries)
        place = varint(len(content)) + varint(len(raw))
        content += raw + b"\0" + struct.pack("<I", masked(raw + b"\0"))
        return place

    for first in range(0, len(entries), per_block):
        part = entries[first : first + per_block]
        places.append((part[-1][0] + b"~", add(part)))
    footer = add([]) + add(places)
    return content + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def write_bundle(folder, variables, *, name="weights", settings=None):
    """Write a checkpoint of variables by name; return the path of its index."""
    folder.mkdir(parents=True, exist_ok=True)
    data, entries = b"", [(b"", field(1, 1) + field(3, field(1, 1)))]
    graph = b"\x0a\x04text"
    everything = {
        "_CHECKPOINTABLE_OBJECT_GRAPH": (STRING, b"", graph),
        f"save_counter{ENDING}": (INT64, b"", struct.pack("<q", 1)),
    }
    for key, values in variables.items():
        values = np.asarray(values, dtype="<f4")
        shape = b"".join(field(2, field(1, size)) for size in values.shape)
        everything[f"{key}{ENDING}"] = (FLOAT, shape, values.tobytes())
        if key.endswith("kernel"):  # the state of an optimizer
            slot = f"{key}/.OPTIMIZER_SLOT/optimizer/m{ENDING}"
            everything[slot] = (FLOAT, shape, values.tobytes())
    for key in sorted(everything, key=str.encode):
        kind, shape, content = everything[key]
        entry = field(1, kind) + field(2, shape) + (field(4, len(data)) if data else b"")
        entry += field(5, len(content)) + varint(6 << 3 | 5) + struct.pack("<I", masked(content))
        entries.append((key.encode(), entry))
        data += content
    (folder / f"{name}.data-00000-of-00001").write_bytes(data)
    (folder / f"{name}.index").write_bytes(table(entries))
    if settings is not None:
        (folder / "conf.json").write_text(json.dumps(settings))
    return folder / f"{name}.index"


def astromer_variables(n_layers=2, width=8, feedforward_size=6, seed=0, prefix="encoder/"):
    """Random variables of a small Astromer 1, by their names in its checkpoints."""
    rng = np.random.default_rng(seed)

    def dense(name, n_inputs, n_outputs):
        return {
            f"{name}/kernel": rng.normal(0, 0.5, (n_inputs, n_outputs)),
            f"{name}/bias": rng.normal(0, 0.2, n_outputs),
        }

    found = dense("inp_transform", 1, width)
    for number in range(n_layers):
        layer = f"enc_layers/{number}"
        for name in ("wq", "wk", "wv", "dense"):
            found |= dense(f"{layer}/mha/{name}", width, width)
        found |= dense(f"{layer}/ffn/layer_with_weights-0", width, feedforward_size)
        found |= dense(f"{layer}/ffn/layer_with_weights-1", feedforward_size, width)
        for norm in ("layernorm1", "layernorm2"):
            found[f"{layer}/{norm}/gamma"] = rng.normal(1, 0.1, width)
            found[f"{layer}/{norm}/beta"] = rng.normal(0, 0.1, width)
    found = {f"{prefix}{name}": np.float32(values) for name, values in found.items()}
    return found | {"decoder/reg_layer/bias": np.zeros(1, np.float32)}


def astromer_embedding(variables, time, magnitude, n_heads, prefix="encoder/"):
    """The published forward pass for one window, in float64: (n_observations, width)."""
    own = {k.removeprefix(prefix): np.asarray(v, dtype=float) for k, v in variables.items()}

    def dense(x, name):
        return x @ own[f"{name}/kernel"] + own[f"{name}/bias"]

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
        return x * own[f"{name}/gamma"] + own[f"{name}/beta"]

    x = dense((magnitude - magnitude.mean())[:, None], "inp_transform")
    width = x.shape[1]
    for j in range(width):
        angle = (time - time.mean()) * 10_000 ** (-2 * j / width)
        x[:, j] += np.cos(angle) if j % 2 else np.sin(angle)
    number = 0
    while f"enc_layers/{number}/mha/wq/kernel" in own:
        layer = f"enc_layers/{number}"
        query, key, value = (
            np.stack(np.split(dense(x, f"{layer}/mha/{name}"), n_heads, axis=1))
            for name in ("wq", "wk", "wv")
        )
        logits = query @ key.transpose(0, 2, 1) / np.sqrt(width / n_heads)
        weight = np.exp(logits - logits.max(-1, keepdims=True))
        mixed = np.concatenate(list(weight / weight.sum(-1, keepdims=True) @ value), axis=1)
        x = norm(dense(mixed, f"{layer}/mha/dense"), f"{layer}/layernorm1")
        hidden = np.tanh(dense(x, f"{layer}/ffn/layer_with_weights-0"))
        x = norm(dense(hidden, f"{layer}/ffn/layer_with_weights-1"), f"{layer}/layernorm2")
        number += 1
    return x
