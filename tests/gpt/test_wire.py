"""What the page's views read, against the trace it was made from."""

import numpy as np
import pytest
import torch

import gpt
from gpt import GPTConfig, tracing, wire

TEXT = "ROMEO:\nBut soft, what light through yonder window breaks?"


@pytest.fixture
def checkpoint(random_checkpoint):
    return random_checkpoint(GPTConfig(n_layer=2, n_head=2, n_embd=64, block_size=64))


def rows_of(header, blocks):
    """Weights (L, H, T, T) back from the rows, by the format's own words."""
    L, H, T = header["layers"], header["heads"], header["tokens"]
    data, at = np.frombuffer(blocks["rows"], np.uint8), 0
    found = np.zeros((L, H, T, T))
    for t in range(header["first"], T):
        for layer in range(L):
            for head in range(H):
                found[layer, head, t, : t + 1] = (data[at : at + t + 1] / 255) ** 2
                at += t + 1
    assert at == len(data)
    return found


def test_a_packet_is_unpacked_as_it_was():
    header, blocks = wire.unpack(wire.packet({"a": ["é", 1]}, {"x": b"", "y": b"123", "z": bytes(70_000)}))
    assert header["a"] == ["é", 1]
    assert blocks == {"x": b"", "y": b"123", "z": bytes(70_000)}


@pytest.mark.parametrize("data", [b"", b"x" * 40, wire.packet({}, {})[:-3], b"\x78\x9c" + bytes(9)])
def test_what_is_no_packet_is_refused(data):
    with pytest.raises(ValueError, match="not a packet"):
        wire.unpack(data)


def test_rows_are_the_attention_to_half_a_step_of_a_byte(checkpoint):
    ids = checkpoint.tokenizer.encode(TEXT)
    header, blocks = wire.unpack(wire.pack_trace(checkpoint, ids))
    trace = gpt.trace(checkpoint, TEXT)
    found = np.sqrt(rows_of(header, blocks))
    assert np.abs(found - trace.attention.sqrt().numpy()).max() <= 0.5 / 255 + 1e-6
    assert "".join(header["pieces"]) == TEXT
    assert header["ids"] == ids
    assert header["id"] == checkpoint.id
    assert header["loss"] == pytest.approx(float(trace.losses.mean()) / np.log(2), abs=1e-5)


def test_rows_sent_one_after_the_other_are_the_whole(checkpoint):
    ids = checkpoint.tokenizer.encode(TEXT)
    whole = wire.unpack(wire.pack_trace(checkpoint, ids))[1]["rows"]
    parts = [
        wire.unpack(wire.pack_trace(checkpoint, ids[:n], first=k))[1]["rows"]
        for k, n in ((0, 20), (20, 21), (21, len(ids)))
    ]
    assert np.abs(np.frombuffer(b"".join(parts), np.uint8).astype(int) - np.frombuffer(whole, np.uint8)).max() <= 1


def test_the_lens_is_the_traces_lens(checkpoint):
    ids = checkpoint.tokenizer.encode(TEXT)
    header, blocks = wire.unpack(wire.pack_trace(checkpoint, ids))
    L, top = header["layers"], header["lens_top"]
    found_ids = np.frombuffer(blocks["lens_ids"], "<u4").reshape(len(ids), L + 1, top)
    found_p = np.frombuffer(blocks["lens_p"], "<f4").reshape(len(ids), L + 1, top)
    trace = gpt.trace(checkpoint, TEXT)
    for position in (0, 7, len(ids) - 1):
        p = trace.lens(position).softmax(-1)
        best = p.topk(top)
        assert torch.equal(best.indices, torch.from_numpy(found_ids[position].astype(np.int64)))
        assert torch.allclose(best.values, torch.from_numpy(found_p[position].copy()), atol=1e-6)
    everything = np.frombuffer(blocks["next_p"], "<f4").reshape(len(ids), -1)
    assert np.abs(everything - trace.probabilities.numpy()).max() < 1e-6
    assert header["names"][str(found_ids[0, 0, 0])] == checkpoint.tokenizer.pieces([int(found_ids[0, 0, 0])])[0]


def test_one_row_is_exact(checkpoint):
    ids = checkpoint.tokenizer.encode(TEXT)
    header, blocks = wire.unpack(wire.pack_row(checkpoint, ids, 30))
    weights = np.frombuffer(blocks["weights"], "<f4").reshape(2, 2, 31)
    assert np.array_equal(weights, gpt.trace(checkpoint, TEXT).attention[:, :, 30, :31].numpy())
    assert header["position"] == 30


@pytest.mark.parametrize("kind", ["head", "layer", "all", "rollout"])
def test_one_map_is_what_it_says(checkpoint, kind):
    ids = checkpoint.tokenizer.encode(TEXT)
    header, blocks = wire.unpack(wire.pack_map(checkpoint, ids, kind, 1, 0))
    attention = gpt.trace(checkpoint, TEXT).attention
    expected = {
        "head": attention[1, 0],
        "layer": attention[1].mean(0),
        "all": attention.mean((0, 1)),
        "rollout": tracing.rollout(attention)[1],
    }[kind]
    T = len(ids)
    found = np.zeros((T, T))
    found[np.tril_indices(T)] = np.frombuffer(blocks["rows"], np.uint8) / 255
    assert header["tokens"] == T
    assert np.abs(found - expected.sqrt().numpy()).max() <= 0.5 / 255 + 1e-5


def test_silenced_heads_look_but_say_nothing(checkpoint):
    ids = checkpoint.tokenizer.encode(TEXT)
    plain, silenced = (wire.unpack(wire.pack_trace(checkpoint, ids, pairs)) for pairs in ([], [(0, 0)]))
    assert silenced[0]["silenced"] == [[0, 0]]
    assert silenced[0]["loss"] != plain[0]["loss"]
    assert rows_of(*silenced)[0] == pytest.approx(rows_of(*plain)[0], abs=0.01)


def test_a_long_window_of_many_heads_is_sent_as_thumbnails(random_checkpoint):
    config = GPTConfig(n_layer=3, n_head=8, n_embd=64, block_size=512)
    checkpoint = random_checkpoint(config)
    ids = [i % 60 for i in range(512)]
    header, blocks = wire.unpack(wire.pack_trace(checkpoint, ids))
    assert header["side"] == wire.SIDE
    assert "rows" not in blocks
    found = np.frombuffer(blocks["thumbnails"], np.uint8).reshape(3, 8, wire.SIDE, wire.SIDE)
    attention = gpt.trace(checkpoint, ids).attention.sqrt().numpy()  # 8 by 8 cells a cell
    expected = attention.reshape(3, 8, 64, 8, 64, 8).max((3, 5))
    assert np.abs(found / 255 - expected).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("block_size", [8, 64])
@pytest.mark.parametrize("layers", [1, 12])
def test_every_shape_is_packed(random_checkpoint, block_size, layers):
    config = GPTConfig(n_layer=layers, n_head=2, n_embd=16, block_size=block_size)
    checkpoint = random_checkpoint(config)
    for length in (1, block_size):
        header, blocks = wire.unpack(wire.pack_trace(checkpoint, list(range(length))))
        assert len(blocks["rows"]) == layers * 2 * length * (length + 1) // 2
        assert (header["loss"] is None) == (length == 1)


def test_wrong_questions_are_value_errors(checkpoint):
    for wrong in (
        lambda: wire.pack_trace(checkpoint, []),
        lambda: wire.pack_trace(checkpoint, [0] * 65),
        lambda: wire.pack_trace(checkpoint, [0, 1], first=2),
        lambda: wire.pack_trace(checkpoint, [0, 1], [(2, 0)]),
        lambda: wire.pack_trace(checkpoint, [0, 1], [(0, -1)]),
        lambda: wire.pack_row(checkpoint, [0, 1], 2),
        lambda: wire.pack_row(checkpoint, [0, 1], -1),
        lambda: wire.pack_map(checkpoint, [0, 1], "head", 0, 9),
    ):
        with pytest.raises(ValueError, match=r"text|first|silenced|position|head"):
            wrong()
