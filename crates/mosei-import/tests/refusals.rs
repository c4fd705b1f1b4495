//! Invalid tables, each with its exact error: file, place, expected, found and what to do. None
//! leaves any output.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_import::{ImportError, ImportOptions, import};
use std::collections::BTreeSet;
use std::path::Path;

const FRAMES: &str = "video,start,end,F0\na,0,0.1,1\na,0.1,0.2,2\nb,0,0.1,3\nb,0.1,0.2,4\n";
const LABELS: &str = "video,happy,sad\na,3,0\nb,0,1.5\n";

/// An invalid import: what is wrong, files added to or replacing `f.csv` and `l.csv`, the command
/// line, and the error.
type Case = (
    &'static str,
    &'static [(&'static str, &'static [u8])],
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("no features", &[("f.csv", b"")], "",
     "f.csv: line 1: expected the names of the columns, found an empty line"),
    ("an empty first line", &[("f.csv", b"\n\n")], "",
     "f.csv: line 1: expected the names of the columns, found an empty line"),
    ("no frames", &[("f.csv", b"video,start,end,F0\n")], "",
     "f.csv: expected at least one frame, found none"),
    ("UTF-16, as spreadsheets save it", &[("f.csv", b"\xff\xfev\0i\0d\0e\0o\0,\0s\0t\0a\0r\0t\0,\0F\x000\0\n\0a\0,\x000\0,\x001\0\n\0")], "",
     "f.csv: line 1: expected UTF-8 text with one row per line (CSV or TSV), found other bytes (UTF-16, or not text)"),
    ("text that is not UTF-8", &[("f.csv", b"video,start,end,F0\na,0,0.1,1\n\xff,0,0.1,1\n")], "",
     "f.csv: line 3: expected UTF-8 text with one row per line (CSV or TSV), found bytes that are not UTF-8"),
    ("a column without a name", &[("f.csv", b"video,start,,F0\na,0,1,1\n")], "",
     "f.csv: header: expected a unique name for each column, found none for column 3"),
    ("a column twice", &[("f.csv", b"video,start,F0,F0\na,0,1,1\n")], "",
     "f.csv: header: expected a unique name for each column, found 'F0' twice"),
    ("no recording", &[("f.csv", b"start,end,F0\n0,1,1\n")], "",
     "f.csv: header: expected a column with the recording of each frame ('video', 'file', 'name' or 'id', or a [features] video in a mapping file), found the columns 'start', 'end', 'F0'"),
    ("no feature", &[("f.csv", b"video,start,end\na,0,1\n")], "",
     "f.csv: header: expected at least one column with a feature, found the columns 'video', 'start', 'end'"),
    ("no times", &[("f.csv", b"video,F0\na,1\n")], "",
     "f.csv: header: expected a column with the time of each frame ('start', or a [features] start in a mapping file), or --rate, found neither: the columns 'video', 'F0'"),
    ("a row that is short", &[("f.csv", b"video,start,end,F0\na,0,0.1,1\na,0.1,0.2\n")], "",
     "f.csv: line 3: expected 4 cells, as in the header, found 3 cells"),
    ("a row that is long", &[("f.csv", b"video,start,end,F0\na,0,0.1,1,1\n")], "",
     "f.csv: line 2: expected 4 cells, as in the header, found 5 cells"),
    ("a feature that is a word", &[("f.csv", b"video,start,end,F0\na,0,0.1,loud\n")], "",
     "f.csv: line 2, column 'F0': expected a number, found \"loud\"; if the column is not a feature, list it under 'ignore' in [features] of a mapping file"),
    ("a decimal comma", &[("f.csv", b"video;start;end;F0\na;0,0;0,1;1,5\n")], "",
     "f.csv: line 2, column 'start': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found \"0,0\"; use a decimal point, not a comma"),
    ("a feature with a comma", &[("f.csv", b"video;start;end;F0\na;0.0;0.1;1,5\n")], "",
     "f.csv: line 2, column 'F0': expected a number, found \"1,5\"; use a decimal point, not a comma"),
    ("a start that is a word", &[("f.csv", b"video,start,end,F0\na,soon,0.1,1\n")], "",
     "f.csv: line 2, column 'start': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found \"soon\""),
    ("no start", &[("f.csv", b"video,start,end,F0\na,,0.1,1\n")], "",
     "f.csv: line 2, column 'start': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found nothing"),
    ("a start that is too large", &[("f.csv", b"video,start,end,F0\na,1e9,2e9,1\n")], "",
     "f.csv: line 2, column 'start': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found \"1e9\""),
    ("an end before its start", &[("f.csv", b"video,start,end,F0\na,0.2,0.1,1\n")], "",
     "f.csv: line 2, column 'end': expected an end after the start (0.2 s), found \"0.1\""),
    ("an end that is a word", &[("f.csv", b"video,start,end,F0\na,0,late,1\n")], "",
     "f.csv: line 2, column 'end': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found \"late\""),
    ("a frame twice", &[("f.csv", b"video,start,end,F0\na,0,0.1,1\na,0,0.1,1\n")], "",
     "f.csv: line 3, column 'start': expected a later time than that of the previous frame of 'a' (0 s), found \"0\"; segments of one recording that have frames of their own need a column 'segment'"),
    ("a frame out of order", &[("f.csv", b"video,start,end,F0\na,0,0.1,1\na,0.2,0.3,1\nb,0,0.1,1\na,0.1,0.2,1\n")], "",
     "f.csv: line 5, column 'start': expected the frames of 'a' in order of time, or in stretches that do not overlap, found a start at 0.1 s after one at 0.2 s; segments of one recording that have frames of their own need a column 'segment'"),
    ("no name in a row", &[("f.csv", b"video,start,end,F0\n,0,0.1,1\n")], "",
     "f.csv: line 2, column 'video': expected the name of a recording, found nothing"),
    ("names that are not ids", &[("f.csv", b"video,start,end,F0\n..,0,0.1,1\n..,0.1,0.2,1\n"), ("l2.csv", b"video,sad\n..,1\n")], "--labels l2.csv",
     "l2.csv: 'ids of videos': expected a video id (1 to 200 bytes; no '/' or '\\', no control or invisible characters, no space at an end; not '.' or '..'), found \"..\""),
    ("two files with one name", &[("f.csv", b"file,start,end,F0\nx/a.wav,0,0.1,1\ny/a.wav,0,0.1,1\n")], "",
     "f.csv: line 3: expected file names that differ without folder and extension, found 'x/a.wav' and 'y/a.wav', both 'a'; see [ids] in docs/your-data.md"),
    ("one frame of unknown length", &[("f.csv", b"video,start,F0\na,0,1\nb,0,1\n")], "",
     "f.csv: 'a': expected at least two frames, a column 'end', or --rate, found one frame without an end"),
    ("frame numbers without a rate", &[("f.csv", b"video,frame,F0\na,0,1\n")], "",
     "f.csv: header: expected a column with the time of each frame ('start', or a [features] start in a mapping file), or --rate, found neither: the columns 'video', 'frame', 'F0'"),
    ("a fractional frame number", &[("f.csv", b"video,frame,F0\na,0.5,1\n")], "--rate 100",
     "f.csv: line 2, column 'frame': expected the number of a frame, from 0, found \"0.5\""),
    ("a frame number twice", &[("f.csv", b"video,frame,F0\na,1,1\na,1,1\n")], "--rate 100",
     "f.csv: line 3, column 'frame': expected a later time than that of the previous frame of 'a' (0.01 s), found \"1\"; segments of one recording that have frames of their own need a column 'segment'"),
    ("a rate of 0", &[], "--rate 0",
     "frame rate: expected a number above 0, at most 1000000, found 0"),
    ("a rate that is not a number", &[], "--rate NaN",
     "frame rate: expected a number above 0, at most 1000000, found NaN"),
    ("no file of features", &[], "--features nothing.csv",
     "failed to open nothing.csv"),
    ("an unknown extension", &[("f.xyz", b"a")], "--features f.xyz",
     "f.xyz: expected a Parquet, CSV, TSV, JSONL, ARFF, HDF5, .npz, .mat or pickle file, or a folder of .npy, .npz, .mat, .csv, .jsonl, .arff or .parquet files, found a file with extension '.xyz'; give its format with --format"),
    ("no extension", &[("feats", b"a")], "--features feats",
     "feats: expected a Parquet, CSV, TSV, JSONL, ARFF, HDF5, .npz, .mat or pickle file, or a folder of .npy, .npz, .mat, .csv, .jsonl, .arff or .parquet files, found a file without an extension; give its format with --format"),
    ("a spreadsheet", &[("f.xlsx", b"PK\x03\x04aaaa")], "--features f.xlsx",
     "f.xlsx: expected a Parquet, CSV, TSV, JSONL, ARFF, HDF5, .npz, .mat or pickle file, or a folder of .npy, .npz, .mat, .csv, .jsonl, .arff or .parquet files, found a ZIP archive (.xlsx?): save .csv files from it"),
    ("a file named as Parquet", &[("f.parquet", b"PAR1 and no more")], "--features f.parquet",
     "f.parquet: expected a Parquet file"),
    ("a file declared as Parquet", &[], "--format parquet",
     "f.csv: expected a Parquet file"),
    ("HDF5 by name alone", &[("f.h5", b"none")], "--features f.h5",
     "f.h5: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("a truncated HDF5 file", &[("f.h5", b"\x89HDF\r\n\x1a\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")], "--features f.h5",
     "f.h5: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("a pickle", &[("f.pkl", b"x")], "--features f.pkl",
     "f.pkl: byte 0: expected an opcode whose bytes are all there: 2 more, found 1, and the end of the pickle"),
    ("a pickle under another name", &[("f.csv", b"\x80\x04\x95\0")], "",
     "f.csv: byte 2: expected an opcode whose bytes are all there: 8 more, found 1, and the end of the pickle"),
    ("a file of torch.save", &[("f.bin", b"PK\x03\x04\0\0\0\0archive/data.pkl")], "--features f.bin",
     "f.bin: expected an archive as torch.save writes it"),
    ("labels that are a pickle", &[("l.p", b"x")], "--labels l.p",
     "l.p: byte 0: expected an opcode whose bytes are all there: 2 more, found 1, and the end of the pickle"),
    ("a folder of pickles", &[("d/a.pkl", b"x")], "--features d",
     "d/a.pkl: expected a table or an array, found a pickle by its extension: see 'Pickles' in docs/your-data.md for those that are read"),
    ("a pickle declared as CSV", &[("f.dat", b"\x80\x05.")], "--features f.dat --format csv",
     "f.dat: expected a table or an array, found a pickle by its first bytes: see 'Pickles' in docs/your-data.md for those that are read"),
    ("an empty folder", &[("d/.hidden", b"x")], "--features d",
     "d: expected a Parquet, CSV, TSV, JSONL, ARFF, HDF5, .npz, .mat or pickle file, or a folder of .npy, .npz, .mat, .csv, .jsonl, .arff or .parquet files, found a folder without such a file"),
    ("a folder with two formats", &[("d/a.csv", b"F0\n1\n"), ("d/b.npy", b"x")], "--features d --rate 100",
     "d: expected files of one format, found csv and npy files; choose one with --format"),
    ("a folder of text without a rate", &[("d/a.csv", b"F0\n1\n")], "--features d",
     "d/a.csv: header: expected a column with the time of each frame ('start', or a [features] start in a mapping file), or --rate, found neither: the columns 'F0'"),
    ("a folder without the declared format", &[("d/a.csv", b"F0\n1\n")], "--features d --format npy",
     "d: expected npy files, found none"),
    ("tables named in two ways", &[("d/a.csv", b"video,start,F0\nx,0,1\nx,1,2\n"), ("d/b.csv", b"video,start,F0\ny,0,1\n")], "--features d",
     "d: expected one name for each recording, found 'x' in the file of 'a'; name the column as video in [features] of a mapping file where it counts, or under 'ignore' where the file does"),
    ("a table of a folder with two recordings", &[("d/a.csv", b"video,start,F0\na,0,1\na,1,2\nb,0,2\n")], "--features d",
     "d/a.csv: line 4, column 'video': expected 'a' in all rows, as the file holds one recording, found \"b\"; name the column as video in [features] of a mapping file where the files of the folder hold several"),
    ("tables of different widths", &[("d/a.csv", b"F0\n1\n"), ("d/b.csv", b"F0,F1\n1,2\n")], "--features d --rate 100",
     "d/b.csv: header: expected 1 feature columns, as in 'a', found 2"),
    ("tables of different columns", &[("d/a.csv", b"F0\n1\n"), ("d/b.csv", b"F1\n1\n")], "--features d --rate 100",
     "d/b.csv: header: expected column 'F0', as in d/a.csv, found 'F1'"),
    ("arrays without a rate", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }          \n\0\0\0\0")], "--features d",
     "d: expected --rate with the frame rate, as arrays hold no times, found none"),
    ("an array file of another format", &[("d/a.npy", b"nothing but text")], "--features d --rate 9",
     "d/a.npy: header: expected a NumPy array (.npy), found another format"),
    ("an array of three dimensions", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 1), }       \n\0\0\0\0")], "--features d --rate 9",
     "d/a.npy: shape: expected an array [frames, columns] or [frames], found [2, 1, 1]"),
    ("an array of objects", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '|O', 'fortran_order': False, 'shape': (1, 1), }           \n\x80\x04")], "--features d --rate 9",
     "d/a.npy: expected a table or an array, found an array of Python objects: see 'Pickles' in docs/your-data.md for those that are read"),
    ("an array of text", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<U4', 'fortran_order': False, 'shape': (1, 1), }          \n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")], "--features d --rate 9",
     "d/a.npy: dtype: expected floats, integers or booleans, found '<U4'"),
    ("an array of complex numbers", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1), }          \n\0\0\0\0\0\0\0\0")], "--features d --rate 9",
     "d/a.npy: dtype: expected floats, integers or booleans, found '<c8'"),
    ("a truncated array", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f8', 'fortran_order': False, 'shape': (10, 3), }         \n\0\0\0\0\0\0\0\0")], "--features d --rate 9",
     "d/a.npy: values: expected 240 bytes of values, as its shape needs, found a file of 88 bytes"),
    ("an array of more values than there are", &[("d/a.npy", b"\x93NUMPY\x01\0V\0{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 8), }        \n\0\0\0\0\0\0\0\0")], "--features d --rate 9",
     "d/a.npy: header: expected a NumPy array (.npy), found a header with too large a number"),
    ("an array without a frame", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }          \n")], "--features d --rate 9",
     "d/a.npy: shape: expected at least one frame, found none"),
    ("nested brackets", &[("d/a.npy", b"\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((, }    \n")], "--features d --rate 9",
     "d/a.npy: header: expected a NumPy array (.npy), found a header with too many brackets"),
    ("arrays of different widths", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }          \n\0\0\0\0\0\0\0\0"), ("d/b.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }          \n\0\0\0\0\0\0\0\0")], "--features d --rate 9",
     "d/b.npy: header: expected 1 feature columns, as in 'a', found 2"),
    ("too few names of columns", &[("n.txt", b"")], "--columns n.txt",
     "n.txt: expected 1 names, one per line, as many as columns, found 0"),
    ("names of columns twice", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }          \n\0\0\0\0\0\0\0\0"), ("n.txt", b"x\nx\n"), ("l2.csv", b"video,sad\na,1\n")], "--features d --rate 9 --columns n.txt --labels l2.csv",
     "n.txt: expected a unique name for each column, found 'x' twice"),
    ("an archive with another member", &[("f.npz", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")], "--features f.npz --rate 9",
     "f.npz: expected at least one array, found none"),
    ("a .mat file of version 7.3", &[("f.mat", b"MATLAB 7.3 MAT-file, Platform: GLNXA64")], "--features f.mat --rate 9",
     "f.mat: expected a MATLAB file of level 5 (save -v7), found one of version 7.3 (HDF5)"),
    ("a .mat file in Octave's own format", &[("f.mat", b"# Created by Octave 8.4.0\n")], "--features f.mat --rate 9",
     "f.mat: expected a MATLAB file of level 5 (save -v7), found one in Octave's own format"),
    ("axes of no array", &[("m.toml", b"[features]\naxes = [\"frames\", \"bins\"]\n")], "--mapping m.toml",
     "m.toml: key 'features.axes': line 2: expected [\"frames\", \"columns\"], [\"columns\", \"frames\"], [\"frames\"] or [\"columns\"], found [\"frames\", \"bins\"]"),
    ("ARFF without data", &[("f.arff", b"@relation x\n@attribute a numeric\n")], "--features f.arff",
     "f.arff: line 3: expected '@data' after '@attribute' lines, found the end"),
    ("ARFF with a line of another kind", &[("f.arff", b"@relation x\nhello\n")], "--features f.arff",
     "f.arff: line 2: expected '@relation', '@attribute' or '@data', found \"hello\""),
    ("ARFF with an attribute without a type", &[("f.arff", b"@attribute a\n")], "--features f.arff",
     "f.arff: line 1: expected '@attribute NAME TYPE', found \"@attribute a\""),
    ("ARFF with a row that is short", &[("f.arff", b"@attribute name string\n@attribute frameTime numeric\n@attribute F0 numeric\n@data\n'a',0,1\n'a',0.1\n")], "--features f.arff",
     "f.arff: line 6: expected 3 cells, as many as columns, found 2 cells"),
    ("JSON Lines with another key", &[("l.jsonl", b"{\"video\": \"a\", \"sad\": 1}\n\n{\"video\": \"b\", \"sda\": 1}\n")], "--labels l.jsonl",
     "l.jsonl: line 3: expected the keys of the first row, found \"sda\""),
    ("JSON Lines that are no objects", &[("l.jsonl", b"[1]\n")], "--labels l.jsonl",
     "l.jsonl: line 1: expected a JSON object per line, found invalid type: sequence, expected a map at line 1 column 0"),
    ("JSON Lines without a line", &[("l.jsonl", b"\n")], "--labels l.jsonl",
     "l.jsonl: line 1: expected a JSON object per line, found none"),
    ("no labels", &[("l.csv", b"")], "",
     "l.csv: line 1: expected the names of the columns, found an empty line"),
    ("a header alone", &[("l.csv", b"video,happy\n")], "",
     "l.csv: expected at least one labelled segment, found none"),
    ("no recording in the labels", &[("l.csv", b"happy,sad\n1,2\n")], "",
     "l.csv: header: expected a column with the recording of each segment ('video', 'file', 'name' or 'id', or a [labels] video in a mapping file), found the columns 'happy', 'sad'"),
    ("no label", &[("l.csv", b"video,start,end\na,0,1\n")], "",
     "l.csv: header: expected at least one label column (an emotion or another label) beside the columns that identify a segment, found the columns 'video', 'start', 'end'"),
    ("sentiment alone", &[("l.csv", b"video,sentiment\na,1\n")], "",
     "l.csv: header: expected at least one label column (an emotion or another label) beside the columns that identify a segment, found the columns 'video', 'sentiment'; to study sentiment itself, give it a name and a range of its own in [labels] of a mapping file: see 'Sentiment alone' in docs/your-data.md"),
    ("a misspelt emotion", &[("l.csv", b"video,hapy,sad\na,1,1\n")], "",
     "l.csv: header: expected names of labels, found 'hapy'; did you mean 'happy'? If not, list it under 'columns' in [labels] of a mapping file"),
    ("a swapped emotion", &[("l.csv", b"video,happy,fera\na,1,1\n")], "",
     "l.csv: header: expected names of labels, found 'fera'; did you mean 'fear'? If not, list it under 'columns' in [labels] of a mapping file"),
    ("an emotion twice", &[("l.csv", b"video,happy,Happy\na,1,1\n")], "",
     "l.csv: header: expected a unique name for each label, found 'happy' twice"),
    ("an intensity above 3", &[("l.csv", b"video,happy\na,4\n")], "",
     "l.csv: line 2, column 'happy': expected a label in [0, 3], found \"4\"; 'range' in [labels] of a mapping file gives the values for absent and strongest"),
    ("an intensity below 0", &[("l.csv", b"video,happy\na,-0.1\n")], "",
     "l.csv: line 2, column 'happy': expected a label in [0, 3], found \"-0.1\"; 'range' in [labels] of a mapping file gives the values for absent and strongest"),
    ("NaN", &[("l.csv", b"video,happy\na,1\nb,NaN\n")], "",
     "l.csv: line 3, column 'happy': expected a label in [0, 3], found nothing"),
    ("times in microseconds", &[("f.csv", b"video,start,F0\na,0,1\na,10000,2\nb,0,1\nb,10000,1\n")], "",
     "f.csv: 'a': expected frames of at most 3600 s, found 10000 s; are the times in seconds?"),
    ("a label with a reserved name", &[("l.csv", b"video,happy,macro\na,1,1\n")], "",
     "l.csv: header: expected names of labels (visible text of at most 64 bytes, other than macro and micro), found \"macro\""),
    ("infinity", &[("l.csv", b"video,happy\na,inf\n")], "",
     "l.csv: line 2, column 'happy': expected a label in [0, 3], found \"inf\"; 'range' in [labels] of a mapping file gives the values for absent and strongest"),
    ("nothing where a label should be", &[("l.csv", b"video,happy,sad\na,1,\n")], "",
     "l.csv: line 2, column 'sad': expected a label in [0, 3], found nothing"),
    ("a word where a label should be", &[("l.csv", b"video,emotion\na,anger\n")], "",
     "l.csv: line 2, column 'emotion': expected a label in [0, 3], found \"anger\"; if the column is not an intensity, list it under 'ignore' in [labels] of a mapping file, or use it in [labels.category]"),
    ("sentiment out of range", &[("l.csv", b"video,sentiment,happy\na,-4,1\n")], "",
     "l.csv: line 2, column 'sentiment': expected a label in [-3, 3], found \"-4\""),
    ("segments of which one has no times", &[("f.csv", b"id,start,end,F0\nv[0],0,1,1\nv[1],1,2,2\nv[2],2,3,1\n"), ("l.csv", b"video,segment,start,end,sad\nv,0,0,1,1\nv,1,1,2,0\nv,2,,,1\n")], "",
     "l.csv: line 4: expected 'start' and 'end', by which other segments are joined, found segment '2' of 'v' without them"),
    ("a segment twice", &[("l.csv", b"video,happy\na,1\nb,0\na,1\n")], "",
     "l.csv: line 4: expected each segment once, found 'a' also in line 2"),
    ("a numbered segment twice", &[("l.csv", b"video,segment,happy\na,1,1\na,1,0\n")], "",
     "l.csv: line 3: expected each segment once, found segment '1' of 'a' also in line 2"),
    ("an interval twice", &[("l.csv", b"video,start,end,happy\na,0,1,1\na,0,1,2\n")], "",
     "l.csv: line 3: expected each segment once, found 0 to 1 s of 'a' also in line 2"),
    ("an end before the start", &[("l.csv", b"video,start,end,happy\na,1,0.5,1\n")], "",
     "l.csv: line 2, column 'end': expected an end after the start (1 s), found \"0.5\""),
    ("an end at the start", &[("l.csv", b"video,start,end,happy\na,1,1,1\n")], "",
     "l.csv: line 2, column 'end': expected an end after the start (1 s), found \"1\""),
    ("a start without an end", &[("l.csv", b"video,start,happy\na,0,1\n")], "",
     "l.csv: header: expected both 'start' and 'end', or neither, found 'start' without 'end'"),
    ("a start in one cell alone", &[("l.csv", b"video,start,end,happy\na,,1,1\n")], "",
     "l.csv: line 2, column 'start': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found nothing"),
    ("a time that is not a time", &[("l.csv", b"video,start,end,happy\na,0,now,1\n")], "",
     "l.csv: line 2, column 'end': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found \"now\""),
    ("two segments of which one is the whole", &[("l.csv", b"video,segment,happy\na,0,1\na,1,1\n")], "",
     "l.csv: line 3: expected 'start' and 'end' where a recording has several labelled segments, found segment '0' of 'a' and segment '1' of 'a' without them"),
    ("labels of other recordings", &[("l.csv", b"video,happy\nA1,1\nB1,1\n")], "",
     "l.csv: line 2: expected segments of the 2 recordings in f.csv, such as 'a', found 2 segments of others, such as 'A1'; did you mean 'a'?"),
    ("labels of a recording with another name", &[("l.csv", b"video,happy\na.b,1\n")], "",
     "l.csv: line 2: expected segments of the 2 recordings in f.csv, such as 'a', found 1 segments of others, such as 'a.b'"),
    ("two speakers of one recording", &[("l.csv", b"video,start,end,speaker,happy\na,0,0.1,x,1\na,0.1,0.2,y,1\n")], "",
     "l.csv: line 3: expected one speaker for all segments of 'a', found 'y', and 'x' in line 2"),
    ("no speaker in a row", &[("l.csv", b"video,speaker,happy\na,x,1\nb,,1\n")], "",
     "l.csv: line 3, column 'speaker': expected the name of a speaker, found nothing"),
    ("an unknown split", &[("l.csv", b"video,split,happy\na,0,1\n")], "",
     "l.csv: line 2, column 'split': expected train, valid, test or none, found \"0\"; if the column is not a split, list it under 'ignore' in [labels] of a mapping file"),
    ("a video in two splits", &[("l.csv", b"video,start,end,split,happy\na,0,0.1,train,1\na,0.1,0.2,test,1\n")], "",
     "l.csv: line 3: expected all of 'a' in one split, to avoid leakage, found 'a' in 'train' and 'a' in 'test'"),
    ("a speaker in two splits", &[("l.csv", b"video,speaker,split,happy\na,x,train,1\nb,x,test,1\n")], "",
     "l.csv: line 3: expected all of 'x' in one split, to avoid leakage, found 'a' in 'train' and 'b' in 'test'"),
    ("no test", &[("l.csv", b"video,split,happy\na,train,1\nb,valid,1\n")], "",
     "l.csv: test: expected at least one video with features and labels, found none"),
    ("labels in a folder", &[("d/a.csv", b"video,happy\na,1\n")], "--labels d",
     "d: expected a table with one row per labelled segment, found a folder"),
    ("a segment of two names", &[("f.csv", b"video,start,end,F0\na[1],0,0.1,1\na_1,0,0.1,1\n"), ("l.csv", b"video,segment,happy\na,1,1\n")], "",
     "l.csv: line 2: expected one recording for segment '1' of 'a', found 'a[1]' and 'a_1'"),
    ("ids that look alike", &[("f.csv", b"video,start,end,F0\na,0,0.1,1\n\xd0\xb0,0,0.1,1\n"), ("l.csv", b"video,happy\na,1\n\xd0\xb0,1\n")], "",
     "l.csv: 'ids of videos': expected ids that do not look alike, found 'a' and '\\u{430}'"),
    ("a quote that is never closed", &[("l.csv", b"video,happy\n\"a,1\nb,2\n")], "",
     "l.csv: line 2: expected 2 cells, as in the header, found 1 cells"),
    ("not TOML", &[("m.toml", b"labels = [")], "--mapping m.toml",
     "m.toml: key '.': line 1: unclosed array, expected `]`"),
    ("an unknown key", &[("m.toml", b"[labels]\nspeeker = \"x\"\n")], "--mapping m.toml",
     "m.toml: key 'labels.speeker': line 2: unknown field `speeker`, expected one of `video`, `segment`, `unit`, `start`, `end`, `speaker`, `split`, `columns`, `ignore`, `rename`, `range`, `category`, `names`, `missing`, `array`, `clip`; did you mean 'speaker'?"),
    ("an unknown table", &[("m.toml", b"[label]\n")], "--mapping m.toml",
     "m.toml: key 'label': line 1: unknown field `label`, expected one of `ids`, `features`, `labels`; did you mean 'labels'?"),
    ("a key of another type", &[("m.toml", b"[labels]\ncolumns = \"happy\"\n")], "--mapping m.toml",
     "m.toml: key 'labels.columns': line 2: invalid type: string \"happy\", expected a sequence"),
    ("a range the wrong way", &[("m.toml", b"[labels]\nrange = [1, 0]\n")], "--mapping m.toml",
     "m.toml: key 'labels.range': expected two numbers, the smaller one first, found [1, 0]"),
    ("no columns", &[("m.toml", b"[labels]\ncolumns = []\n")], "--mapping m.toml",
     "m.toml: key 'labels.columns': expected at least one column, found none"),
    ("no categories", &[("m.toml", b"[labels.category]\ncolumn = \"e\"\nmeaning = {}\n")], "--mapping m.toml",
     "m.toml: key 'labels.category.meaning': expected at least one category, found none"),
    ("a meaning that is a number", &[("m.toml", b"[labels.category]\ncolumn = \"e\"\nmeaning = { a = 1 }\n")], "--mapping m.toml",
     "m.toml: key 'labels.category.meaning.a': line 3: expected a label, a list of labels, or a table of intensities such as { anger = 2 }"),
    ("an intensity of 4", &[("m.toml", b"[labels.category]\ncolumn = \"e\"\nmeaning = { a = { happy = 4 } }\n")], "--mapping m.toml",
     "m.toml: key 'labels.category': expected intensities from 0 to 3, found 4 for 'happy'"),
    ("a column that is not there", &[("m.toml", b"[labels]\ncolumns = [\"hapy\"]\n")], "--mapping m.toml",
     "l.csv: header: expected a column 'hapy', named by [labels], found the columns 'video', 'happy', 'sad'; did you mean 'happy'?"),
    ("a column of categories that is not there", &[("m.toml", b"[labels.category]\ncolumn = \"emotion\"\nmeaning = { a = \"happy\" }\n")], "--mapping m.toml",
     "l.csv: header: expected a column 'emotion', named by [labels.category], found the columns 'video', 'happy', 'sad'"),
    ("an ignored column that is not there", &[("m.toml", b"[features]\nignore = [\"class\"]\n")], "--mapping m.toml",
     "f.csv: header: expected a column 'class', named by [features] ignore, found the columns 'video', 'start', 'end', 'F0'"),
    ("a renamed column that is not there", &[("m.toml", b"[labels]\nrename = { joy = \"happy\" }\n")], "--mapping m.toml",
     "l.csv: header: expected a column 'joy', named by [labels], found the columns 'video', 'happy', 'sad'"),
    ("an unlisted category", &[("m.toml", b"[labels.category]\ncolumn = \"emotion\"\nmeaning = { neutral = [], angry = \"anger\" }\n"), ("l.csv", b"video,emotion\na,neutral\nb,angy\n")], "--mapping m.toml",
     "l.csv: line 3, column 'emotion': expected a category of [labels.category.meaning] (angry, neutral), found \"angy\"; did you mean 'angry'?"),
    ("a category in another case", &[("m.toml", b"[labels.category]\ncolumn = \"emotion\"\nmeaning = { neutral = [], angry = \"anger\" }\n"), ("l.csv", b"video,emotion\na,Neutral\n")], "--mapping m.toml",
     "l.csv: line 2, column 'emotion': expected a category of [labels.category.meaning] (angry, neutral), found \"Neutral\"; did you mean 'neutral'?"),
    ("categories without labels", &[("m.toml", b"[labels.category]\ncolumn = \"emotion\"\nmeaning = { neutral = [] }\n"), ("l.csv", b"video,emotion\na,neutral\n")], "--mapping m.toml",
     "l.csv: header: expected at least one label column (an emotion or another label) beside the columns that identify a segment, found the columns 'video', 'emotion'"),
    ("out of a custom range", &[("m.toml", b"[labels]\nrange = [1, 5]\n"), ("l.csv", b"video,happy\na,0\n")], "--mapping m.toml",
     "l.csv: line 2, column 'happy': expected a label in [1, 5], found \"0\"; 'range' in [labels] of a mapping file gives the values for absent and strongest"),
    ("two columns with one name", &[("m.toml", b"[labels]\nrename = { joy = \"happy\" }\n"), ("l.csv", b"video,happy,joy\na,0,1\n")], "--mapping m.toml",
     "l.csv: header: expected a unique name for each label, found 'happy' twice"),
    ("folds of other recordings", &[("j.json", b"{\"train\": [\"a\"], \"valid\": [\"bb\"], \"test\": [\"c\"]}")], "--folds j.json",
     "j.json: valid: expected ids of recordings or speakers of the features or labels, found 'bb'; did you mean 'b'?"),
    ("folds without features or labels", &[("j.json", b"{\"train\": [\"a\"], \"valid\": [\"b\"], \"test\": [\"c\"]}"), ("l.csv", b"video,happy\na,1\nb,1\nc,1\n")], "--folds j.json",
     "j.json: test: expected at least one video with features and labels, found none, and 1 ids without features or labels"),
    ("folds that divide a speaker", &[("j.json", b"{\"train\": [\"a\"], \"valid\": [\"b\"], \"test\": [\"s\"]}"), ("l.csv", b"video,speaker,happy\na,s,1\nb,s,1\n")], "--folds j.json",
     "j.json: valid: expected all of 's' in one split, to avoid leakage, found 'a' in 'train' and 'b' in 'valid'"),
    ("invalid folds", &[("j.json", b"[]")], "--folds j.json",
     "j.json: '/': expected an object of three lists, found a list"),
];

fn refused(files: &[(&str, &[u8])], arguments: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    write("f.csv", FRAMES.as_bytes());
    write("l.csv", LABELS.as_bytes());
    files.iter().for_each(|(name, bytes)| write(name, bytes));
    let at = |name: &str| folder.path().join(name);
    let mut options = ImportOptions {
        features: at("f.csv"),
        labels: Some(at("l.csv")),
        ..ImportOptions::default()
    };
    let mut words = arguments.split_whitespace();
    while let (Some(option), Some(value)) = (words.next(), words.next()) {
        match option {
            "--features" => options.features = at(value),
            "--labels" => options.labels = Some(at(value)),
            "--folds" => options.folds = Some(at(value)),
            "--mapping" => options.mapping = Some(at(value)),
            "--columns" => options.columns = Some(at(value)),
            "--format" => options.format = value.parse().ok(),
            "--rate" => options.rate_hz = Some(value.parse().unwrap()),
            other => panic!("no option {other}"),
        }
    }
    let before = entries(folder.path());
    match import(&options, &at("out"), &mut |_, _| ()) {
        Ok(summary) => format!("taken: {summary}"),
        Err(error) => {
            assert_eq!(
                entries(folder.path()),
                before,
                "nothing stays of what was refused"
            );
            words_of(&error).replace(&format!("{}/", folder.path().display()), "")
        }
    }
}

/// The error text, without the reasons of other libraries.
fn words_of(error: &ImportError) -> String {
    error.to_string()
}

fn entries(folder: &Path) -> BTreeSet<std::ffi::OsString> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect()
}

#[test]
fn each_invalid_table_has_its_exact_error() {
    let mut wrong = Vec::new();
    for (name, files, arguments, message) in CASES {
        let found = refused(files, arguments);
        if found != *message {
            wrong.push(format!(
                "{name}\n  expected: {message}\n  found:    {found}\n"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        CASES.len(),
        wrong.concat()
    );
}

#[test]
fn an_output_folder_with_other_files_is_kept() {
    let message = refused(&[("out/thesis.tex", b"x")], "");
    assert_eq!(
        message,
        "out: '.': expected nothing, an empty folder, or an earlier output of this command, found 'thesis.tex' in it"
    );
}

#[test]
fn an_earlier_import_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("f.csv"), FRAMES).unwrap();
    std::fs::write(at("l.csv"), "video,happy,split\na,3,train\nb,0,valid\n").unwrap();
    let options = ImportOptions {
        features: at("f.csv"),
        labels: Some(at("l.csv")),
        ..ImportOptions::default()
    };
    let refused = import(&options, &at("out"), &mut |_, _| ())
        .unwrap_err()
        .to_string();
    assert!(
        refused.ends_with(
            "l.csv: test: expected at least one video with features and labels, found none"
        ),
        "{refused}"
    );
    std::fs::write(at("l.csv"), LABELS).unwrap();
    import(&options, &at("out"), &mut |_, _| ()).unwrap();
    let first = std::fs::read(at("out/labels.csd")).unwrap();
    // A failed import keeps the earlier one.
    std::fs::write(at("f.csv"), "video,start,end,F0\na,0,x,1\n").unwrap();
    import(&options, &at("out"), &mut |_, _| ()).unwrap_err();
    assert_eq!(std::fs::read(at("out/labels.csd")).unwrap(), first);
    std::fs::write(at("f.csv"), FRAMES).unwrap();
    import(&options, &at("out"), &mut |_, _| ()).unwrap();
    assert_eq!(
        std::fs::read(at("out/labels.csd")).unwrap(),
        first,
        "the same tables are the same files"
    );
}

#[test]
fn an_unclosed_quote_reads_at_most_one_row() {
    let mut long = b"video,happy\n\"a,1\n".to_vec();
    long.resize(40 << 20, b'x');
    let message = refused(&[("l.csv", &long)], "");
    assert_eq!(
        message,
        "l.csv: a row: expected at most 16777216 bytes per row, found more; is a quote left open?"
    );
}
