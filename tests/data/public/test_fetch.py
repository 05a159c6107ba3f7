"""Downloads against a server of our own that fails in every way a host has failed before."""

from __future__ import annotations

import errno
import hashlib
import io
import random
import re
import shutil
import socket
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from probmcl.__main__ import main
from probmcl.data import SOURCES, DownloadRefusedError, RemoteFile, Source, download, fetch, unpack
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
            content, start = setup.files[self.path], 0
            match = re.fullmatch(r"bytes=(\d+)-", setup.asked[-1])
            if match and setup.knows_ranges:
                start = int(match[1])
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:][: setup.breaks.pop(0) if setup.breaks else None])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    setup.address = f"http://127.0.0.1:{server.server_port}"
    yield setup
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def get(host: Host, tmp_path: Path) -> Callable[..., Path]:
    """Download /a.bin without waiting between attempts."""

    def run(checksum: str | None = sha256(CONTENT), attempts: int = 3) -> Path:
        path = tmp_path / "a.bin"
        url = f"{host.address}/a.bin"
        download(url, path, checksum=checksum, progress=False, attempts=attempts, wait=0.0)
        return path

    return run


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_arrives_whole(get, tmp_path):
    assert get().read_bytes() == CONTENT
    assert names(tmp_path) == ["a.bin"]


def test_a_file_that_is_there_is_not_asked_for_again(get, host):
    get()
    get()
    assert len(host.asked) == 1


def test_a_dropped_connection_is_taken_up_where_it_ended(get, host):
    host.breaks = [100_000, 1, 50_000]
    assert get().read_bytes() == CONTENT
    assert host.asked == ["", "bytes=100000-", "bytes=100001-", "bytes=150001-"]


def test_a_part_of_an_earlier_run_is_continued(get, host, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT[:1234])
    assert get().read_bytes() == CONTENT
    assert host.asked == ["bytes=1234-"]


def test_a_part_that_was_whole_already_is_kept(get, host, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    assert get().read_bytes() == CONTENT
    assert len(host.asked) == 1


def test_a_part_longer_than_the_file_is_thrown_away(get, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT + b"x")
    assert get().read_bytes() == CONTENT


def test_a_host_without_ranges_starts_again_from_the_first_byte(get, host):
    host.knows_ranges = False
    host.breaks = [100_000]
    assert get().read_bytes() == CONTENT
    assert host.asked == ["", "bytes=100000-"]


def test_wrong_bytes_are_refused_and_removed(get, host, tmp_path):
    host.files["/a.bin"] = b"x" + CONTENT[1:]
    with pytest.raises(ValueError, match=r"a\.bin: expected sha256:.*, got sha256:.*; it was removed"):
        get()
    assert names(tmp_path) == []


def test_wrong_bytes_in_an_earlier_part_are_found_by_the_checksum(get, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(b"x" * 1000)
    with pytest.raises(ValueError, match="expected sha256:"):
        get()
    assert names(tmp_path) == []


def test_an_md5_is_a_checksum_too(get):
    get(f"md5:{hashlib.md5(CONTENT).hexdigest().upper()}".replace("MD5", "md5"))
    with pytest.raises(ValueError, match="expected md5:00"):
        get("md5:00")


def test_a_host_that_runs_out_of_data_is_given_up_and_the_part_kept(get, host, tmp_path):
    host.breaks = [100_000, 0, 0, 0]
    with pytest.raises(ConnectionError, match=r"broke 3 times without bringing more than 100,000 bytes"):
        get()
    assert names(tmp_path) == ["a.bin.part"]
    assert get().read_bytes() == CONTENT


def test_a_host_without_ranges_that_always_breaks_is_given_up(get, host):
    host.knows_ranges = False
    host.breaks = [1000, 500] * 5
    with pytest.raises(ConnectionError, match="broke 3 times without bringing more than 1,000 bytes"):
        get()
    assert len(host.asked) == 4  # the first brought something


@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_refusal_is_final_and_names_the_answer(get, host, tmp_path, code: int):
    host.code = code
    with pytest.raises(DownloadRefusedError, match=rf"a\.bin: the host refused it: {code}"):
        get()
    assert len(host.asked) == 1
    assert names(tmp_path) == []


def test_a_host_that_is_busy_is_asked_again(get, host):
    host.code, host.once = 503, True
    assert get().read_bytes() == CONTENT


def test_a_host_that_is_not_there_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody else can listen there, and this does not
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a"
        with pytest.raises(ConnectionError, match="broke 2 times"):
            download(url, tmp_path / "a", checksum=None, progress=False, attempts=2, wait=0.0)
    assert names(tmp_path) == []


def few_bytes_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))


def test_too_little_space_is_said_before_anything_is_written(get, tmp_path, monkeypatch):
    few_bytes_free(monkeypatch, 299_999)
    with pytest.raises(OSError, match=r"root: expected .* GB free on the disk of .*, got 0\.0 GB"):
        get()
    assert names(tmp_path) == []


class FullDisk(io.BytesIO):
    """A file on a disk that is full after 100,000 bytes."""

    def write(self, content: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_fills_up_is_named_and_no_file_bears_the_name(get, tmp_path, monkeypatch):
    opened = Path.open

    def full(path: Path, mode: str = "r", *more: Any, **kwargs: Any) -> Any:
        return (
            FullDisk()
            if path.name == "a.bin.part" and mode in ("wb", "ab")
            else opened(path, mode, *more, **kwargs)
        )

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match=r"root: the disk of .* is full; make room"):
        get()
    assert "a.bin" not in names(tmp_path)


def zipped(members: dict[str, bytes], *, link: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        if link is not None:
            entry = zipfile.ZipInfo("link")
            entry.external_attr = 0o120777 << 16
            archive.writestr(entry, link)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], *special: tuple[str, bytes, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for name, kind, target in special:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            archive.addfile(entry)
    return buffer.getvalue()


MEMBERS = {"pictures/a.png": b"a" * 5000, "pictures/more/b.png": b"b"}


def unpacked(tmp_path: Path, content: bytes, name: str = "it.bin") -> Path:
    (tmp_path / name).write_bytes(content)
    unpack(tmp_path / name, tmp_path / "out", progress=False)
    return tmp_path / "out"


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_is_unpacked(tmp_path, pack):
    out = unpacked(tmp_path, pack(MEMBERS))
    assert {name: (out / name).read_bytes() for name in names(out)} == MEMBERS


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_folders_that_are_there_are_joined(tmp_path, pack):
    (tmp_path / "out/pictures").mkdir(parents=True)
    (tmp_path / "out/pictures/old.png").write_bytes(b"old")
    (tmp_path / "out/pictures/a.png").write_bytes(b"before")
    out = unpacked(tmp_path, pack(MEMBERS))
    assert names(out) == ["pictures/a.png", "pictures/more/b.png", "pictures/old.png"]
    assert (out / "pictures/a.png").read_bytes() == b"a" * 5000


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("name", ["../evil", "x/../../evil", "/tmp/evil", "C:/evil", "x\\..\\..\\evil"])
def test_a_member_outside_the_folder_is_refused(tmp_path, pack, name: str):
    with pytest.raises(ValueError, match="expected members inside its folder, got"):
        unpacked(tmp_path, pack({"good": b"", name: b"evil"}))
    assert names(tmp_path) == ["it.bin"]


@pytest.mark.parametrize(
    "content",
    [
        zipped({"good": b""}, link="/etc/passwd"),
        tarred({"good": b""}, ("link", tarfile.SYMTYPE, "../../elsewhere")),
        tarred({"good": b""}, ("link", tarfile.LNKTYPE, "good")),
        tarred({"good": b""}, ("device", tarfile.CHRTYPE, "")),
        tarred({"good": b""}, ("pipe", tarfile.FIFOTYPE, "")),
    ],
    ids=["zip link", "link", "hard link", "device", "pipe"],
)
def test_a_link_or_device_is_refused(tmp_path, content: bytes):
    with pytest.raises(ValueError, match=r"expected plain files and folders, got a link or device: '\w+'"):
        unpacked(tmp_path, content)
    assert names(tmp_path) == ["it.bin"]


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("damage", ["short", "bytes"])
def test_a_damaged_archive_leaves_nothing(tmp_path, pack, damage: str):
    content = bytearray(pack({f"{number}.png": CHANCE.randbytes(20_000) for number in range(4)}))
    if damage == "short":
        content = content[:-500]
    else:
        content[30_000:30_100] = bytes(100)
    with pytest.raises(ValueError, match="expected a"):
        unpacked(tmp_path, bytes(content))
    assert names(tmp_path) == ["it.bin"]


def test_an_interrupted_unpacking_leaves_nothing_and_can_be_repeated(tmp_path, monkeypatch):
    copy = shutil.copyfileobj

    def interrupt(source: Any, target: Any, length: int) -> None:
        if target.name.endswith("b.png"):
            target.write(b"half")
            raise KeyboardInterrupt
        copy(source, target, length)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfileobj", interrupt)
        with pytest.raises(KeyboardInterrupt):
            unpacked(tmp_path, zipped(MEMBERS))
    assert names(tmp_path) == ["it.bin"]
    assert names(unpacked(tmp_path, zipped(MEMBERS))) == sorted(MEMBERS)


def test_what_a_killed_unpacking_left_is_swept_up(tmp_path):
    left = tmp_path / "out/.it.bin.tmp/pictures/half.png"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert names(unpacked(tmp_path, tarred(MEMBERS))) == sorted(MEMBERS)


def test_a_disk_that_fills_up_while_unpacking_leaves_nothing(tmp_path, monkeypatch):
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match=r"root: the disk of .* is full"):
        unpacked(tmp_path, tarred(MEMBERS))
    assert names(tmp_path) == ["it.bin"]


def test_a_zip_that_does_not_fit_is_not_begun(tmp_path, monkeypatch):
    few_bytes_free(monkeypatch, 5000)
    with pytest.raises(OSError, match=r"root: expected .* GB free"):
        unpacked(tmp_path, zipped(MEMBERS))


@pytest.fixture
def pets(host: Host) -> Source:
    """A data set of a zip, a tar.gz and a list that is to be got by hand."""
    packed = {"photos.zip": zipped(MEMBERS), "films.tar.gz": tarred({"images/1.png": b"1"})}
    host.files = {f"/{name}": content for name, content in packed.items()}
    return Source(
        name="pets",
        title="Pets",
        licence="CC0",
        page="https://example.org/pets",
        splits=MappingProxyType({"all": 2}),
        files=(
            RemoteFile("list.txt", None, None, None, "list.txt"),
            *(
                RemoteFile(
                    name, f"{host.address}/{name}", len(packed[name]), sha256(packed[name]), proof, into
                )
                for name, proof, into in (
                    ("photos.zip", "pictures", "."),
                    ("films.tar.gz", "films/images", "films"),
                )
            ),
        ),
        note="",
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
    kept = [name for name in names(tmp_path / "pets") if not name.startswith(".verified")]
    assert kept == ["films/images/1.png", "list.txt", "pictures/a.png", "pictures/more/b.png"]


def test_an_archive_laid_there_by_hand_is_verified_and_unpacked(pets, host, tmp_path):
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets/list.txt").write_text("")
    (tmp_path / "pets/photos.zip").write_bytes(host.files.pop("/photos.zip"))
    assert states(pets, tmp_path) == ["there", "packed", "missing"]
    fetch(pets, tmp_path, progress=False)
    assert states(pets, tmp_path) == ["there", "verified", "verified"]


def test_a_wrong_archive_laid_there_by_hand_is_named_and_kept(pets, tmp_path):
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets/photos.zip").write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"photos\.zip: expected sha256:"):
        fetch(pets, tmp_path, progress=False)
    assert names(tmp_path) == ["pets/photos.zip"]


def test_a_refusal_tells_the_way_by_hand(pets, host, tmp_path):
    host.code = 403
    with pytest.raises(
        DownloadRefusedError, match=r"(?s)refused it: 403.*by hand:.*pets.*photos\.zip, sha256:"
    ):
        fetch(pets, tmp_path, progress=False)


def test_wrong_bytes_tell_the_way_by_hand(pets, host, tmp_path):
    host.files["/photos.zip"] = b"<html>Please log in</html>"
    with pytest.raises(
        ValueError, match=r"(?s)photos\.zip: expected sha256:.*by hand:.*photos\.zip, sha256:"
    ):
        fetch(pets, tmp_path, progress=False)
    assert names(tmp_path) == []


def test_an_archive_without_what_it_should_hold_is_named(pets, tmp_path):
    file = replace(pets.files[1], proof="films")
    with pytest.raises(ValueError, match=r"photos\.zip: expected an archive that holds films"):
        fetch(replace(pets, files=(file,)), tmp_path, progress=False)


def test_a_plain_file_laid_there_by_hand_is_verified(pets, tmp_path):
    file = RemoteFile("list.npz", "http://127.0.0.1:9/list.npz", None, sha256(b"right"), "list.npz")
    (tmp_path / "pets").mkdir()
    for content in (b"wrong", b"right"):
        (tmp_path / "pets/list.npz").write_bytes(content)
        if content == b"wrong":
            with pytest.raises(ValueError, match=r"list\.npz: expected sha256:"):
                fetch(replace(pets, files=(file,)), tmp_path, progress=False)
    fetch(replace(pets, files=(file,)), tmp_path, progress=False)
    assert state(file, tmp_path / "pets") == "verified"


def test_space_for_the_whole_data_set_is_asked_for_first(pets, host, tmp_path, monkeypatch):
    few_bytes_free(
        monkeypatch, sum(file.size or 0 for file in pets.files)
    )  # the archives, not what is in them
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
            if file.checksum is not None:
                kind, digits = file.checksum.split(":")
                assert re.fullmatch(r"[0-9a-f]+", digits)
                assert len(digits) == {"md5": 32, "sha256": 64}[kind]


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
