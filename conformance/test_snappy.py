"""Firehose's two kinds of Snappy, read by what others read them with: snappy-java, Hadoop's codec and python-snappy."""

import random

import pytest

import sdks
from test_firehose import Account
from test_firehose_settings import delivered, put

READERS = {
    "snappy-java": ("Snappy", lambda: [*sdks.java("Unpack", "snappy"), "java"]),
    "hadoop": ("HADOOP_SNAPPY", lambda: [*sdks.java("Unpack", "snappy"), "hadoop"]),
    "python-snappy": ("HADOOP_SNAPPY", lambda: sdks.python("unpack")),
}


def texts():
    """Lines that pack well, others that do not, and one that is longer than any block; numbers tell their order."""
    chance = random.Random(7)
    lines = [b"%07d " % at + (b"pack me " * 20 if at % 2 else chance.randbytes(90).hex().encode()) for at in range(20_000)]
    lines[777] = b"0000777 " + chance.randbytes(350_000).hex().encode()
    return [line + b"\n" for line in lines]


@pytest.mark.parametrize("reader", READERS)
def test_what_is_packed_is_read(client, endpoint, name, tmp_path, reader):
    format, program = READERS[reader]
    command, account, lines = program(), Account(client), texts()
    hints = {"SizeInMBs": 64, "IntervalInSeconds": 1}
    account.direct(name, CompressionFormat=format, BufferingHints=hints)
    for start in range(0, len(lines), 2000):
        put(account, name, lines[start : start + 2000])
    unpacked = {}

    def unpack(objects):
        for key, body in objects.items():
            if key not in unpacked:
                unpacked[key] = unpack_one(command, endpoint, tmp_path / f"{len(unpacked)}.snappy", body)
        return sum(map(len, unpacked.values())) >= len(lines)

    delivered(account, name, unpack, seconds=120)
    # Each object has its lines in order, and all together have all.
    assert all(found == sorted(found, key=lambda line: line[:7]) for found in unpacked.values())
    assert sorted(line for found in unpacked.values() for line in found) == sorted(lines)


def unpack_one(command, endpoint, packed, body):
    packed.write_bytes(body)
    to = packed.with_suffix(".text")
    count = sdks.run([*command, str(packed), str(to)], endpoint)["lines"]
    found = to.read_bytes().splitlines(keepends=True)
    assert len(found) == count
    return found
