"""Gets some members of a wheel without the others: python3 partial_wheel.py REPORT SHA256 RECORD_SHA256 OUT PREFIX...

REPORT is what pip's --report wrote: it names the wheel's address, whose server must answer range requests. Members whose
names begin with a PREFIX go to OUT, a zip. The wheel is known by its SHA256 in the index; what is taken is checked against the
wheel's own RECORD, and that against RECORD_SHA256.
"""

import base64
import csv
import hashlib
import io
import json
import sys
import urllib.request
import zipfile

BLOCK = 8 << 20
TIMEOUT_S = 60


class Remote(io.RawIOBase):
    """A file behind HTTP, read in blocks: neighbours come with one request."""

    def __init__(self, url):
        self.url, self.at, self.start, self.block, self.got = url, 0, 0, b"", 0
        # A server that does not know ranges would send the whole file: it is not read.
        with self.ask("0-0") as reply:
            self.size = int(reply.headers["Content-Range"].rsplit("/", 1)[1])

    def ask(self, span):
        reply = urllib.request.urlopen(urllib.request.Request(self.url, headers={"Range": f"bytes={span}"}), timeout=TIMEOUT_S)
        if reply.status != 206:
            reply.close()
            raise OSError(f"no range requests: the server answers {reply.status}")
        return reply

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=io.SEEK_SET):
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def readinto(self, buffer):
        if self.at >= self.size:
            return 0
        if not self.start <= self.at < self.start + len(self.block):
            last = min(self.at + BLOCK, self.size) - 1
            with self.ask(f"{self.at}-{last}") as reply:
                self.start, self.block = self.at, reply.read()
            self.got += len(self.block)
            if sys.stdout.isatty():
                print(f"\r{self.got >> 20} MiB ", end="", flush=True)
            if len(self.block) != last + 1 - self.at:
                raise OSError("the server sent less than was asked for")
        part = self.block[self.at - self.start :][: len(buffer)]
        buffer[: len(part)] = part
        self.at += len(part)
        return len(part)


def main(report, sha256, record_sha256, out, *prefixes):
    with open(report) as file:
        [found] = json.load(file)["install"]
    if found["download_info"]["archive_info"]["hashes"].get("sha256") != sha256:
        raise OSError("the index offers another file under the wheel's name")
    url = found["download_info"]["url"]
    wheel = zipfile.ZipFile(io.BufferedReader(Remote(url), BLOCK))
    members = sorted(wheel.infolist(), key=lambda m: m.header_offset)
    record = wheel.read(next(m for m in members if m.filename.endswith(".dist-info/RECORD")))
    if hashlib.sha256(record).hexdigest() != record_sha256:
        raise OSError("the wheel's RECORD is not the expected one")
    hashes = {row[0]: row[1] for row in csv.reader(io.StringIO(record.decode()))}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as kept:
        for member in members:
            if member.is_dir() or not member.filename.startswith(prefixes):
                continue
            digest = hashlib.sha256()
            with wheel.open(member) as source, kept.open(zipfile.ZipInfo(member.filename), "w") as target:
                while part := source.read(1 << 20):
                    digest.update(part)
                    target.write(part)
            text = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
            if hashes.get(member.filename) != f"sha256={text}":
                raise OSError(f"{member.filename} is not what the wheel's RECORD says")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, StopIteration, LookupError, ValueError, zipfile.BadZipFile) as error:
        sys.exit(f"{type(error).__name__}: {error}")
