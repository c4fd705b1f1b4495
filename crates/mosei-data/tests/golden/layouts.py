"""Makes `layouts.csd` and `layouts_latest.csd` beside this script: one matrix in every way HDF5 stores one. Needs h5py and numpy.

usage: python layouts.py
Each video holds the same 50 x 7 features and 50 x 2 intervals, which `tests/layouts.rs` computes for itself; in videos
whose name ends in `_filled` the rows from 40 on, of the contiguous one all rows, were never written and have the fill
value -4. The first file begins
with a user block of 512 bytes and has the oldest structures, the second one the newest. Names that begin with `own_` are
those that need no help of HDF5's.
"""
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
r, c = np.mgrid[0:50, 0:7]
X = ((r * 37 + c * 11) % 101) / 4 - 5
X[3, 2], X[4, 2], X[5, 5], X[6, 6] = np.nan, -np.inf, np.inf, -0.0
T = np.stack([np.arange(50) / 4, np.arange(1, 51) / 4], 1)
gzip, shuffle, sums = {"compression": "gzip"}, {"shuffle": True}, {"fletcher32": True}
chunked = {"chunks": (16, 3)}
usual = {
    "own_contiguous": {},
    "own_chunked": chunked,
    "own_gzip": gzip | chunked,
    "own_gzip9_guessed": gzip | {"compression_opts": 9, "chunks": True},
    "own_shuffle": shuffle | chunked,
    "own_gzip_shuffle": gzip | shuffle | chunked,
    "own_gzip_shuffle_fletcher32": gzip | shuffle | sums | chunked,
    "own_fletcher32": sums | {"chunks": (7, 2)},
    "own_gzip_one_chunk": gzip | {"chunks": (50, 7)},
    "own_gzip_larger_chunk": gzip | {"chunks": (64, 9), "maxshape": (None, None)},
    "own_gzip_growing": gzip | {"chunks": (16, 7), "maxshape": (None, 7)},
    "contiguous_filled": {"fillvalue": -4},
    "gzip_filled": gzip | {"chunks": (10, 7), "fillvalue": -4},
    "chunked_filled": {"chunks": (10, 4), "fillvalue": -4},
    "gzip_double": gzip | chunked | {"dtype": "<f8"},
    "gzip_big_endian": gzip | shuffle | chunked | {"dtype": ">f4"},
    "contiguous_half": {"dtype": "<f2"},
}


def plist(change):
    p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    change(p)
    return p


def compact(p):
    p.set_layout(h5py.h5d.COMPACT)


def order(*filters):
    def change(p):
        p.set_chunk((16, 3))
        for f in filters:
            getattr(p, f"set_{f}")(*([4] if f == "deflate" else []))

    return change


special = {  # name: what is set before the dataset is made
    "compact": compact,
    "own_sums_before_gzip": order("fletcher32", "deflate"),
    "own_gzip_before_shuffle": order("deflate", "shuffle"),
    "gzip_twice": order("deflate", "deflate"),
}


def write(name, videos, special, **how):
    with h5py.File(HERE / name, "w", **how) as h:
        for vid, how in videos.items():
            g = h.create_group(f"Layouts/data/{vid}")
            d = g.create_dataset("features", (50, 7), **({"dtype": "<f4"} | how))
            if not vid.endswith("_filled"):
                d[...] = X
            elif "chunks" in how:
                d[:40] = X[:40]
            g.create_dataset("intervals", data=T, dtype="<f8", **{k: v for k, v in how.items() if k in ("compression", "shuffle", "fletcher32")})
        for vid, change in special.items():
            g = h.create_group(f"Layouts/data/{vid}")
            space = h5py.h5s.create_simple((50, 7))
            d = h5py.h5d.create(g.id, b"features", h5py.h5t.IEEE_F32LE, space, plist(change))
            d.write(h5py.h5s.ALL, h5py.h5s.ALL, X.astype("<f4"))
            g.create_dataset("intervals", data=T, dtype="<f8")
        # One chunk of twelve that its filter was left out of, as HDF5 marks those where a filter fails.
        g = h.create_group("Layouts/data/own_gzip_left_out")
        d = g.create_dataset("features", data=X, dtype="<f4", **gzip, **chunked)
        d.id.write_direct_chunk((16, 3), np.ascontiguousarray(X[16:32, 3:6], "<f4").tobytes(), filter_mask=1)
        g.create_dataset("intervals", data=T, dtype="<f8")


write("layouts.csd", usual, special, libver="earliest", userblock_size=512)
write("layouts_latest.csd", usual, special, libver="latest")
