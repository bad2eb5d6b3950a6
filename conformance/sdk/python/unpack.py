"""What Python reads Hadoop's Snappy with, python-snappy: unpack.py FROM TO"""

import json
import sys

import snappy


def main():
    with open(sys.argv[1], "rb") as packed, open(sys.argv[2], "wb") as text:
        text.write(snappy.HadoopStreamDecompressor().decompress(packed.read()))
    with open(sys.argv[2], "rb") as text:
        print(json.dumps({"lines": sum(1 for _ in text)}))


if __name__ == "__main__":
    main()
