"""One training step of masked reconstruction in PyTorch, timed over many: valid frames a second, and the losses.

What is trained, on which data, and what is printed: benches/README.md, "The data of the training step".

Recipes:
  eager            nn.TransformerEncoder over padded batches with src_key_padding_mask, as most users write it
  compile          the same, the encoder through torch.compile
  reduce-overhead  the same through torch.compile(mode="reduce-overhead"): CUDA graphs on a graphics card
  packed           linear layers over packed frames, attention without a mask over segments of one length together:
                   the best that we could write in Python
  mvts             the recipe of mvts_transformer (Zerveas et al., arXiv 2010.02803): batch norm, learnt positions, post-norm,
                   explicit attention, batches padded to the longest segment there may be, mean squared error, RAdam, clipping at 4

Precision: fp32; medium (torch.set_float32_matmul_precision); bf16 (medium, and autocast to bfloat16).
"""

import argparse
import json
import math
import sys
import time

import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional as F


class Batch:
    """Segments one behind the other, and where they begin."""

    def __init__(self, frames, hidden, lengths):
        self.frames, self.hidden, self.lengths = frames, hidden, lengths

    def padded(self, longest=None):
        """Input with hidden frames zeroed [B, T, C], which frames are real [B, T], which are hidden [B, T], and the frames [B, T, C]."""
        longest = longest or max(self.lengths)
        frames = torch.zeros(len(self.lengths), longest, self.frames.shape[1])
        hidden = torch.zeros(len(self.lengths), longest, dtype=torch.bool)
        valid = torch.arange(longest) < torch.tensor(self.lengths)[:, None]
        for i, (f, h) in enumerate(zip(self.frames.split(self.lengths), self.hidden.split(self.lengths))):
            frames[i, : len(f)] = f
            hidden[i, : len(h)] = h
        return frames * ~hidden[:, :, None], valid, hidden, frames


class Data:
    """The file of step_data."""

    def __init__(self, path):
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            self.encoder = json.loads(file.metadata()["encoder"])
        self.lengths = tensors.pop("lengths").tolist()
        per_batch = [sum(lengths) for lengths in self.lengths]
        self.frames = tensors.pop("frames").split(per_batch)
        self.hidden = tensors.pop("hidden").bool().split(per_batch)
        self.weights = tensors

    def batch(self, step):
        i = step % len(self.lengths)
        return Batch(self.frames[i], self.hidden[i], self.lengths[i])


def sinusoidal(frames, width):
    """Positions as in Vaswani et al., section 3.5: [T, D]."""
    angle = torch.arange(frames)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    return torch.stack([angle.sin(), angle.cos()], dim=2).reshape(frames, width)


class Padded(nn.Module):
    """The encoder as PyTorch has it, over padded batches."""

    def __init__(self, c, dropout):
        super().__init__()
        d = c["model_dim"]
        self.input = nn.Linear(c["columns"], d)
        layer = nn.TransformerEncoderLayer(
            d, c["heads"], c["feedforward_dim"], dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, c["layers"], norm=nn.LayerNorm(d), enable_nested_tensor=False)
        self.reconstruction = nn.Linear(d, c["columns"])
        self.register_buffer("positions", sinusoidal(c["max_frames"], d), persistent=False)

    def encode(self, x, valid):
        h = self.input(x) + self.positions[: x.shape[1]]
        return self.encoder(h, src_key_padding_mask=~valid)


class PaddedTask:
    """Recipes eager, compile, reduce-overhead."""

    clip_norm = 1.0

    def __init__(self, data, dropout, device, mode):
        self.model = Padded(data.encoder, dropout)
        self.model.load_state_dict(data.weights)
        self.model.to(device)
        modes = {"eager": None, "compile": "default", "reduce-overhead": "reduce-overhead"}
        self.encode = self.model.encode
        if modes[mode]:
            self.encode = torch.compile(self.encode, mode=modes[mode])
        self.device = device

    def loss(self, batch):
        x, valid, hidden, frames = (t.to(self.device) for t in batch.padded())
        h = self.encode(x, valid)
        return F.smooth_l1_loss(self.model.reconstruction(h[hidden]).float(), frames[hidden])


class PackedTask:
    """Recipe packed: the same weights, no padding anywhere."""

    clip_norm = 1.0

    def __init__(self, data, dropout, device):
        self.model = Padded(data.encoder, dropout)
        self.model.load_state_dict(data.weights)
        self.model.to(device)
        self.heads, self.dropout, self.device = data.encoder["heads"], dropout, device

    def attend(self, layer, x, groups):
        n, d = x.shape
        qkv = F.linear(x, layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias)
        out = torch.empty_like(qkv[:, :d])
        for length, rows in groups:
            q, k, v = qkv[rows].view(-1, length, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
            y = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout)
            out = out.index_copy(0, rows, y.transpose(1, 2).reshape(-1, d))
        return layer.self_attn.out_proj(out)

    def loss(self, batch):
        m = self.model
        starts = torch.tensor([0] + batch.lengths).cumsum(0)[:-1]
        groups = []
        for length in sorted(set(batch.lengths)):
            of_length = torch.tensor([n == length for n in batch.lengths])
            groups.append((length, (starts[of_length][:, None] + torch.arange(length)).flatten().to(self.device)))
        places = torch.cat([torch.arange(n) for n in batch.lengths]).to(self.device)
        frames, hidden = batch.frames.to(self.device), batch.hidden.to(self.device)
        x = m.input(frames * ~hidden[:, None]) + m.positions[places]
        for layer in m.encoder.layers:
            x = x + layer.dropout1(self.attend(layer, layer.norm1(x), groups))
            inner = layer.dropout(F.gelu(layer.linear1(layer.norm2(x))))
            x = x + layer.dropout2(layer.linear2(inner))
        h = m.encoder.norm(x)
        return F.smooth_l1_loss(m.reconstruction(h[hidden]).float(), frames[hidden])


class MvtsLayer(nn.Module):
    """Post-norm, with batch norm over all frames of a batch; frames first, then segments."""

    def __init__(self, d, heads, inner, p):
        super().__init__()
        self.attention = nn.MultiheadAttention(d, heads, dropout=p)
        self.first, self.second = nn.Linear(d, inner), nn.Linear(inner, d)
        self.norms = nn.ModuleList([nn.BatchNorm1d(d), nn.BatchNorm1d(d)])
        self.drop = nn.Dropout(p)

    def normed(self, i, x):
        return self.norms[i](x.permute(1, 2, 0)).permute(2, 0, 1)

    def forward(self, x, padding):
        # Weights are asked for, as there: attention is computed step by step.
        x = self.normed(0, x + self.drop(self.attention(x, x, x, key_padding_mask=padding)[0]))
        return self.normed(1, x + self.drop(self.second(self.drop(F.gelu(self.first(x))))))


class Mvts(nn.Module):
    """Its encoder for imputation."""

    def __init__(self, c, dropout):
        super().__init__()
        self.d = c["model_dim"]
        self.input = nn.Linear(c["columns"], self.d)
        self.positions = nn.Parameter(torch.empty(c["max_frames"], 1, self.d).uniform_(-0.02, 0.02))
        self.layers = nn.ModuleList(
            [MvtsLayer(self.d, c["heads"], c["feedforward_dim"], dropout) for _ in range(c["layers"])]
        )
        self.output = nn.Linear(self.d, c["columns"])
        self.drop = nn.Dropout(dropout)

    def forward(self, x, valid):
        h = self.drop(self.input(x.transpose(0, 1)) * math.sqrt(self.d) + self.positions[: x.shape[1]])
        for layer in self.layers:
            h = layer(h, ~valid)
        return self.output(self.drop(F.gelu(h).transpose(0, 1)))


class MvtsTask:
    """Recipe mvts. The frames to hide are those of the file, not drawn column by column in Python as there."""

    clip_norm = 4.0

    def __init__(self, data, dropout, device):
        self.model = Mvts(data.encoder, dropout).to(device)
        self.longest, self.device = data.encoder["max_frames"], device

    def loss(self, batch):
        x, valid, hidden, frames = (t.to(self.device) for t in batch.padded(self.longest))
        mask = (hidden & valid)[:, :, None].expand_as(frames)
        y = self.model(x, valid).float()
        return F.mse_loss(torch.masked_select(y, mask), torch.masked_select(frames, mask))


def task(recipe, data, dropout, device):
    if recipe == "mvts":
        return MvtsTask(data, dropout, device)
    if recipe == "packed":
        return PackedTask(data, dropout, device)
    return PaddedTask(data, dropout, device, recipe)


def optimiser(recipe, parameters):
    parameters = list(parameters)
    if recipe == "mvts":
        return torch.optim.RAdam(parameters, lr=1e-3)
    # Matrices decay; biases and norms do not.
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.01},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", required=True)
    arguments.add_argument("--recipe", choices=["eager", "compile", "reduce-overhead", "packed", "mvts"], default="eager")
    arguments.add_argument("--precision", choices=["fp32", "medium", "bf16"], default="fp32")
    arguments.add_argument("--dropout", type=float, default=0.1)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--warmup", type=int, default=1)
    arguments.add_argument("--steps", type=int, default=4)
    arguments.add_argument("--device", default="cpu")
    a = arguments.parse_args()

    if a.device.startswith("cuda") and not torch.cuda.is_available():
        for name in ("rate", "loss"):
            print(json.dumps({"name": name, "skipped": "no CUDA device on this machine"}))
        return
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    if a.precision != "fp32":
        torch.set_float32_matmul_precision("medium")
    device = torch.device(a.device)
    data = Data(a.data)
    model_task = task(a.recipe, data, a.dropout, device)
    model_task.model.train()
    parameters = list(model_task.model.parameters())
    adam = optimiser(a.recipe, parameters)
    autocast = torch.autocast(device.type, dtype=torch.bfloat16, enabled=a.precision == "bf16")

    losses, frames, seconds = [], 0, 0.0
    for step in range(a.warmup + a.steps):
        began = time.perf_counter()
        batch = data.batch(step)
        with autocast:
            loss = model_task.loss(batch)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, model_task.clip_norm)
        adam.step()
        # Reading the loss waits for a graphics card.
        losses.append(loss.item())
        if step >= a.warmup:
            seconds += time.perf_counter() - began
            frames += sum(batch.lengths)
        print(f"step {step}: loss {losses[-1]:.5f}, {time.perf_counter() - began:.2f} s", file=sys.stderr)

    more = {"recipe": a.recipe, "precision": a.precision, "dropout": a.dropout, "threads": a.threads, "steps": a.steps}
    unit = "mean squared error" if a.recipe == "mvts" else "smooth L1"
    last = losses[-20:]
    print(json.dumps({"name": "rate", "value": frames / seconds, "unit": "valid frames/s", "more": more}))
    rounded = {"losses": [float(f"{x:.6g}") for x in losses]}
    print(json.dumps({"name": "loss", "value": sum(last) / len(last), "unit": unit, "more": rounded}))


if __name__ == "__main__":
    main()
