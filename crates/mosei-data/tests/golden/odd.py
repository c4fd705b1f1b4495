"""Makes `odd.csd` beside this script: each of its videos is wrong in its own way, and `tests/catalogue` takes one of them at a
time. Needs h5py and numpy.

usage: python odd.py
"""
import os
from pathlib import Path

import h5py
import numpy as np

os.chdir(Path(__file__).parent)
PATH = "odd.csd"
ROWS = 10
times = np.array([[k, k + 1] for k in range(ROWS)], dtype="f8")
numbers = np.arange(ROWS * 2, dtype="f4").reshape(ROWS, 2)
stored = []


def video(name, features=numbers, intervals=times, **options):
    group = data.create_group(name)
    for member, values in (("features", features), ("intervals", intervals)):
        if values is not None:
            group.create_dataset(member, data=values, track_times=False, **(options if member == "features" else {}))
    return group


def typed(name, dtype, shape=(ROWS, 2), member="features", **options):
    """A video with a dataset of some type and shape, never written."""
    group = video(name, **{member: None})
    group.create_dataset(member, shape=shape, dtype=dtype, track_times=False, **options)
    return group


with h5py.File(PATH, "w", libver="earliest") as f:
    data = f.create_group("Odd/data")
    # Types.
    typed("fixed_text", "S8")
    typed("variable_text", h5py.string_dtype())
    typed("compound", np.dtype([("a", "f4"), ("b", "i4")]))
    typed("complex", "c8")
    typed("opaque", "V16")
    typed("enumeration", h5py.enum_dtype({"RED": 0, "GREEN": 1}))
    typed("booleans", "?")
    typed("arrays", np.dtype(("f4", (3,))))
    typed("references", h5py.ref_dtype)
    typed("regions", h5py.regionref_dtype)
    typed("lists", h5py.vlen_dtype(np.dtype("f4")))
    bits = video("bit_fields", features=None)
    h5py.h5d.create(bits.id, b"features", h5py.h5t.STD_B32LE, h5py.h5s.create_simple((ROWS, 2)))
    typed("text_intervals", "S8", member="intervals")
    typed("compound_intervals", np.dtype([("start", "f8"), ("end", "f8")]), (ROWS,), member="intervals")
    # Shapes.
    typed("scalar", "f4", ())
    h5py.h5d.create(video("null", features=None).id, b"features", h5py.h5t.IEEE_F32LE, h5py.h5s.create(h5py.h5s.NULL))
    typed("one_dimension", "f4", (ROWS * 2,))
    typed("three_dimensions", "f4", (ROWS, 2, 1))
    typed("thirty_two_dimensions", "f4", (1,) * 32)
    typed("no_columns", "f4", (ROWS, 0))
    typed("a_million_columns", "f4", (ROWS, 10**6), chunks=(1, 1024))
    typed("one_column_too_many", "f4", (ROWS, 2**14 + 1))
    typed("huge", "f4", (2**40, 2), chunks=(1024, 2))
    typed("huger", "f4", (2**62, 4), chunks=(1024, 2))
    typed("larger_than_its_file", "f4", (2**24, 2), chunks=(1024, 2))
    typed("one_row_less", "f4", (ROWS - 1, 2))
    typed("flat_intervals", "f8", (ROWS,), member="intervals")
    typed("one_time", "f8", (ROWS, 1), member="intervals")
    typed("three_times", "f8", (ROWS, 3), member="intervals")
    typed("one_interval_more", "f8", (ROWS + 1, 2), member="intervals")
    typed("huge_intervals", "f8", (2**50, 2), member="intervals", chunks=(1024, 2))
    # Members.
    video("no_features", features=None)
    video("no_intervals", intervals=None)
    video("nothing", features=None, intervals=None)
    video("group_for_features", features=None).create_group("features")
    video("group_for_intervals", intervals=None).create_group("intervals")
    video("type_for_features", features=None)["features"] = np.dtype("f4")
    video("other_names", features=None).create_dataset("Features", data=numbers, track_times=False)
    data.create_dataset("dataset", data=numbers, track_times=False)
    data["type"] = np.dtype("f4")
    loop = video("loop", features=None)
    loop["features"] = loop
    video("looped_up", features=None)["features"] = f["/"]
    # Elsewhere.
    video("soft_link", features=None)["features"] = h5py.SoftLink("/Odd/data/scalar/features")
    video("soft_link_to_nowhere", features=None)["features"] = h5py.SoftLink("/nowhere")
    video("soft_link_up", features=None)["features"] = h5py.SoftLink("../../../../etc/passwd")
    video("soft_link_intervals", intervals=None)["intervals"] = h5py.SoftLink("/Odd/data/huge/intervals")
    video("external_link", features=None)["features"] = h5py.ExternalLink("other.csd", "/F/data/a/features")
    video("external_link_out", features=None)["features"] = h5py.ExternalLink("../../etc/passwd", "/")
    video("external_link_to_itself", features=None)["features"] = h5py.ExternalLink(PATH, "/Odd/data/huge/intervals")
    data["soft_linked_video"] = h5py.SoftLink("/Odd/data/scalar")
    data["external_linked_video"] = h5py.ExternalLink("other.csd", "/F/data/a")
    typed("external_storage", "f4", external=[("/etc/passwd", 0, 80)])
    typed("external_storage_beside", "f4", external=[("raw.bin", 0, 80)])
    typed("external_intervals", "f8", external=[("raw.bin", 0, 160)], member="intervals")
    layout = h5py.VirtualLayout((ROWS, 2), "f4")
    layout[:] = h5py.VirtualSource("other.csd", "/F/data/a/features", (ROWS, 2))
    video("virtual", features=None).create_virtual_dataset("features", layout)
    # Stored values.
    for name, options in [
        ("damaged_deflate", {"compression": "gzip"}),
        ("damaged_shuffled_deflate", {"compression": "gzip", "shuffle": True}),
        ("wrong_sum", {"fletcher32": True}),
        ("wrong_sum_after_deflate", {"compression": "gzip", "fletcher32": True}),
        ("damaged_lzf", {"compression": "lzf"}),
    ]:
        video(name, np.tile(numbers, (1, 40)), chunks=(ROWS, 80), **options)
        stored.append(name)
    for name in ("unknown_filter", "reserved_filter"):
        video(name, chunks=(ROWS, 2), compression="gzip")

with h5py.File(PATH) as f:
    damaged = [f[f"Odd/data/{name}/features"].id.get_chunk_info(0) for name in stored]

with open(PATH, "r+b") as f:
    content = bytearray(f.read())
    for chunk in damaged:
        for at in range(chunk.byte_offset + chunk.size // 3, chunk.byte_offset + chunk.size // 3 + 4):
            content[at] ^= 0x55
    # The number of a filter stands 8 bytes before its name.
    names = [i for i in range(len(content)) if content[i : i + 8] == b"deflate\0"]
    for at, number in zip(names[-2:], (0x7777, 0)):
        content[at - 8 : at - 6] = number.to_bytes(2, "little")
    f.seek(0)
    f.write(content)
