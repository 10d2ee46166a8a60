"""Where the layers of a LiteRT file keep their weights, biases and scales."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.codec.difference.pieces import FLOAT32, INT8, INT32, Tensor

_DEPTHWISE = schema.BuiltinOperator.DEPTHWISE_CONV_2D
_WEIGHTED = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
    _DEPTHWISE,
)
_TYPES = {
    schema.TensorType.FLOAT32: FLOAT32,
    schema.TensorType.INT8: INT8,
    schema.TensorType.INT32: INT32,
}


@dataclasses.dataclass(frozen=True)
class Layer:
    """A convolution or dense layer of a file.

    Attributes:
        tensors: "weights" and "bias", where they are constants of a known type.
        input_scale: Where the scale of the input is, if it has one.
    """

    tensors: dict[str, Tensor]
    input_scale: int | None


class Reader:
    """Reads places instead of values.

    Args:
        content: The file.
    """

    def __init__(self, content: bytes):
        self._content = np.frombuffer(content, "uint8")
        self._model = schema.Model.GetRootAs(content)

    def layers(self) -> Iterator[Layer]:
        """The layers with weights, in order."""
        for number in range(self._model.SubgraphsLength()):
            graph = self._model.Subgraphs(number)
            for index in range(graph.OperatorsLength()):
                operator = graph.Operators(index)
                code = self._model.OperatorCodes(operator.OpcodeIndex())
                kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
                if kind in _WEIGHTED:
                    yield self._layer(graph, operator, kind)

    def _layer(self, graph, operator, kind):
        first, *others = operator.InputsAsNumpy().tolist()
        _, scale = self._scales(graph.Tensors(first))
        tensors = {}
        for role, index in zip(("weights", "bias"), others, strict=False):
            tensor = None if index < 0 else self._tensor(graph.Tensors(index), kind)
            if tensor is not None:
                tensors[role] = tensor
        return Layer(tensors, scale)

    def _tensor(self, tensor, kind):
        buffer = self._model.Buffers(tensor.Buffer())
        if not buffer.DataLength() or tensor.Type() not in _TYPES:
            return None
        shape = tensor.ShapeAsNumpy().tolist()
        last = len(shape) == 1 or kind == _DEPTHWISE
        channels = shape[-1 if last else 0]
        count, scales = self._scales(tensor)
        return Tensor(
            self._place(buffer.DataAsNumpy()),
            _TYPES[tensor.Type()],
            math.prod(shape) // channels,
            channels,
            last,
            scales,
            count,
        )

    def _scales(self, tensor):
        """Number of scales, and where they are; None without."""
        quantization = tensor.Quantization()
        if quantization is None or not quantization.ScaleLength():
            return 1, None
        scales = quantization.ScaleAsNumpy()
        return len(scales), self._place(scales)

    def _place(self, view):
        return view.ctypes.data - self._content.ctypes.data
