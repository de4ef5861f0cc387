"""A small network for many slow sensors, as bytes of an ONNX file: two blocks of Conv1d, BatchNorm1d and ReLU on 8
channels. The models of the folder are made for more than 10,000 of them at once on two cores.

By hand, because the onnx package is not there wherever the benchmark runs; field numbers are those of onnx.proto.
"""

import random
import struct

CHANNELS = 8
CLASSES = 4
FLOAT, INTS, INT, FLOAT_ATTRIBUTE = 1, 7, 2, 1
FLOAT_TYPE = 1


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def tensor(name, shape, values):
    dims = b"".join(number(1, dim) for dim in shape)
    return dims + number(2, FLOAT_TYPE) + block(8, name) + block(9, struct.pack(f"<{len(values)}f", *values))


def ints(name, values):
    return block(1, name) + b"".join(number(8, value) for value in values) + number(20, INTS)


def integer(name, value):
    return block(1, name) + number(3, value) + number(20, INT)


def real(name, value):
    return block(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, FLOAT_ATTRIBUTE)


def node(kind, inputs, output, *attributes):
    named = b"".join(block(1, name) for name in inputs) + block(2, output) + block(3, f"{kind}_{output}")
    return named + block(4, kind) + b"".join(block(5, attribute) for attribute in attributes)


def value_info(name, shape):
    dims = b"".join(block(1, number(1, dim) if isinstance(dim, int) else block(2, dim)) for dim in shape)
    return block(1, name) + block(2, block(1, number(1, FLOAT_TYPE) + block(2, dims)))


def make():
    source = random.Random(1)
    weights, nodes = [], []

    def weight(name, shape, spread=None):
        count = 1
        for dim in shape:
            count *= dim
        spread = spread or (2 / (count / shape[0])) ** 0.5
        weights.append(tensor(name, shape, [source.gauss(0, spread) for _ in range(count)]))
        return name

    def constant(name, length, value):
        weights.append(tensor(name, [length], [value] * length))
        return name

    before, channels = "x", CHANNELS
    for i, (width, kernel) in enumerate(((16, 5), (16, 3))):
        taps = [before, weight(f"w{i}", [width, channels, kernel])]
        pads = ints("pads", [kernel // 2, kernel // 2])
        nodes.append(node("Conv", taps, f"conv{i}", ints("kernel_shape", [kernel]), pads))
        statistics = [constant(f"{part}{i}", width, value) for part, value in (("g", 1), ("b", 0.1), ("m", 0), ("v", 1))]
        nodes.append(node("BatchNormalization", [f"conv{i}", *statistics], f"norm{i}", real("epsilon", 1e-5)))
        nodes.append(node("Relu", [f"norm{i}"], f"relu{i}"))
        before, channels = f"relu{i}", width
    nodes.append(node("GlobalAveragePool", [before], "pool"))
    nodes.append(node("Flatten", ["pool"], "flat", integer("axis", 1)))
    head = ["flat", weight("w", [CLASSES, channels]), constant("b", CLASSES, 0)]
    nodes.append(node("Gemm", head, "y", integer("transB", 1)))

    graph = b"".join(block(1, entry) for entry in nodes) + block(2, "sensors")
    graph += b"".join(block(5, entry) for entry in weights)
    graph += block(11, value_info("x", ["N", CHANNELS, "T"])) + block(12, value_info("y", ["N", CLASSES]))
    return number(1, 8) + block(7, graph) + block(8, number(2, 17))
