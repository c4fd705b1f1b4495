"""A trained model of mosei-ssl, encoder and heads, in plain PyTorch: pip install torch numpy safetensors"""
import json, math
from pathlib import Path
import torch
from safetensors.torch import load_file
from torch import nn

def statistics(x):  # [T, K] -> mean and deviation over frames: [2 K]
    return torch.cat([x.mean(0), (x.var(0, unbiased=False) + 1e-6).sqrt()])

class Model:
    def __init__(self, folder):
        read = lambda name: json.loads((Path(folder) / name).read_text())
        self.c, self.heads = read("encoder/config.json"), read("heads.json")
        assert self.heads["heads"].get("layers", "last") == "last" and self.heads["heads"]["pooling"] != "attention", "not in this example"
        self.w, self.h = (load_file(Path(folder) / name) for name in ("encoder/model.safetensors", "heads.safetensors"))
        c, d = self.c, self.c["model_dim"]
        layer = nn.TransformerEncoderLayer(d, c["heads"], c["feedforward_dim"], 0, c["activation"], batch_first=True, norm_first=c["norm_first"])
        self.encoder = nn.TransformerEncoder(layer, c["layers"], nn.LayerNorm(d) if c["norm_first"] else None, enable_nested_tensor=False).eval()
        self.encoder.load_state_dict({k.removeprefix("encoder."): v for k, v in self.w.items() if k.startswith("encoder.")})
        t = torch.arange(c["max_frames"])[:, None] * torch.exp(torch.arange(0, d, 2) * (-math.log(10000) / d))
        self.positions = self.w["positions"] if c["positions"] == "learned" else torch.stack([t.sin(), t.cos()], 2).flatten(1)

    @torch.no_grad()
    def __call__(self, raw, columns):  # [T, all columns], their names -> probability and intensity of each emotion
        c, h, settings = self.c, self.h, self.heads["heads"]
        x = raw[:, [columns.index(name) for name in c["columns"]]].double()
        x = ((x - torch.tensor(c["mean"]).double()) / torch.tensor(c["std"]).double()).clamp(-c["clip"], c["clip"]).nan_to_num(0).float()
        y = self.encoder((x @ self.w["input.weight"].T + self.w["input.bias"] + self.positions[: len(x)])[None])[0]
        p = statistics(y) if settings["pooling"] == "mean-deviation" else y.mean(0)
        p = torch.cat([p, statistics(x)]) if settings.get("input_statistics") else p
        p = (p - h["pooled.mean"]) / h["pooled.deviation"] if settings.get("standardise") else p
        return (p @ h["presence.weight"].T + h["presence.bias"]).sigmoid(), (p @ h["intensity.weight"].T + h["intensity.bias"]).clamp(0, 3)
