"""Deterministic cell values, the same here and in values.ts: tests generate a table on either side and compare.

All arithmetic is on unsigned 32-bit words.

    mix(x)      x ^= x >> 16; x *= 0x85ebca6b; x ^= x >> 13; x *= 0xc2b2ae35; x ^= x >> 16     (murmur3's last step)
    name(s)     FNV-1a over the UTF-8 bytes: h = 2166136261; h = (h ^ byte) * 16777619
    word(k)     mix(mix(mix(name(column) ^ seed) + row) + k)

Element e (storage order) of a cell takes w0..w3 = word(4e) .. word(4e + 3); a complex value takes its parts from
elements 2e and 2e + 1. Decisions about a whole cell take word(0x80000000 + j).

    bool        w0 & 1
    uint8 ... uint32, int16, int32    low bits of w0
    int64       w1 * 2**32 + w0, signed
    float32     (int32(w0) >> 8) / 2**(w1 & 31)                      exact; 1 in 16 (w1 >> 5 divisible) a special
    float64     (int32(w0) * 2**21 + (w1 >> 11)) / 2**(w2 & 63)      exact; 1 in 16 (w3 divisible) a special
    special     number (w3 >> 4) % 6 of NaN, inf, -inf, -0, the largest, the smallest above 0
    string      n bytes, n = LENGTHS[w0 % 9], or `longest` if w1 % 8 == 0, at most maxLength; byte i is
                32 + mix(w2 + i) % 95; if w3 % 5 == 0 and n >= 2 the first two bytes are an e acute
    record      see `record_cell`
    undefined   if `undefinedEvery` is m and word(0x80000000) % m == 0
    shape       the fixed one; else number word(0x80000001) % n of `shapes`; else ndim axes, if free
                1 + word(0x80000001) % 3, each of lo + word(0x80000002 + axis) % (hi - lo + 1), where
                `axes` = [lo, hi] is [1, 4] by default

Options of a column: `specials: false` keeps it to finite values; `repeat: n` gives n rows in a row the same value;
`like: name` decides about whole cells with another column's words, so that columns of one hypercube agree.
"""

import numpy as np

M = 0xFFFFFFFF
LENGTHS = [0, 1, 2, 7, 8, 9, 13, 21, 34]
SPECIALS = {
    np.float32: [np.nan, np.inf, -np.inf, -0.0, 3.4028234663852886e38, 1.401298464324817e-45],
    np.float64: [np.nan, np.inf, -np.inf, -0.0, 1.7976931348623157e308, 5e-324],
}
NUMPY = {
    "bool": np.bool_, "uint8": np.uint8, "int16": np.int16, "uint16": np.uint16, "int32": np.int32,
    "uint32": np.uint32, "int64": np.int64, "float32": np.float32, "float64": np.float64,
    "complex64": np.complex64, "complex128": np.complex128,
}
CELL = 0x80000000


def mix(x):
    """Scrambles 32-bit words, a number or an array of uint64."""
    x = x & M
    x = x ^ (x >> 16)
    x = (x * 0x85EBCA6B) & M
    x = x ^ (x >> 13)
    x = (x * 0xC2B2AE35) & M
    return x ^ (x >> 16)


def name_word(name):
    """FNV-1a of a column name."""
    h = 2166136261
    for byte in name.encode():
        h = ((h ^ byte) * 16777619) & M
    return h


class Cell:
    """The words of one cell."""

    def __init__(self, column, seed, row):
        self.base = mix(mix(name_word(column) ^ (seed & M)) + row)

    def word(self, k):
        return mix(self.base + k)

    def words(self, count, lane):
        """word(4e + lane) for e = 0 .. count - 1, as uint64 so that products don't overflow unseen."""
        k = np.arange(count, dtype=np.uint64) * np.uint64(4) + np.uint64(lane)
        x = (np.uint64(self.base) + k) & np.uint64(M)
        x ^= x >> np.uint64(16)
        x = (x * np.uint64(0x85EBCA6B)) & np.uint64(M)
        x ^= x >> np.uint64(13)
        x = (x * np.uint64(0xC2B2AE35)) & np.uint64(M)
        return x ^ (x >> np.uint64(16))


def floats(cell, count, kind, specials):
    """`count` values of numpy's float32 or float64."""
    w0, w1, w2, w3 = (cell.words(count, lane) for lane in range(4))
    signed = w0.astype(np.uint32).view(np.int32).astype(np.int64)
    if kind is np.float32:
        values = np.ldexp((signed >> 8).astype(np.float64), -(w1 & np.uint64(31)).astype(np.int32)).astype(np.float32)
        chosen = (w1 >> np.uint64(5)) % np.uint64(16) == 0
    else:
        values = signed * 2**21 + (w1 >> np.uint64(11)).astype(np.int64)
        values = np.ldexp(values.astype(np.float64), -(w2 & np.uint64(63)).astype(np.int32))
        chosen = w3 % np.uint64(16) == 0
    if specials:
        which = (w3 >> np.uint64(4)) % np.uint64(6)
        table = np.array(SPECIALS[kind], dtype=kind)
        values = np.where(chosen, table[which.astype(np.int64)], values).astype(kind)
    return values


def numbers(cell, count, dtype, specials=True):
    """`count` elements of a numeric type as a flat numpy array."""
    if dtype in ("float32", "float64"):
        return floats(cell, count, NUMPY[dtype], specials)
    if dtype in ("complex64", "complex128"):
        part = np.float32 if dtype == "complex64" else np.float64
        return floats(cell, 2 * count, part, specials).view(NUMPY[dtype])
    w0 = cell.words(count, 0)
    if dtype == "bool":
        return (w0 & np.uint64(1)).astype(np.bool_)
    if dtype == "int64":
        return ((cell.words(count, 1) << np.uint64(32)) | w0).view(np.int64)
    unsigned = {"int16": np.uint16, "int32": np.uint32}.get(dtype, NUMPY[dtype])
    return w0.astype(unsigned).view(NUMPY[dtype])


def text(cell, element, column):
    """One string."""
    w0, w1, w2, w3 = (cell.word(4 * element + lane) for lane in range(4))
    n = LENGTHS[w0 % len(LENGTHS)]
    if column.get("longest") and w1 % 8 == 0:
        n = column["longest"]
    if column.get("maxLength"):
        n = min(n, column["maxLength"])
    letters = "".join(chr(32 + mix(w2 + i) % 95) for i in range(n))
    return "\u00e9" + letters[2:] if w3 % 5 == 0 and n >= 2 else letters


def shape_of(cell, column):
    """The shape of a cell in casacore order."""
    if column.get("shape"):
        return list(column["shape"])
    if column.get("shapes"):
        return list(column["shapes"][cell.word(CELL + 1) % len(column["shapes"])])
    ndim = column.get("ndim", -1)
    if ndim <= 0:
        ndim = 1 + cell.word(CELL + 1) % 3
    low, high = column.get("axes", [1, 4])
    return [low + cell.word(CELL + 2 + axis) % (high - low + 1) for axis in range(ndim)]


def record_cell(cell):
    """A small record; 1 in 4 is empty."""
    w = cell.word(CELL)
    if w % 4 == 0:
        return {}
    return {
        "number": cell.word(0),
        "text": text(cell, 1, {}),
        "values": floats(cell, 1 + w % 3, np.float64, True),
        "inner": {"flag": bool(w & 16), "empty": {}},
    }


def cell_value(column, seed, row):
    """The value of one cell, None if undefined.

    Scalars are Python values, numeric arrays numpy arrays (axes reversed), string arrays (shape, flat list) with the
    shape in casacore order, records dicts.
    """
    row = row // column.get("repeat", 1)
    cell = Cell(column["name"], seed, row)
    whole = Cell(column.get("like", column["name"]), seed, row)
    dtype = column["dtype"]
    kind = column.get("kind", "scalar")
    if kind == "record" or dtype == "record":
        return record_cell(cell)
    if kind == "scalar":
        if dtype == "string":
            return text(cell, 0, column)
        return numbers(cell, 1, dtype, column.get("specials", True))[0]
    every = column.get("undefinedEvery")
    if every and whole.word(CELL) % every == 0:
        return None
    shape = shape_of(whole, column)
    count = int(np.prod(shape))
    if dtype == "string":
        return shape, [text(cell, e, column) for e in range(count)]
    return numbers(cell, count, dtype, column.get("specials", True)).reshape(shape[::-1])
