"""Downloads against a server of our own that fails in every way a host has failed before."""

import errno
import hashlib
import io
import itertools
import random
import re
import shutil
import socket
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email.message import Message
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, NoReturn
from urllib.request import Request

import pytest

from probmcl.__main__ import main
from probmcl.data import SOURCES, DownloadRefusedError, RemoteFile, Source, download, fetch, unpack
from probmcl.data.public.download import _Redirects
from probmcl.data.public.fetch import state

CHANCE = random.Random(0)
CONTENT = CHANCE.randbytes(1000) * 300  # larger than the buffers between, so that a break is felt midway


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Host:
    """What the server holds and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=lambda: {"/a.bin": CONTENT})
    breaks: list[int] = field(default_factory=list)  # bytes to send before breaking, one for each request
    knows_ranges: bool = True
    version: str = ""  # the ETag; a request for a range of another version gets the whole file ...
    knows_versions: bool = True  # ... if this is so
    status: int = 206  # that a range is sent under; with 200, no Content-Range
    length: str | None = None  # Content-Length, if not the truth; "" for none
    stalls: bool = False  # instead of breaking
    over: threading.Event = field(default_factory=threading.Event)
    leads_to: str = ""
    code: int | None = None  # answer this instead, once or always
    once: bool = False
    asked: list[str] = field(default_factory=list)  # the Range of each request
    address: str = ""


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    setup = Host()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            setup.asked.append(self.headers.get("Range", ""))
            if setup.code is not None:
                code, setup.code = setup.code, None if setup.once else setup.code
                self.send_error(code)
                return
            if setup.leads_to:
                self.answer(302, Location=setup.leads_to)
                return
            content, start = setup.files[self.path], 0
            match = re.fullmatch(r"bytes=(\d+)-", setup.asked[-1])
            same = self.headers.get("If-Range", setup.version) == setup.version or not setup.knows_versions
            if match and setup.knows_ranges and same:
                start = int(match[1])
                if start >= len(content):
                    self.answer(416, Content_Range=f"bytes */{len(content)}")
                    return
            extent = f"bytes {start}-{len(content) - 1}/{len(content)}" if setup.status == 206 else ""
            self.answer(
                setup.status if start else 200,
                Content_Range=extent if start else "",
                Content_Length=str(len(content) - start) if setup.length is None else setup.length,
                ETag=setup.version,
            )
            self.wfile.write(content[start:][: setup.breaks.pop(0) if setup.breaks else None])
            if setup.stalls and setup.breaks:
                setup.over.wait(60)

        def answer(self, code: int, **headers: str) -> None:
            self.send_response(code)
            for name, value in headers.items():
                if value:
                    self.send_header(name.replace("_", "-"), value)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    setup.address = f"http://127.0.0.1:{server.server_port}"
    yield setup
    setup.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def get(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Download /a.bin in a few attempts, without waiting between them."""
    monkeypatch.setattr("probmcl.data.public.download.WAIT", 0.0)

    def run(checksum: str | None = sha256(CONTENT), *, attempts: int = 3, size: int | None = None) -> Path:
        monkeypatch.setattr("probmcl.data.public.download.ATTEMPTS", attempts)
        path = tmp_path / "a.bin"
        download(f"{host.address}/a.bin", path, checksum=checksum, size=size, progress=False)
        return path

    return run


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("part", "breaks", "knows_ranges", "asked"),
    [
        (b"", [], True, [""]),
        (b"", [100_000, 1, 50_000], True, ["", "bytes=100000-", "bytes=100001-", "bytes=150001-"]),
        (b"", [100_000], False, ["", "bytes=100000-"]),
        (CONTENT[:1234], [], True, ["bytes=1234-"]),
        (CONTENT, [], True, ["bytes=300000-"]),
        (CONTENT + b"x", [], True, ["bytes=300001-", ""]),
    ],
    ids=["whole", "breaks", "no ranges", "part of an earlier run", "part that is whole", "part too long"],
)
def test_a_file_arrives_whole_and_nothing_is_fetched_twice(
    get, host, tmp_path, part, breaks, knows_ranges, asked
):
    host.breaks, host.knows_ranges = breaks, knows_ranges
    if part:
        (tmp_path / "a.bin.part").write_bytes(part)
    assert get().read_bytes() == get().read_bytes() == CONTENT
    assert host.asked == asked
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("part", [b"", b"x" * 1000])
def test_wrong_bytes_are_refused_and_removed(get, host, tmp_path, part: bytes):
    (tmp_path / "a.bin.part").write_bytes(part)
    host.files["/a.bin"] = b"x" + CONTENT[1:]
    with pytest.raises(ValueError, match=r"a\.bin: expected sha256:.*, got sha256:.*; it was removed"):
        get()
    assert names(tmp_path) == []


def test_an_md5_is_a_checksum_too(get):
    get(f"md5:{hashlib.md5(CONTENT).hexdigest().upper()}")
    with pytest.raises(ValueError, match="expected md5:00"):
        get("md5:00")


@pytest.mark.parametrize(
    ("knows_ranges", "breaks"), [(True, [100_000, 0, 0, 0]), (False, [100_000, 500, 9, 500])]
)
def test_a_host_that_brings_nothing_more_is_given_up_and_the_part_kept(
    get, host, tmp_path, knows_ranges, breaks
):
    host.knows_ranges, host.breaks = knows_ranges, breaks
    with pytest.raises(ConnectionError, match=r"broke 3 times without bringing more than 100,000 bytes"):
        get()
    assert len(host.asked) == 4  # the first brought something
    assert names(tmp_path) == ["a.bin.part", "a.bin.part.version"]
    assert get().read_bytes() == CONTENT


@pytest.mark.parametrize("knows_versions", [True, False])
def test_a_file_that_was_replaced_on_the_host_begins_anew(get, host, knows_versions: bool):
    host.breaks, host.version, host.knows_versions = [100_000, 0], '"one"', knows_versions
    with pytest.raises(ConnectionError, match="broke 1 times"):
        get(attempts=1)
    host.files["/a.bin"], host.version = CONTENT[::-1], '"two"'
    assert get(sha256(CONTENT[::-1])).read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize(
    "oddity",
    [
        {"breaks": [100_000, 100_000], "status": 200},  # a slice is called the whole
        {"code": 503, "once": True},  # busy
        *({"length": length} for length in ("", "many", "-5")),  # does not say how much it has
    ],
    ids=repr,
)
def test_a_file_arrives_whole_from_an_odd_host(get, host, oddity: dict[str, Any]):
    vars(host).update(oddity)
    assert get(size=len(CONTENT)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("length", "size", "error", "message"),
    [
        (str(10**15), 300_000, ValueError, r"a\.bin: expected 300,000 bytes, the host offers 1,000,000,000"),
        ("1000", 300_000, ValueError, r"a\.bin: expected 300,000 bytes, the host offers 1,000"),
        (str(10**15), None, OSError, r"root: expected 1,000,000\.0 GB free on the disk of .*, got"),
        ("", 299_999, ValueError, r"a\.bin: expected 299,999 bytes, the host sends more; it was removed"),
    ],
)
def test_a_size_that_cannot_be_is_refused(get, host, tmp_path, length, size, error, message):
    host.length = length
    with pytest.raises(error, match=message):
        get(size=size)
    assert names(tmp_path) == []


def test_what_came_before_a_host_stalled_is_kept(get, host, monkeypatch):
    monkeypatch.setattr("probmcl.data.public.download.PATIENCE", 0.3)
    host.stalls, host.breaks = True, [70_000] * 9
    assert get(attempts=9).read_bytes() == CONTENT
    assert len(host.asked) > 4


def test_a_host_that_is_too_slow_is_given_up_and_the_part_kept(get, host, tmp_path, monkeypatch):
    """On this clock 100 seconds pass between two looks at it."""
    clock = SimpleNamespace(monotonic=itertools.count(0, 100).__next__, sleep=lambda seconds: None)
    monkeypatch.setattr("probmcl.data.public.download.time", clock)
    host.breaks = [100] * 9
    with pytest.raises(ConnectionError, match=r"broke 3 times .*less than 1,000 bytes a second"):
        get()
    assert (tmp_path / "a.bin.part").read_bytes() == CONTENT[:300]


def test_redirects_lead_neither_to_ftp_nor_to_what_can_be_read_on_the_way(get, host):
    host.leads_to = "ftp://127.0.0.1/a.bin"
    with pytest.raises(DownloadRefusedError, match=r"expected to stay with http, led to ftp://127"):
        get()
    host.leads_to = "file:///etc/passwd"
    with pytest.raises(DownloadRefusedError, match="refused it: 302"):
        get()
    secure = Request("https://a.org/x")
    follow = partial(_Redirects().redirect_request, secure, code=302, msg="", headers=Message())
    assert follow(io.BytesIO(), newurl="https://b.org/y").full_url == "https://b.org/y"
    with pytest.raises(DownloadRefusedError, match=r"stay with https, led to http://b\.org"):
        follow(io.BytesIO(), newurl="http://b.org/y")


@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_refusal_is_final_and_names_the_answer(get, host, tmp_path, code: int):
    host.code = code
    with pytest.raises(DownloadRefusedError, match=rf"a\.bin: the host refused it: {code}"):
        get()
    assert len(host.asked) == 1
    assert names(tmp_path) == []


def test_a_host_that_is_not_there_is_given_up(get, host, tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody else can listen there, and this does not
        host.address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConnectionError, match="broke 2 times"):
            get(attempts=2)
    assert names(tmp_path) == []


def full(*arguments: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_fills_up_is_named_and_no_file_bears_the_name(get, tmp_path, monkeypatch):
    monkeypatch.setattr("probmcl.data.public.download._blocks", full)
    with pytest.raises(OSError, match=r"root: the disk of .* is full; make room"):
        get()
    assert "a.bin" not in names(tmp_path)


def zipped(members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED, link: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o120777 if name == link else 0o100666) << 16
            archive.writestr(entry, content, kind)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], kind: str = "gz", special: bytes = tarfile.REGTYPE) -> bytes:
    """A tar of plain files, or of files of a special kind."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{kind}") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.type, entry.linkname = len(content), special, "../elsewhere"
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


MEMBERS = {"pictures/a.png": b"a" * 5000, "pictures/more/b.png": b"b"}


def unpacked(tmp_path: Path, content: bytes, name: str = "it.bin") -> Path:
    (tmp_path / name).write_bytes(content)
    unpack(tmp_path / name, tmp_path / "out", progress=False)
    return tmp_path / "out"


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_is_unpacked_into_what_is_there(tmp_path, pack):
    (tmp_path / "out/pictures").mkdir(parents=True)
    for name in ("old.png", "a.png"):
        (tmp_path / "out/pictures" / name).write_bytes(b"before")
    out = unpacked(tmp_path, pack(MEMBERS))
    found = {name: (out / name).read_bytes() for name in names(out)}
    assert found == {**MEMBERS, "pictures/old.png": b"before"}


def damaged(content: bytes, *, flag: int = 0, method: int = 0) -> bytes:
    """A zip file with a flag or a method in both headings of its member, or any file with bytes wiped out."""
    if not flag and not method:
        return content[:-30_000] + bytes(100) + content[-29_900:]
    changed = bytearray(content)
    for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = content.index(signature) + place
        changed[start] |= flag
        changed[start + 2] = method or changed[start + 2]
    return bytes(changed)


NOISE = {f"{number}.png": CHANCE.randbytes(20_000) for number in range(4)}
DAMAGED = {
    "zip": (damaged(zipped(NOISE)), "Bad CRC-32"),
    "tar": (damaged(tarred(NOISE)), "Error -3 while decompressing|CRC check failed|invalid"),
    "half a zip": (zipped(NOISE)[:-500], "a file of another kind"),
    "half a tar": (tarred(NOISE)[:-500], "ended before the end"),
    "lzma": (damaged(zipped(NOISE, zipfile.ZIP_LZMA)), "Corrupt input data|Bad CRC-32"),
    "bzip2": (damaged(zipped(NOISE, zipfile.ZIP_BZIP2)), "Invalid data stream|Bad CRC-32"),
    "tar.xz": (damaged(tarred(NOISE, "xz")), "Corrupt input data"),
    "encrypted": (damaged(zipped({"a": b"a"}), flag=1), "is encrypted"),
    "odd method": (damaged(zipped({"a": b"a"}), method=99), "method is not supported"),
    "zip link": (zipped({"good": b"", "link": b"/etc/passwd"}, link="link"), "a link or device: 'link'"),
} | {
    f"{name} in a {pack.__name__[:3]}": (pack({"good": b"", name: b"evil"}), "a name outside: ")
    for pack in (zipped, tarred)
    for name in ("../evil", "x/../../evil", "/tmp/evil", "C:/evil", "x\\..\\..\\evil")
}
for pack in (zipped, tarred):
    for names_, message in (
        (("a", "A"), "one place for two: 'a' and 'A'"),
        (("x/é", "x/./e\u0301"), "one place for two"),
        ((".",), "one place for two"),
        (("a/b/c", "a/b"), "a file and a folder in one place: 'a/b' and 'a/b/c'"),
    ):
        DAMAGED[f"{names_} in a {pack.__name__[:3]}"] = (pack(dict.fromkeys(names_, b"x")), message)
for special in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
    DAMAGED[f"tar of type {special!r}"] = (tarred({"it": b""}, special=special), "a link or device: 'it'")


@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED)
def test_an_archive_that_is_damaged_or_not_safe_is_named_and_leaves_nothing(tmp_path, content, message):
    with pytest.raises(ValueError, match=rf"it\.bin: expected a .*archive.*, got.* ({message})"):
        unpacked(tmp_path, content)
    assert names(tmp_path) == ["it.bin"]


def test_a_move_that_fails_leaves_everything_as_it_was(tmp_path, monkeypatch):
    before = {"pictures/a.png": b"before", "pictures/more": b"no folder"}
    for name, content in before.items():
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_bytes(content)
    with pytest.raises(FileExistsError, match=r"expected room for a folder: .*pictures/more"):
        unpacked(tmp_path, zipped(MEMBERS))
    assert {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")} == before


def interrupt(*arguments: Any) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("fail", "error", "message"),
    [(interrupt, KeyboardInterrupt, None), (full, OSError, r"root: the disk of .* is full")],
)
@pytest.mark.parametrize("function", ["shutil.copyfileobj", "probmcl.data.public.unpack._move"])
def test_an_unpacking_that_breaks_off_leaves_nothing_and_can_be_repeated(
    tmp_path, monkeypatch, fail: Any, error: Any, message: Any, function: str
):
    with monkeypatch.context() as patched:
        patched.setattr(function, fail)
        with pytest.raises(error, match=message):
            unpacked(tmp_path, zipped(MEMBERS))
    assert names(tmp_path) == ["it.bin"]
    left = tmp_path / "out/.it.bin.tmp/pictures/half.png"  # by a run that was killed
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert names(unpacked(tmp_path, zipped(MEMBERS))) == sorted(MEMBERS)


def sparse(size: int) -> bytes:
    """A tar of 512 bytes and its end that holds a file of ``size`` zeros."""
    entry = tarfile.TarInfo("hole")
    entry.type = tarfile.GNUTYPE_SPARSE
    heading = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    heading[386:410] = b"%011o\0%011o\0" % (size, 0)  # its only piece: nothing, at the end
    heading[483:495] = b"%011o\0" % size
    heading[148:156] = b" " * 8
    heading[148:156] = b"%06o\0 " % sum(heading)
    return bytes(heading) + bytes(1024)


def few_bytes_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))


@pytest.mark.parametrize(
    "content", [zipped(MEMBERS), tarred(MEMBERS), sparse(5001)], ids=["zip", "tar", "hole"]
)
def test_an_archive_that_does_not_fit_is_not_begun(tmp_path, monkeypatch, content: bytes):
    few_bytes_free(monkeypatch, 5000)
    with pytest.raises(OSError, match=r"root: expected .* GB free"):
        unpacked(tmp_path, content)
    assert names(tmp_path) == ["it.bin"]
    assert (unpacked(tmp_path, sparse(5000)) / "hole").read_bytes() == bytes(5000)


@pytest.fixture
def pets(host: Host) -> Source:
    """A data set of a zip, a tar.gz and a list that is to be got by hand."""
    host.files = {"/photos.zip": zipped(MEMBERS), "/films.tar.gz": tarred({"images/1.png": b"1"})}
    places = {"/photos.zip": ("pictures", "."), "/films.tar.gz": ("films/images", "films")}
    files = (
        RemoteFile(name[1:], host.address + name, len(content), sha256(content), *places[name])
        for name, content in host.files.items()
    )
    page = "https://example.org/pets"
    return Source(
        "pets", "Pets", "CC0", page, MappingProxyType({"all": 2}), (RemoteFile("list.txt"), *files), ""
    )


def states(source: Source, root: Path) -> list[str]:
    return [state(file, root / source.name) for file in source.files]


def test_a_data_set_comes_whole_and_what_is_left_is_told(pets, host, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"(?s)To get it by hand:.*example\.org/pets.*list\.txt"):
        fetch(pets, tmp_path, progress=False)
    assert states(pets, tmp_path) == ["missing", "verified", "verified"]
    (tmp_path / "pets/list.txt").write_text("a.png\n")
    assert fetch(pets, tmp_path, progress=False) == tmp_path / "pets"
    assert len(host.asked) == 2  # nothing was fetched again
    kept = ["films/images/1.png", "list.txt", "pictures/a.png", "pictures/more/b.png"]
    assert names(tmp_path / "pets") == kept
    lock = tmp_path / ".verified" / "pets" / ".lock"
    lock.touch()  # of a process that was killed when all was done
    fetch(pets, tmp_path, progress=False)
    assert not lock.exists()


@pytest.mark.parametrize("name", ["photos.zip", "list.npz"])
def test_a_wrong_file_laid_there_by_hand_is_named_and_kept_and_a_right_one_is_taken(
    pets, host, tmp_path, name: str
):
    file = RemoteFile("list.npz", "http://127.0.0.1:9/list.npz", checksum=sha256(b"right"))
    source = replace(pets, files=(file if name == "list.npz" else pets.files[1],))
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / name).write_bytes(b"wrong")
    with pytest.raises(ValueError, match=rf"{name}: expected sha256:"):
        fetch(source, tmp_path, progress=False)
    assert names(tmp_path) == [f"pets/{name}"]
    (tmp_path / "pets" / name).write_bytes(host.files.pop(f"/{name}", b"right"))
    assert states(source, tmp_path) == ["packed" if name == "photos.zip" else "there"]
    fetch(source, tmp_path, progress=False)
    assert states(source, tmp_path) == ["verified"]


def test_a_file_without_checksum_is_not_downloaded_but_taken_from_a_hand(pets, host, tmp_path):
    file = replace(pets.files[1], checksum=None)
    with pytest.raises(FileNotFoundError, match=r"photos\.zip, cannot be verified: no checksum"):
        fetch(replace(pets, files=(file,)), tmp_path, progress=False)
    assert host.asked == []
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets/photos.zip").write_bytes(host.files["/photos.zip"])
    fetch(replace(pets, files=(file,)), tmp_path, progress=False)
    assert state(file, tmp_path / "pets") == "there"


def test_no_member_of_an_archive_is_taken_for_a_receipt(pets, host, tmp_path):
    forged = zipped({**MEMBERS, "films/images/1.png": b"", ".verified/films.tar.gz.json": b"{}"})
    file = replace(pets.files[1], checksum=None, size=None)
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets/photos.zip").write_bytes(forged)
    fetch(replace(pets, files=(file,)), tmp_path, progress=False)
    assert state(pets.files[2], tmp_path / "pets") == "there"


@pytest.mark.parametrize(
    ("code", "change", "message"),
    [
        (403, bytes, "refused it: 403"),
        (None, lambda right: b"x" + right[1:], r"photos\.zip: expected sha256:"),
        (None, lambda right: b"<html>Log in</html>", r"photos\.zip: expected [0-9]+ bytes, .*offers 19"),
    ],
)
def test_a_refusal_or_wrong_bytes_tell_the_way_by_hand(pets, host, tmp_path, code, change, message):
    host.code, host.files["/photos.zip"] = code, change(host.files["/photos.zip"])
    message = rf"(?s){message}.*by hand:.*pets.*photos\.zip, sha256:"
    with pytest.raises((DownloadRefusedError, ValueError), match=message):
        fetch(pets, tmp_path, progress=False)
    assert names(tmp_path) == []


def test_an_archive_without_what_it_should_hold_is_named(pets, tmp_path):
    file = replace(pets.files[1], proof="films")
    with pytest.raises(ValueError, match=r"photos\.zip: expected an archive that holds films"):
        fetch(replace(pets, files=(file,)), tmp_path, progress=False)


def test_space_for_the_whole_data_set_is_asked_for_first(pets, host, tmp_path, monkeypatch):
    few_bytes_free(monkeypatch, pets.size)  # the archives, not what is in them
    with pytest.raises(OSError, match=r"root: expected .* GB free"):
        fetch(pets, tmp_path, progress=False)
    assert host.asked == []


def test_every_source_says_what_a_reader_must_know():
    for name, source in SOURCES.items():
        assert name == source.name
        assert source.licence
        assert source.page.startswith("https://")
        for file in source.files:
            assert file.url is None or file.url.startswith(("http://", "https://"))
            assert re.fullmatch(r"|md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", file.checksum or "")
    files = {file.name: file for source in SOURCES.values() for file in source.files}
    tables = {"Data_Entry_2017_v2020.csv", "train_val_list.txt", "test_list.txt"}  # no download, only a page
    assert {name for name, file in files.items() if file.url is None} == tables
    unverifiable = {name for name, file in files.items() if file.checksum is None}
    assert unverifiable == tables | {"mirflickr25k_annotations_v080.zip"}
    without_size = {name for name, file in files.items() if file.size is None}
    only_md5_is_published = {"chestmnist.npz", "chestmnist_128.npz"}
    assert without_size == unverifiable | only_md5_is_published


def test_the_command_lists_what_is_present(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "chestxray14").mkdir()
    (tmp_path / "chestxray14/test_list.txt").write_text("")
    assert main(["sources", "--root", str(tmp_path)]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in SOURCES)
    assert "1 of 15 there" in listed


def test_the_command_fetches(pets, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("probmcl_book.commands.sources.source", lambda name: pets)
    assert main(["sources", "fetch", "coco2014", "--root", str(tmp_path)]) == 2
    assert "To get it by hand" in capsys.readouterr().out
    (tmp_path / "pets/list.txt").write_text("")
    assert main(["sources", "fetch", "coco2014", "--root", str(tmp_path)]) == 0
    assert "is complete" in capsys.readouterr().out
