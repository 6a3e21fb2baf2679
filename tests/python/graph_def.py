# SPDX-License-Identifier: MIT
"""Writes TensorFlow GraphDefs byte by byte, so that tests need no TensorFlow.

A graph is b"".join of node(...). Attributes are told apart by Python type: int, float, bool, str (bytes of
the field s), Type(n), Shape(dims), numpy arrays (tensors), Function(name), and lists of these.
"""

import struct

import numpy as np

TYPES = {"float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "string": 7, "int64": 9, "bool": 10, "float16": 19}


class Type(int):
    pass


class Shape(tuple):
    pass


class Function(str):
    pass


FLOAT, INT32, INT64, BOOL, STRING = (Type(TYPES[n]) for n in ("float32", "int32", "int64", "bool", "string"))


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, payload):
    """A length-delimited field, or a varint one for an int."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    payload = payload.encode() if isinstance(payload, str) else payload
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def shape(dims):
    return b"".join(field(2, field(1, d)) for d in dims)


def tensor(array, typed=None):
    """`typed`: the payload of a typed field in place of the content."""
    array = np.asarray(array)
    head = field(1, TYPES[str(array.dtype)]) + field(2, shape(array.shape))
    return head + (field(4, array.tobytes()) if typed is None else typed)


def value(x, number=None):
    """The fields of AttrValue or ListValue."""
    if isinstance(x, (list,)):
        return field(1, b"".join(value(y) for y in x))
    if isinstance(x, Type):
        return field(6, int(x))
    if isinstance(x, bool):
        return field(5, int(x))
    if isinstance(x, int):
        return field(3, x)
    if isinstance(x, float):
        return varint(4 << 3 | 5) + struct.pack("<f", x)
    if isinstance(x, Function):
        return field(10, field(1, str(x)))
    if isinstance(x, (str, bytes)):
        return field(2, x)
    if isinstance(x, Shape):
        return field(7, shape(x))
    return field(8, x if isinstance(x, memoryview) else tensor(x))


def node(name, op, *inputs, **attributes):
    body = field(1, name) + field(2, op) + b"".join(field(3, i) for i in inputs)
    for key, x in attributes.items():
        body += field(5, field(1, key) + field(2, value(x)))
    return field(1, body)


def placeholder(name, *dims, dtype=FLOAT):
    return node(name, "Placeholder", dtype=dtype, shape=Shape(dims))


def const(name, array):
    array = np.asarray(array)
    return node(name, "Const", dtype=Type(TYPES[str(array.dtype)]), value=array)


def function(name, inputs, results, nodes):
    """`results`: name -> value of the body. `nodes` as made by node()."""
    signature = field(1, name) + b"".join(field(2, field(1, i)) for i in inputs) + b"".join(field(3, field(1, r)) for r in results)
    body = field(1, signature)
    for n in nodes:
        size = len(n)
        # node() gives field 1 of GraphDef; the same message is field 3 here.
        body += varint(3 << 3 | 2) + n[1:size]
    for key, x in results.items():
        body += field(4, field(1, key) + field(2, x))
    return field(2, field(1, body))
