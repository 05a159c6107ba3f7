"""Which public data sets the experiments use: where they are, how large, under which terms, in which splits.

A checksum stands here if the publisher states it or if it is kept in a public registry of checksums; where
neither is so, it is ``None`` and the list says "none published". Where each comes from stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from probmcl import _check


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set.

    Attributes:
        name: Its name in the data set's folder.
        url: Where it is; ``None`` if the publisher offers it only through a page.
        size: Bytes, for the estimate of space; the server's own statement decides. ``None`` if not known.
        checksum: ``"sha256:..."`` or ``"md5:..."``; ``None`` if none is published.
        proof: A path in the data set's folder that is there once this file is in place.
        unpack_into: For an archive, the folder inside the data set's folder that it is unpacked into.
        growth: Size when unpacked, as a multiple of ``size``.

    >>> RemoteFile("list.txt", None, None, None, "list.txt").unpack_into is None
    True
    """

    name: str
    url: str | None
    size: int | None
    checksum: str | None
    proof: str
    unpack_into: str | None = None
    growth: float = 1.05  # photographs hardly shrink; the rest is what a file system adds


@dataclass(frozen=True)
class Source:
    """A public data set.

    Attributes:
        name: The name that ``python -m probmcl sources fetch`` takes, and of its folder under the root.
        title: Its full name.
        licence: Its terms.
        page: Where a person gets it by hand.
        splits: Number of images of each part, as published.
        files: Its files.
        note: What a reader should know before using it.

    >>> SOURCES["coco2014"].splits["val2014, with labels"]
    40137
    """

    name: str
    title: str
    licence: str
    page: str
    splits: Mapping[str, int]
    files: tuple[RemoteFile, ...]
    note: str

    @property
    def size(self) -> int:
        """Bytes to download, as far as they are known."""
        return sum(file.size or 0 for file in self.files)


def source(name: str) -> Source:
    """Return a data set of ``SOURCES``.

    Raises:
        ValueError: If there is none of that name.

    >>> source("coco")
    Traceback (most recent call last):
    ...
    ValueError: name: expected one of coco2014, coco2017, ..., mirflickr25k, got 'coco'
    """
    return SOURCES[_check.one_of("name", name, SOURCES)]


def _archive(
    name: str, url: str, size: int | None, checksum: str | None, proof: str, into: str = ".", **more: float
) -> RemoteFile:
    return RemoteFile(name, url, size, checksum, proof, unpack_into=into, **more)


# Sizes and SHA-256 of COCO: TensorFlow Datasets, tensorflow_datasets/url_checksums/coco.txt.
_COCO = "http://images.cocodataset.org"  # no https: its certificate is made out to another name
_COCO_TERMS = "annotations CC BY 4.0; photographs under their owners' Flickr licences"

_COCO_2014 = Source(
    name="coco2014",
    title="MS-COCO 2014",
    licence=_COCO_TERMS,
    page="https://cocodataset.org/#download",
    splits=MappingProxyType(
        {
            "train2014": 82783,
            "val2014": 40504,
            "train2014, with labels": 82081,
            "val2014, with labels": 40137,
        }
    ),
    files=(
        _archive(
            "annotations_trainval2014.zip",
            f"{_COCO}/annotations/annotations_trainval2014.zip",
            252_872_794,
            "sha256:031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009",
            "annotations/instances_val2014.json",
            growth=4.0,
        ),
        _archive(
            "val2014.zip",
            f"{_COCO}/zips/val2014.zip",
            6_645_013_297,
            "sha256:fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0",
            "val2014",
        ),
        _archive(
            "train2014.zip",
            f"{_COCO}/zips/train2014.zip",
            13_510_573_713,
            "sha256:ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775",
            "train2014",
        ),
    ),
    note="Published tables train on train2014 and test on val2014, both without images that carry no label.",
)

_COCO_2017 = Source(
    name="coco2017",
    title="MS-COCO 2017",
    licence=_COCO_TERMS,
    page="https://cocodataset.org/#download",
    splits=MappingProxyType({"train2017": 118287, "val2017": 5000, "val2017, with labels": 4952}),
    files=(
        _archive(
            "annotations_trainval2017.zip",
            f"{_COCO}/annotations/annotations_trainval2017.zip",
            252_907_541,
            "sha256:113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
            "annotations/instances_val2017.json",
            growth=4.0,
        ),
        _archive(
            "val2017.zip",
            f"{_COCO}/zips/val2017.zip",
            815_585_330,
            "sha256:4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05",
            "val2017",
        ),
        _archive(
            "train2017.zip",
            f"{_COCO}/zips/train2017.zip",
            19_336_861_798,
            "sha256:69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929",
            "train2017",
        ),
    ),
    note="The images of 2014, divided anew: a model trained on train2017 has seen most of val2014.",
)

# Names in NIH's download script, sizes as its server states them, MD5 as in the data set's FAQ, question 7.
_NIH_ARCHIVES = (
    ("vfk49d74nhbxq3nqjg0900w5nvkorp5c", 2_008_470_987, "fe8ed0a6961412fddcbb3603c11b3698"),
    ("i28rlmbvmfjbl8p2n3ril0pptcmcu9d1", 3_952_623_504, "ab07a2d7cbe6f65ddd97b4ed7bde10bf"),
    ("f1t00wrtdk94satdfb9olcolqx20z2jp", 3_929_234_850, "2301d03bde4c246388bad3876965d574"),
    ("0aowwzs5lhjrceb3qp67ahp0rd1l1etg", 3_838_903_983, "9f1b7f5aae01b13f4bc8e2c44a4b8ef6"),
    ("v5e3goj22zr6h8tzualxfsqlqaygfbsn", 3_935_496_531, "1861f3cd0ef7734df8104f2b0309023b"),
    ("asi7ikud9jwnkrnkj99jnpfkjdes7l6l", 3_986_301_172, "456b53a8b351afd92a35bc41444c58c8"),
    ("jn1b4mw4n6lnh74ovmcjb8y48h8xj07n", 4_016_328_426, "1075121ea20a137b87f290d6a4a5965e"),
    ("tvpxmn7qyrgl0w8wfh9kqfjskv6nmm1j", 4_018_347_353, "b61f34cec3aa69f295fbb593cbd9d443"),
    ("upyy3ml7qdumlgk2rfcvlb9k6gvqq2pj", 4_111_327_929, "442a3caa61ae9b64e61c561294d1e183"),
    ("l6nilvfa9cg3s28tqv1qc1olm3gnz54p", 4_181_556_296, "09ec81c4c31e32858ad8cf965c494b74"),
    ("hhq8fkdgvcari67vfhs7ppg2w6ni4jze", 4_187_084_020, "499aefc67207a5a97692424cf5dbeed5"),
    ("ioqwiy20ihqwyr8pf4c24eazhh281pbu", 2_914_187_733, "dc9fda1757c2de0032b63347a7d2895c"),
)

_CHESTXRAY14 = Source(
    name="chestxray14",
    title="ChestX-ray14 (NIH Clinical Center)",
    licence="free to use; link to the page, name the NIH Clinical Center, cite Wang et al., CVPR 2017",
    page="https://nihcc.app.box.com/v/ChestXray-NIHCC",
    splits=MappingProxyType({"official train_val": 86524, "official test": 25596}),
    files=(
        *(  # the tables first: small, and the part that needs a hand
            RemoteFile(name, None, None, None, name)
            for name in ("Data_Entry_2017_v2020.csv", "train_val_list.txt", "test_list.txt")
        ),
        *(
            _archive(
                f"images_{number:03}.tar.gz",
                f"https://nihcc.box.com/shared/static/{key}.gz",
                size,
                f"md5:{digest}",
                f"images_{number:03}/images",
                into=f"images_{number:03}",
            )
            for number, (key, size, digest) in enumerate(_NIH_ARCHIVES, start=1)
        ),
    ),
    note="Labels were mined from reports, not read from the films. Nothing here is for clinical use.",
)

# URL and MD5 as in the registry of MedMNIST 3.0.2 (medmnist/info.py), which states no sizes; that of 224 is
# the size others have downloaded.
_CHESTMNIST: dict[int, tuple[int | None, str]] = {
    28: (None, "md5:02c8a6516a18b556561a56cbdd36c4a8"),
    64: (None, "md5:9de6cd0b934ebb5b7426cfba5efbae16"),
    128: (None, "md5:db107e5590b27930b62dbaf558aebee3"),
    224: (3_889_293_042, "md5:45bd33e6f06c3e8cdb481c74a89152aa"),
}


def _chestmnist(pixels: int) -> Source:
    size, checksum = _CHESTMNIST[pixels]
    name = "chestmnist.npz" if pixels == 28 else f"chestmnist_{pixels}.npz"
    url = f"https://zenodo.org/records/10519652/files/{name}?download=1"
    return Source(
        name=f"chestmnist-{pixels}",
        title=f"ChestMNIST, {pixels} x {pixels} (MedMNIST)",
        licence="CC BY 4.0",
        page="https://zenodo.org/records/10519652",
        splits=MappingProxyType({"train": 78468, "val": 11219, "test": 22433}),
        files=(RemoteFile(name, url, size, checksum, name),),
        note="ChestX-ray14 made small. Its parts are as large as those of the random split, not NIH's own.",
    )


# Images: MD5 as on the download page. Nothing is published for the annotations.
_MIRFLICKR = Source(
    name="mirflickr25k",
    title="MIRFLICKR-25000",
    licence="photographs under their owners' Creative Commons licences, listed in the archive",
    page="https://press.liacs.nl/mirflickr/mirdownload.html",
    splits=MappingProxyType({"all": 25000}),
    files=(
        _archive(
            "mirflickr25k_annotations_v080.zip",
            "https://press.liacs.nl/mirflickr/mirflickr25k.v3b/mirflickr25k_annotations_v080.zip",
            None,
            None,
            "annotations",
            into="annotations",
        ),
        _archive(
            "mirflickr25k.zip",
            "https://press.liacs.nl/mirflickr/mirflickr25k.v3b/mirflickr25k.zip",
            3_069_184_257,
            "md5:a23d0a8564ee84cda5622a6c2f947785",
            "mirflickr",
        ),
    ),
    note="There is no official split; name the one you use.",
)

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        found.name: found
        for found in (_COCO_2014, _COCO_2017, _CHESTXRAY14, *map(_chestmnist, _CHESTMNIST), _MIRFLICKR)
    }
)
"""Every data set, by its name."""
