"""Zip archives, and packages with a part changed."""

import io
import struct
import zipfile


def archive(parts: dict[str, bytes]) -> bytes:
    """A zip archive of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)
    return out.getvalue()


def with_part(package: bytes, name: str, data: bytes) -> bytes:
    """A package with one of its parts replaced or added."""
    with zipfile.ZipFile(io.BytesIO(package)) as old:
        parts = {item: old.read(item) for item in old.namelist()}
    return archive({**parts, name: data})


def with_lie_about_size(package: bytes, name: str, size: int) -> bytes:
    """A package that says of one part that it unpacks to another size than it does."""
    data = bytearray(package)
    place = data.rindex(name.encode(), data.index(b"PK\x01\x02")) - 46
    struct.pack_into("<I", data, place + 24, size)
    return bytes(data)
