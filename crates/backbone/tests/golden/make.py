"""Writes the golden files: encoder folders with the outputs of PyTorch's nn.TransformerEncoder.

usage: python make.py      (torch 2.11, numpy, safetensors)

Three segments of 9, 1 and 5 frames go through PyTorch with padding and a key padding mask; their valid frames are stored packed."""
import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent
C, D, HEADS, INNER, LAYERS, MAX = 5, 16, 4, 24, 2, 12
LENGTHS = [9, 1, 5]


def make(name, norm_first, activation, positions):
    torch.manual_seed(len(name) * 1000 + sum(map(ord, name)))
    layer = nn.TransformerEncoderLayer(D, HEADS, INNER, 0.1, activation, batch_first=True, norm_first=norm_first)
    norm = nn.LayerNorm(D) if norm_first else None
    encoder = nn.TransformerEncoder(layer, LAYERS, norm=norm, enable_nested_tensor=False).eval()
    linear, table = nn.Linear(C, D), nn.Parameter(torch.randn(MAX, D) * 0.3)
    for p in encoder.parameters():  # layers of nn.TransformerEncoder start as copies, norms as 1 and 0: perturb all
        p.data += torch.randn_like(p) * 0.2
    if positions == "sinusoidal":
        t = torch.arange(MAX).float()[:, None] * torch.exp(torch.arange(0, D, 2).float() * (-math.log(10000.0) / D))
        table = torch.zeros(MAX, D)
        table[:, 0::2], table[:, 1::2] = torch.sin(t), torch.cos(t)
    x = [torch.randn(n, C) for n in LENGTHS]
    padded = nn.utils.rnn.pad_sequence(x, batch_first=True, padding_value=7.0)
    padding = torch.arange(padded.shape[1])[None] >= torch.tensor(LENGTHS)[:, None]
    with torch.no_grad():
        y = encoder(linear(padded) + table[: padded.shape[1]], src_key_padding_mask=padding)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    weights = {"input.weight": linear.weight, "input.bias": linear.bias, **{f"encoder.{k}": v for k, v in encoder.state_dict().items()}}
    if positions == "learned":
        weights["positions"] = table
    save_file({k: v.detach().contiguous() for k, v in weights.items()}, folder / "model.safetensors")
    packed = torch.cat([y[i, :n] for i, n in enumerate(LENGTHS)])
    save_file({"x_nc": torch.cat(x), "y_nd": packed}, folder / "expected.safetensors")
    config = dict(input_dim=C, model_dim=D, heads=HEADS, layers=LAYERS, feedforward_dim=INNER, dropout=0.1, activation=activation, norm_first=norm_first,
                  positions=positions, max_frames=MAX, columns=[f"c{i}" for i in range(C)], mean=[0.0] * C, std=[1.0] * C, clip=8.0)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


make("pre-gelu-sinusoidal", True, "gelu", "sinusoidal")
make("post-gelu-learned", False, "gelu", "learned")
make("pre-relu-learned", True, "relu", "learned")
make("post-relu-sinusoidal", False, "relu", "sinusoidal")
