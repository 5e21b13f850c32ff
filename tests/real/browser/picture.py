"""Pictures, as far as a browser writes them: PNG, 8 bits, RGB or RGBA, not interlaced."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def pixels(png):
    """Width, height, bytes per pixel, and the rows."""
    if png[:8] != SIGNATURE:
        raise ValueError("no PNG")
    position, data, header = 8, b"", None
    while position < len(png):
        (length,) = struct.unpack_from(">I", png, position)
        kind = png[position + 4 : position + 8]
        content = png[position + 8 : position + 8 + length]
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", content)
        elif kind == b"IDAT":
            data += content
        position += length + 12
    width, height, depth, colour, _, _, interlaced = header
    if depth != 8 or colour not in (2, 6) or interlaced:
        raise ValueError(f"a PNG of another kind: depth {depth}, colour {colour}")
    size = 3 if colour == 2 else 4
    return width, height, size, _rows(zlib.decompress(data), width * size, size)


def _rows(data, width, size):
    rows, above = [], bytearray(width)
    for start in range(0, len(data), width + 1):
        row = bytearray(data[start + 1 : start + 1 + width])
        _undo(data[start], row, above, size)
        rows.append(row)
        above = row
    return rows


def _undo(kind, row, above, size):
    """Undoes a row's filter, in place."""
    if kind == 2:
        row[:] = bytes((one + other) & 255 for one, other in zip(row, above))
    elif kind in (1, 3, 4):
        for index in range(len(row)):
            left = row[index - size] if index >= size else 0
            if kind == 1:
                guess = left
            elif kind == 3:
                guess = (left + above[index]) // 2
            else:
                guess = _paeth(left, above[index], above[index - size] if index >= size else 0)
            row[index] = (row[index] + guess) & 255


def _paeth(left, above, corner):
    sum_of = left + above - corner
    distances = [(abs(sum_of - left), 0, left), (abs(sum_of - above), 1, above), (abs(sum_of - corner), 2, corner)]
    return min(distances)[2]


def differing(one, other, least):
    """How many pixels of two pictures of one size differ by at least so much in one of their channels."""
    width, height, size, rows = pixels(one)
    if (width, height, size) != (other := pixels(other))[:3]:
        raise ValueError("pictures of different sizes")
    count = 0
    for row, against in zip(rows, other[3]):
        if row != against:
            distant = {index // size for index in range(len(row)) if abs(row[index] - against[index]) >= least}
            count += len(distant)
    return count
