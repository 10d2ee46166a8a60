"""Small LiteRT files with a dense layer, made without TensorFlow."""

import io
import zipfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

CLASSES = ("daisy", "rose", "tulip")


def network(best, seed=0, side=32, scale=1e-6):
    """The bytes of a file that gives the class `best` for every image.

    Files of other seeds have other weights, and those of a larger scale give other
    classes, or NaN.
    """
    rng = np.random.default_rng(seed)
    weights = (scale * rng.normal(size=(len(CLASSES), side * side * 3))).astype("<f4")
    bias = np.eye(len(CLASSES), dtype="<f4")[CLASSES.index(best)]
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    graph.tensors = []
    for name, shape, values in (
        ("image", (1, side, side, 3), None),
        ("weights", weights.shape, weights),
        ("bias", bias.shape, bias),
        ("classes", (1, len(CLASSES)), None),
    ):
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, list(shape)
        tensor.type, tensor.buffer = schema.TensorType.FLOAT32, 0
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), "uint8")
            tensor.buffer = len(model.buffers)
            model.buffers.append(buffer)
        graph.tensors.append(tensor)
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.deprecatedBuiltinCode, code.version = code.builtinCode, 1
    operator.inputs, operator.outputs, operator.opcodeIndex = [0, 1, 2], [3], 0
    operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    operator.builtinOptions = schema.FullyConnectedOptionsT()
    graph.operators, model.operatorCodes = [operator], [code]
    graph.inputs, graph.outputs = [0], [3]
    content = io.BytesIO(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr(zipfile.ZipInfo("labels.txt"), "\n".join(CLASSES))
    return content.getvalue()
