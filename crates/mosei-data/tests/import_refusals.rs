//! Tables that cannot be imported, each with the very words that refuse it: file, place, expected, found, and what to do.
//!
//! Of none of them anything is left behind.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use mosei_data::{DataError, ImportFormat, ImportOptions, import};
use std::collections::BTreeSet;
use std::path::Path;

const FRAMES: &str = "video,start,end,F0\na,0,0.1,1\na,0.1,0.2,2\nb,0,0.1,3\nb,0.1,0.2,4\n";
const LABELS: &str = "video,happy,sad\na,3,0\nb,0,1.5\n";

/// A broken import: what is wrong, files beside `f.csv` and `l.csv` or in their place, the command line, and what must be said.
type Case = (&'static str, &'static [(&'static str, &'static [u8])], &'static str, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("no features", &[("f.csv", b"")], "",
     "f.csv: line 1: expected the names of the columns, found an empty line"),
    ("an empty first line", &[("f.csv", b"\n\n")], "",
     "f.csv: line 1: expected the names of the columns, found an empty line"),
    ("no frames", &[("f.csv", b"video,start,end,F0\n")], "",
     "f.csv: expected at least one frame, found none"),
    ("UTF-16, as spreadsheets save it", &[("f.csv", b"\xff\xfev\0i\0d\0e\0o\0,\0s\0t\0a\0r\0t\0,\0F\x000\0\n\0a\0,\x000\0,\x001\0\n\0")], "",
     "f.csv: line 1: expected text in UTF-8 with a row a line (CSV or TSV), found other bytes (UTF-16, or no text)"),
    ("text that is no UTF-8", &[("f.csv", b"video,start,end,F0\na,0,0.1,1\n\xff,0,0.1,1\n")], "",
     "f.csv: line 3: expected text in UTF-8 with a row a line (CSV or TSV), found bytes that are no UTF-8"),
    ("a column without a name", &[("f.csv", b"video,start,,F0\na,0,1,1\n")], "",
     "f.csv: header: expected a name of its own for each column, found none for column 3"),
    ("a column twice", &[("f.csv", b"video,start,F0,F0\na,0,1,1\n")], "",
     "f.csv: header: expected a name of its own for each column, found 'F0' twice"),
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
     "f.csv: line 2, column 'F0': expected a number, found \"loud\"; where the column is no feature, name it in 'ignore' under [features] of a mapping file"),
    ("a decimal comma", &[("f.csv", b"video;start;end;F0\na;0,0;0,1;1,5\n")], "",
     "f.csv: line 2, column 'start': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found \"0,0\"; numbers need a point, not a comma"),
    ("a feature with a comma", &[("f.csv", b"video;start;end;F0\na;0.0;0.1;1,5\n")], "",
     "f.csv: line 2, column 'F0': expected a number, found \"1,5\"; numbers need a point, not a comma"),
    ("a start that is a word", &[("f.csv", b"video,start,end,F0\na,soon,0.1,1\n")], "",
     "f.csv: line 2, column 'start': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found \"soon\""),
    ("no start", &[("f.csv", b"video,start,end,F0\na,,0.1,1\n")], "",
     "f.csv: line 2, column 'start': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found nothing"),
    ("a start beyond measure", &[("f.csv", b"video,start,end,F0\na,1e9,2e9,1\n")], "",
     "f.csv: line 2, column 'start': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found \"1e9\""),
    ("an end before its start", &[("f.csv", b"video,start,end,F0\na,0.2,0.1,1\n")], "",
     "f.csv: line 2, column 'end': expected an end after the start (0.2 s), found \"0.1\""),
    ("an end that is a word", &[("f.csv", b"video,start,end,F0\na,0,late,1\n")], "",
     "f.csv: line 2, column 'end': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found \"late\""),
    ("a frame twice", &[("f.csv", b"video,start,end,F0\na,0,0.1,1\na,0,0.1,1\n")], "",
     "f.csv: line 3, column 'start': expected a later time than that of the frame before in 'a' (0 s), found \"0\""),
    ("a frame before the last", &[("f.csv", b"video,start,end,F0\na,0.1,0.2,1\nb,0,0.1,1\na,0,0.1,1\n")], "",
     "f.csv: line 4, column 'start': expected a later time than that of the frame before in 'a' (0.1 s), found \"0\""),
    ("no name in a row", &[("f.csv", b"video,start,end,F0\n,0,0.1,1\n")], "",
     "f.csv: line 2, column 'video': expected the name of a recording, found nothing"),
    ("names that are no id", &[("f.csv", b"video,start,end,F0\n..,0,0.1,1\n..,0.1,0.2,1\n"), ("l2.csv", b"video,sad\n..,1\n")], "--labels l2.csv",
     "l2.csv: 'ids of videos': expected a video id (1 to 200 bytes; no '/' or '\\', no control or invisible characters, no space at an end; not '.' or '..'), found \"..\""),
    ("two files of one name", &[("f.csv", b"file,start,end,F0\nx/a.wav,0,0.1,1\ny/a.wav,0,0.1,1\n")], "",
     "f.csv: line 3: expected recordings whose names differ without folder and extension, found 'x/a.wav' and 'y/a.wav', both 'a'; see [ids] in docs/your-data.md"),
    ("one frame whose length nobody says", &[("f.csv", b"video,start,F0\na,0,1\nb,0,1\n")], "",
     "f.csv: 'a': expected at least two frames, a column 'end', or --rate, found one frame without an end"),
    ("frame numbers without a rate", &[("f.csv", b"video,frame,F0\na,0,1\n")], "",
     "f.csv: header: expected a column with the time of each frame ('start', or a [features] start in a mapping file), or --rate, found neither: the columns 'video', 'frame', 'F0'"),
    ("half a frame's number", &[("f.csv", b"video,frame,F0\na,0.5,1\n")], "--rate 100",
     "f.csv: line 2, column 'frame': expected the number of a frame, from 0, found \"0.5\""),
    ("frame numbers twice", &[("f.csv", b"video,frame,F0\na,1,1\na,1,1\n")], "--rate 100",
     "f.csv: line 3, column 'frame': expected a later time than that of the frame before in 'a' (0.01 s), found \"1\""),
    ("a rate of nothing", &[], "--rate 0",
     "key '--rate': expected a number above 0, at most 1000000, found 0"),
    ("a rate that is no number", &[], "--rate NaN",
     "key '--rate': expected a number above 0, at most 1000000, found NaN"),
    ("no file of features", &[], "--features nothing.csv",
     "failed to open nothing.csv"),
    ("a file of some kind", &[("f.xyz", b"a")], "--features f.xyz",
     "f.xyz: expected a Parquet, CSV, TSV, ARFF or HDF5 file, or a folder of .npy, .csv, .arff or .parquet files, found a file that ends in '.xyz'; --format says what it is"),
    ("a file without an ending", &[("feats", b"a")], "--features feats",
     "feats: expected a Parquet, CSV, TSV, ARFF or HDF5 file, or a folder of .npy, .csv, .arff or .parquet files, found a file whose name has no ending; --format says what it is"),
    ("a spreadsheet", &[("f.xlsx", b"PK\x03\x04aaaa")], "--features f.xlsx",
     "f.xlsx: expected a Parquet, CSV, TSV, ARFF or HDF5 file, or a folder of .npy, .csv, .arff or .parquet files, found a ZIP archive (.npz or .xlsx?): save .npy or .csv files from it"),
    ("a file that is called Parquet", &[("f.parquet", b"PAR1 and no more")], "--features f.parquet",
     "f.parquet: expected a Parquet file"),
    ("a file that is said to be Parquet", &[], "--format parquet",
     "f.csv: expected a Parquet file"),
    ("HDF5 by name alone", &[("f.h5", b"none")], "--features f.h5",
     "f.h5: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("half an HDF5 file", &[("f.h5", b"\x89HDF\r\n\x1a\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")], "--features f.h5",
     "f.h5: expected an HDF5 file (.csd), found something else or a damaged one"),
    ("a pickle", &[("f.pkl", b"x")], "--features f.pkl",
     "f.pkl: expected a table or an array, found a pickle by its name, which is not opened, for opening it runs whatever is in it; where you trust it, turn it into Parquet or .npy in Python: see 'Pickles' in docs/your-data.md"),
    ("a pickle under another name", &[("f.csv", b"\x80\x04\x95\0")], "",
     "f.csv: expected a table or an array, found a pickle by its first bytes, which is not opened, for opening it runs whatever is in it; where you trust it, turn it into Parquet or .npy in Python: see 'Pickles' in docs/your-data.md"),
    ("what torch saves", &[("f.bin", b"PK\x03\x04\0\0\0\0archive/data.pkl")], "--features f.bin",
     "f.bin: expected a table or an array, found a file of torch.save, which is not opened, for opening it runs whatever is in it; where you trust it, turn it into Parquet or .npy in Python: see 'Pickles' in docs/your-data.md"),
    ("labels that are a pickle", &[("l.p", b"x")], "--labels l.p",
     "l.p: expected a table or an array, found a pickle by its name, which is not opened, for opening it runs whatever is in it; where you trust it, turn it into Parquet or .npy in Python: see 'Pickles' in docs/your-data.md"),
    ("a folder of pickles", &[("d/a.pkl", b"x")], "--features d",
     "d/a.pkl: expected a table or an array, found a pickle by its name, which is not opened, for opening it runs whatever is in it; where you trust it, turn it into Parquet or .npy in Python: see 'Pickles' in docs/your-data.md"),
    ("a table that is said to be CSV and is a pickle", &[("f.dat", b"\x80\x05.")], "--features f.dat --format csv",
     "f.dat: expected a table or an array, found a pickle by its first bytes, which is not opened, for opening it runs whatever is in it; where you trust it, turn it into Parquet or .npy in Python: see 'Pickles' in docs/your-data.md"),
    ("an empty folder", &[("d/.hidden", b"x")], "--features d",
     "d: expected a Parquet, CSV, TSV, ARFF or HDF5 file, or a folder of .npy, .csv, .arff or .parquet files, found a folder with no such file"),
    ("a folder of two kinds", &[("d/a.csv", b"F0\n1\n"), ("d/b.npy", b"x")], "--features d --rate 100",
     "d: expected files of one format, found csv and npy files side by side; --format says which"),
    ("a folder of text without a rate", &[("d/a.csv", b"F0\n1\n")], "--features d",
     "d/a.csv: header: expected a column with the time of each frame ('start', or a [features] start in a mapping file), or --rate, found neither: the columns 'F0'"),
    ("a folder without what is said", &[("d/a.csv", b"F0\n1\n")], "--features d --format npy",
     "d: expected npy files, found none"),
    ("tables of different widths", &[("d/a.csv", b"F0\n1\n"), ("d/b.csv", b"F0,F1\n1,2\n")], "--features d --rate 100",
     "d/b.csv: header: expected 1 feature columns, as in 'a', found 2"),
    ("tables of different columns", &[("d/a.csv", b"F0\n1\n"), ("d/b.csv", b"F1\n1\n")], "--features d --rate 100",
     "d/b.csv: header: expected column 'F0', as in d/a.csv, found 'F1'"),
    ("arrays without a rate", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }          \n\0\0\0\0")], "--features d",
     "d: expected --rate with the frames a second, as arrays hold no times, found none"),
    ("an array that is none", &[("d/a.npy", b"nothing but text")], "--features d --rate 9",
     "d/a.npy: header: expected an array of numpy (.npy), found another file"),
    ("an array of three dimensions", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), }       \n\0\0\0\0")], "--features d --rate 9",
     "d/a.npy: shape: expected an array [frames, columns], found [1, 1, 1]"),
    ("an array of objects", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '|O', 'fortran_order': False, 'shape': (1, 1), }           \n\x80\x04")], "--features d --rate 9",
     "d/a.npy: expected a table or an array, found an array of Python objects, which is not opened, for opening it runs whatever is in it; where you trust it, turn it into Parquet or .npy in Python: see 'Pickles' in docs/your-data.md"),
    ("an array of text", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<U4', 'fortran_order': False, 'shape': (1, 1), }          \n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")], "--features d --rate 9",
     "d/a.npy: dtype: expected float32, float64 or integers, found '<U4'"),
    ("an array of complex numbers", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1), }          \n\0\0\0\0\0\0\0\0")], "--features d --rate 9",
     "d/a.npy: dtype: expected float32, float64 or integers, found '<c8'"),
    ("an array that is cut short", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f8', 'fortran_order': False, 'shape': (10, 3), }         \n\0\0\0\0\0\0\0\0")], "--features d --rate 9",
     "d/a.npy: values: expected 240 bytes of values, as its shape says, found a file of 88 bytes"),
    ("an array of more values than there are", &[("d/a.npy", b"\x93NUMPY\x01\0V\0{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 8), }        \n\0\0\0\0\0\0\0\0")], "--features d --rate 9",
     "d/a.npy: header: expected an array of numpy (.npy), found a header with a number of too many digits"),
    ("an array without a frame", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }          \n")], "--features d --rate 9",
     "d/a.npy: shape: expected at least one frame, found none"),
    ("brackets in brackets", &[("d/a.npy", b"\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((, }    \n")], "--features d --rate 9",
     "d/a.npy: header: expected an array of numpy (.npy), found a header with brackets in brackets"),
    ("arrays of different widths", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }          \n\0\0\0\0"), ("d/b.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }          \n\0\0\0\0\0\0\0\0")], "--features d --rate 9",
     "d/b.npy: header: expected 1 feature columns, as in 'a', found 2"),
    ("too few names of columns", &[("n.txt", b"")], "--columns n.txt",
     "n.txt: expected 1 names, one a line, as there are columns, found 0"),
    ("names of columns twice", &[("d/a.npy", b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }          \n\0\0\0\0\0\0\0\0"), ("n.txt", b"x\nx\n"), ("l2.csv", b"video,sad\na,1\n")], "--features d --rate 9 --columns n.txt --labels l2.csv",
     "n.txt: expected a name of its own for each column, found 'x' twice"),
    ("ARFF without data", &[("f.arff", b"@relation x\n@attribute a numeric\n")], "--features f.arff",
     "f.arff: line 3: expected '@data' after '@attribute' lines, found the end"),
    ("ARFF with a line of another kind", &[("f.arff", b"@relation x\nhello\n")], "--features f.arff",
     "f.arff: line 2: expected '@relation', '@attribute' or '@data', found \"hello\""),
    ("ARFF with an attribute without a type", &[("f.arff", b"@attribute a\n")], "--features f.arff",
     "f.arff: line 1: expected '@attribute NAME TYPE', found \"@attribute a\""),
    ("ARFF with a row that is short", &[("f.arff", b"@attribute name string\n@attribute frameTime numeric\n@attribute F0 numeric\n@data\n'a',0,1\n'a',0.1\n")], "--features f.arff",
     "f.arff: line 6: expected 3 cells, as there are columns, found 2 cells"),
    ("no labels", &[("l.csv", b"")], "",
     "l.csv: line 1: expected the names of the columns, found an empty line"),
    ("a header alone", &[("l.csv", b"video,happy\n")], "",
     "l.csv: expected at least one labelled segment, found none"),
    ("no recording in the labels", &[("l.csv", b"happy,sad\n1,2\n")], "",
     "l.csv: header: expected a column with the recording of each segment ('video', 'file', 'name' or 'id', or a [labels] video in a mapping file), found the columns 'happy', 'sad'"),
    ("no label", &[("l.csv", b"video,start,end\na,0,1\n")], "",
     "l.csv: header: expected at least one label (an emotion or another one), beside what says where a segment is, found the columns 'video', 'start', 'end'"),
    ("sentiment alone", &[("l.csv", b"video,sentiment\na,1\n")], "",
     "l.csv: header: expected at least one label (an emotion or another one), beside what says where a segment is, found the columns 'video', 'sentiment'"),
    ("a misspelt emotion", &[("l.csv", b"video,hapy,sad\na,1,1\n")], "",
     "l.csv: header: expected names of labels, found 'hapy'; did you mean 'happy'? Else list it under [labels] columns of a mapping file"),
    ("a swapped emotion", &[("l.csv", b"video,happy,fera\na,1,1\n")], "",
     "l.csv: header: expected names of labels, found 'fera'; did you mean 'fear'? Else list it under [labels] columns of a mapping file"),
    ("an emotion twice", &[("l.csv", b"video,happy,Happy\na,1,1\n")], "",
     "l.csv: header: expected a name of its own for each label, found 'happy' twice"),
    ("an intensity above 3", &[("l.csv", b"video,happy\na,4\n")], "",
     "l.csv: line 2, column 'happy': expected a label in [0, 3], found \"4\"; 'range' under [labels] of a mapping file says what values mean absent and strongest"),
    ("an intensity below 0", &[("l.csv", b"video,happy\na,-0.1\n")], "",
     "l.csv: line 2, column 'happy': expected a label in [0, 3], found \"-0.1\"; 'range' under [labels] of a mapping file says what values mean absent and strongest"),
    ("NaN", &[("l.csv", b"video,happy\na,1\nb,NaN\n")], "",
     "l.csv: line 3, column 'happy': expected a label in [0, 3], found nothing"),
    ("times in microseconds", &[("f.csv", b"video,start,F0\na,0,1\na,10000,2\nb,0,1\nb,10000,1\n")], "",
     "f.csv: 'a': expected frames of at most 3600 s, found 10000 s; are the times in seconds?"),
    ("a label whose name is kept for an average", &[("l.csv", b"video,happy,macro\na,1,1\n")], "",
     "l.csv: header: expected names of labels (text that can be seen, of at most 64 bytes, other than macro and micro), found \"macro\""),
    ("infinity", &[("l.csv", b"video,happy\na,inf\n")], "",
     "l.csv: line 2, column 'happy': expected a label in [0, 3], found \"inf\"; 'range' under [labels] of a mapping file says what values mean absent and strongest"),
    ("nothing where a label should be", &[("l.csv", b"video,happy,sad\na,1,\n")], "",
     "l.csv: line 2, column 'sad': expected a label in [0, 3], found nothing"),
    ("a word where a label should be", &[("l.csv", b"video,emotion\na,anger\n")], "",
     "l.csv: line 2, column 'emotion': expected a label in [0, 3], found \"anger\"; where the column is no intensity, name it in 'ignore' under [labels] of a mapping file, or under [labels.category]"),
    ("sentiment out of range", &[("l.csv", b"video,sentiment,happy\na,-4,1\n")], "",
     "l.csv: line 2, column 'sentiment': expected a label in [-3, 3], found \"-4\""),
    ("a segment twice", &[("l.csv", b"video,happy\na,1\nb,0\na,1\n")], "",
     "l.csv: line 4: expected every segment once, found 'a' also in line 2"),
    ("a numbered segment twice", &[("l.csv", b"video,segment,happy\na,1,1\na,1,0\n")], "",
     "l.csv: line 3: expected every segment once, found segment '1' of 'a' also in line 2"),
    ("a stretch of time twice", &[("l.csv", b"video,start,end,happy\na,0,1,1\na,0,1,2\n")], "",
     "l.csv: line 3: expected every segment once, found 0 to 1 s of 'a' also in line 2"),
    ("an end before the start", &[("l.csv", b"video,start,end,happy\na,1,0.5,1\n")], "",
     "l.csv: line 2, column 'end': expected an end after the start (1 s), found \"0.5\""),
    ("an end at the start", &[("l.csv", b"video,start,end,happy\na,1,1,1\n")], "",
     "l.csv: line 2, column 'end': expected an end after the start (1 s), found \"1\""),
    ("a start without an end", &[("l.csv", b"video,start,happy\na,0,1\n")], "",
     "l.csv: header: expected both 'start' and 'end', or neither, found 'start' without 'end'"),
    ("a start in one cell alone", &[("l.csv", b"video,start,end,happy\na,,1,1\n")], "",
     "l.csv: line 2, column 'start': expected a time in seconds (or as '0 days 00:00:01.5'), at most 10000000, found nothing"),
    ("a time that is none", &[("l.csv", b"video,start,end,happy\na,0,now,1\n")], "",
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
    ("a split that is none", &[("l.csv", b"video,split,happy\na,0,1\n")], "",
     "l.csv: line 2, column 'split': expected train, valid, test or none, found \"0\"; where the column is no split, name it in 'ignore' under [labels] of a mapping file"),
    ("a video in two splits", &[("l.csv", b"video,start,end,split,happy\na,0,0.1,train,1\na,0.1,0.2,test,1\n")], "",
     "l.csv: line 3: expected all of 'a' in one split, or it would leak, found 'a' in 'train' and 'a' in 'test'"),
    ("a speaker in two splits", &[("l.csv", b"video,speaker,split,happy\na,x,train,1\nb,x,test,1\n")], "",
     "l.csv: line 3: expected all of 'x' in one split, or it would leak, found 'a' in 'train' and 'b' in 'test'"),
    ("no test", &[("l.csv", b"video,split,happy\na,train,1\nb,valid,1\n")], "",
     "l.csv: test: expected at least one video with features and labels, found none"),
    ("labels in a folder", &[("d/a.csv", b"video,happy\na,1\n")], "--labels d",
     "d: expected a table with a row a labelled segment, found a folder"),
    ("a segment of two names", &[("f.csv", b"video,start,end,F0\na[1],0,0.1,1\na_1,0,0.1,1\n"), ("l.csv", b"video,segment,happy\na,1,1\n")], "",
     "l.csv: line 2: expected one recording for segment '1' of 'a', found 'a[1]' and 'a_1'"),
    ("ids that look alike", &[("f.csv", b"video,start,end,F0\na,0,0.1,1\n\xd0\xb0,0,0.1,1\n"), ("l.csv", b"video,happy\na,1\n\xd0\xb0,1\n")], "",
     "l.csv: 'ids of videos': expected ids that do not look alike, found 'a' and '\\u{430}'"),
    ("a quote that is never closed", &[("l.csv", b"video,happy\n\"a,1\nb,2\n")], "",
     "l.csv: line 2: expected 2 cells, as in the header, found 1 cells"),
    ("no TOML", &[("m.toml", b"labels = [")], "--mapping m.toml",
     "m.toml: key '.': line 1: unclosed array, expected `]`"),
    ("an unknown key", &[("m.toml", b"[labels]\nspeeker = \"x\"\n")], "--mapping m.toml",
     "m.toml: key 'labels.speeker': line 2: unknown field `speeker`, expected one of `video`, `segment`, `unit`, `start`, `end`, `speaker`, `split`, `columns`, `ignore`, `rename`, `range`, `category`, `names`; did you mean 'speaker'?"),
    ("an unknown table", &[("m.toml", b"[label]\n")], "--mapping m.toml",
     "m.toml: key 'label': line 1: unknown field `label`, expected one of `ids`, `features`, `labels`; did you mean 'labels'?"),
    ("a key of another type", &[("m.toml", b"[labels]\ncolumns = \"happy\"\n")], "--mapping m.toml",
     "m.toml: key 'labels.columns': line 2: invalid type: string \"happy\", expected a sequence"),
    ("a range the wrong way", &[("m.toml", b"[labels]\nrange = [1, 0]\n")], "--mapping m.toml",
     "m.toml: key 'labels.range': expected two numbers, the smaller one first, found [1, 0]"),
    ("no columns", &[("m.toml", b"[labels]\ncolumns = []\n")], "--mapping m.toml",
     "m.toml: key 'labels.columns': expected at least one column, found none"),
    ("a word without a label", &[("m.toml", b"[labels.category]\ncolumn = \"e\"\nmeaning = {}\n")], "--mapping m.toml",
     "m.toml: key 'labels.category.meaning': expected a word with its meaning, found none"),
    ("a meaning that is a number", &[("m.toml", b"[labels.category]\ncolumn = \"e\"\nmeaning = { a = 1 }\n")], "--mapping m.toml",
     "m.toml: key 'labels.category.meaning.a': line 3: expected a label, a list of labels, or a table of intensities such as { anger = 2 }"),
    ("an intensity of 4", &[("m.toml", b"[labels.category]\ncolumn = \"e\"\nmeaning = { a = { happy = 4 } }\n")], "--mapping m.toml",
     "m.toml: key 'labels.category': expected intensities from 0 to 3, found 4 for 'happy'"),
    ("a column that is not there", &[("m.toml", b"[labels]\ncolumns = [\"hapy\"]\n")], "--mapping m.toml",
     "l.csv: header: expected a column 'hapy', which [labels] names, found the columns 'video', 'happy', 'sad'; did you mean 'happy'?"),
    ("a column of categories that is not there", &[("m.toml", b"[labels.category]\ncolumn = \"emotion\"\nmeaning = { a = \"happy\" }\n")], "--mapping m.toml",
     "l.csv: header: expected a column 'emotion', which [labels.category] names, found the columns 'video', 'happy', 'sad'"),
    ("an ignored column that is not there", &[("m.toml", b"[features]\nignore = [\"class\"]\n")], "--mapping m.toml",
     "f.csv: header: expected a column 'class', which [features] ignore names, found the columns 'video', 'start', 'end', 'F0'"),
    ("a renamed column that is not there", &[("m.toml", b"[labels]\nrename = { joy = \"happy\" }\n")], "--mapping m.toml",
     "l.csv: header: expected a column 'joy', which [labels] names, found the columns 'video', 'happy', 'sad'"),
    ("a word that is not listed", &[("m.toml", b"[labels.category]\ncolumn = \"emotion\"\nmeaning = { neutral = [], angry = \"anger\" }\n"), ("l.csv", b"video,emotion\na,neutral\nb,angy\n")], "--mapping m.toml",
     "l.csv: line 3, column 'emotion': expected a word of [labels.category.meaning] (angry, neutral), found \"angy\"; did you mean 'angry'?"),
    ("a word in capitals", &[("m.toml", b"[labels.category]\ncolumn = \"emotion\"\nmeaning = { neutral = [], angry = \"anger\" }\n"), ("l.csv", b"video,emotion\na,Neutral\n")], "--mapping m.toml",
     "l.csv: line 2, column 'emotion': expected a word of [labels.category.meaning] (angry, neutral), found \"Neutral\"; did you mean 'neutral'?"),
    ("words that mean nothing at all", &[("m.toml", b"[labels.category]\ncolumn = \"emotion\"\nmeaning = { neutral = [] }\n"), ("l.csv", b"video,emotion\na,neutral\n")], "--mapping m.toml",
     "l.csv: header: expected at least one label (an emotion or another one), beside what says where a segment is, found the columns 'video', 'emotion'"),
    ("out of a range of one's own", &[("m.toml", b"[labels]\nrange = [1, 5]\n"), ("l.csv", b"video,happy\na,0\n")], "--mapping m.toml",
     "l.csv: line 2, column 'happy': expected a label in [1, 5], found \"0\"; 'range' under [labels] of a mapping file says what values mean absent and strongest"),
    ("two columns of one name", &[("m.toml", b"[labels]\nrename = { joy = \"happy\" }\n"), ("l.csv", b"video,happy,joy\na,0,1\n")], "--mapping m.toml",
     "l.csv: header: expected a name of its own for each label, found 'happy' twice"),
    ("folds of others", &[("j.json", b"{\"train\": [\"a\"], \"valid\": [\"bb\"], \"test\": [\"c\"]}")], "--folds j.json",
     "j.json: valid: expected ids of recordings or speakers of the features or labels, found 'bb'; did you mean 'b'?"),
    ("folds of which nothing is left", &[("j.json", b"{\"train\": [\"a\"], \"valid\": [\"b\"], \"test\": [\"c\"]}"), ("l.csv", b"video,happy\na,1\nb,1\nc,1\n")], "--folds j.json",
     "j.json: test: expected at least one video with features and labels, found none, and 1 names of which nothing is left"),
    ("folds that divide a speaker", &[("j.json", b"{\"train\": [\"a\"], \"valid\": [\"b\"], \"test\": [\"s\"]}"), ("l.csv", b"video,speaker,happy\na,s,1\nb,s,1\n")], "--folds j.json",
     "j.json: valid: expected all of 's' in one split, or it would leak, found 'a' in 'train' and 'b' in 'valid'"),
    ("folds that are none", &[("j.json", b"[]")], "--folds j.json",
     "j.json: '/': expected a table of three lists, found a list"),
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
    let mut options = ImportOptions { features: at("f.csv"), labels: at("l.csv"), ..ImportOptions::default() };
    let mut words = arguments.split_whitespace();
    while let (Some(option), Some(value)) = (words.next(), words.next()) {
        match option {
            "--features" => options.features = at(value),
            "--labels" => options.labels = at(value),
            "--folds" => options.folds = Some(at(value)),
            "--mapping" => options.mapping = Some(at(value)),
            "--columns" => options.columns = Some(at(value)),
            "--format" => options.format = ImportFormat::from_name(value),
            "--rate" => options.rate_hz = Some(value.parse().unwrap()),
            other => panic!("no option {other}"),
        }
    }
    let before = entries(folder.path());
    match import(&options, &at("out"), &mut |_, _| ()) {
        Ok(summary) => format!("taken: {summary}"),
        Err(error) => {
            assert_eq!(entries(folder.path()), before, "nothing stays of what was refused");
            words_of(&error).replace(&format!("{}/", folder.path().display()), "")
        }
    }
}

/// What is said; reasons of other libraries are theirs.
fn words_of(error: &DataError) -> String {
    error.to_string()
}

fn entries(folder: &Path) -> BTreeSet<std::ffi::OsString> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

#[test]
fn every_broken_table_is_refused_in_its_words() {
    let mut wrong = Vec::new();
    for (name, files, arguments, said) in CASES {
        let found = refused(files, arguments);
        if found != *said {
            wrong.push(format!("{name}\n  expected: {said}\n  found:    {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CASES.len(), wrong.concat());
}

#[test]
fn a_folder_that_is_not_ours_is_left_alone() {
    let said = refused(&[("out/thesis.tex", b"x")], "");
    assert_eq!(
        said,
        "out: '.': expected nothing, an empty folder, or one written here before, found 'thesis.tex' in it"
    );
}

#[test]
fn what_was_imported_before_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("f.csv"), FRAMES).unwrap();
    std::fs::write(at("l.csv"), "video,happy,split\na,3,train\nb,0,valid\n").unwrap();
    let options = ImportOptions { features: at("f.csv"), labels: at("l.csv"), ..ImportOptions::default() };
    let refused = import(&options, &at("out"), &mut |_, _| ()).unwrap_err().to_string();
    assert!(
        refused.ends_with("l.csv: test: expected at least one video with features and labels, found none"),
        "{refused}"
    );
    std::fs::write(at("l.csv"), LABELS).unwrap();
    import(&options, &at("out"), &mut |_, _| ()).unwrap();
    let first = std::fs::read(at("out/labels.csd")).unwrap();
    // One that fails leaves the one before as it was.
    std::fs::write(at("f.csv"), "video,start,end,F0\na,0,x,1\n").unwrap();
    import(&options, &at("out"), &mut |_, _| ()).unwrap_err();
    assert_eq!(std::fs::read(at("out/labels.csd")).unwrap(), first);
    std::fs::write(at("f.csv"), FRAMES).unwrap();
    import(&options, &at("out"), &mut |_, _| ()).unwrap();
    assert_eq!(std::fs::read(at("out/labels.csd")).unwrap(), first, "the same tables are the same files");
}

#[test]
fn a_quote_that_is_never_closed_takes_no_more_than_a_row_may_have() {
    let mut long = b"video,happy\n\"a,1\n".to_vec();
    long.resize(40 << 20, b'x');
    let said = refused(&[("l.csv", &long)], "");
    assert_eq!(said, "l.csv: a row: expected at most 16777216 bytes a row, found more; is a quote never closed?");
}
