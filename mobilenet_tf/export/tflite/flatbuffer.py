"""Reading and changing LiteRT files: layers with weights, constants, metadata."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from mobilenet_tf.export.tflite import packing

_WEIGHTED = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
)
_NUMPY = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.INT32: "int32",
    schema.TensorType.INT8: "int8",
}
_TYPES = {name: number for number, name in _NUMPY.items()}


class File:
    """A `.tflite` file that can be changed.

    Args:
        content: The file's bytes.
    """

    def __init__(self, content: bytes):
        self.model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
        self.graph = self.model.subgraphs[0]

    def content(self) -> bytes:
        """The file's bytes with all changes, tensors under the same indices."""
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self.model))

    def packed(self) -> bytes:
        """The bytes to publish, without unused parts; tensors get new indices."""
        return packing.pack(self.model)

    def layers(self) -> Iterator[Layer]:
        """The layers with weights, in the order in which they run."""
        for operator in self.graph.operators:
            if self.kind(operator) in _WEIGHTED:
                yield Layer(self, operator)

    def kind(self, operator: schema.OperatorT) -> int:
        """The operator's number in the schema."""
        return _kind(self.model.operatorCodes[operator.opcodeIndex])

    def values(self, index: int) -> np.ndarray:
        """The constant in a tensor."""
        tensor = self.graph.tensors[index]
        content = bytes(self.model.buffers[tensor.buffer].data)
        return np.frombuffer(content, _NUMPY[tensor.type]).reshape(tensor.shape)

    def set_values(
        self,
        index: int,
        values: np.ndarray,
        scales: np.ndarray | None = None,
        axis: int = 0,
    ) -> None:
        """Put a constant into a tensor, quantised by channel if there are scales."""
        tensor = self.graph.tensors[index]
        tensor.type = _TYPES[values.dtype.name]
        buffer = schema.BufferT()  # not the old: equal constants may share it
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), "uint8")
        self.model.buffers.append(buffer)
        tensor.buffer = len(self.model.buffers) - 1
        tensor.quantization = None
        if scales is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales.astype("float32")
            tensor.quantization.zeroPoint = np.zeros(len(scales), "int64")
            tensor.quantization.quantizedDimension = axis

    def add_constant(
        self, name: str, values: np.ndarray, scales: np.ndarray | None = None
    ) -> int:
        """A new constant, quantised along its first axis if there are scales."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, list(values.shape)
        self.graph.tensors.append(tensor)
        index = len(self.graph.tensors) - 1
        self.set_values(index, values, scales)
        return index

    def add_tensor(
        self, name: str, like: int, shape: Sequence[int] | None = None
    ) -> int:
        """Add a tensor with the type and scale of another; gives its index."""
        tensor = copy.copy(self.graph.tensors[like])
        tensor.name, tensor.buffer = name, 0  # the empty buffer: no constant
        if shape is not None:
            tensor.shape, tensor.shapeSignature = list(shape), None
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(
        self,
        kind: int,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: Any = None,
    ) -> schema.OperatorT:
        """A new operator, not yet in the graph."""
        operator = schema.OperatorT()
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        self.set_kind(operator, kind, options)
        return operator

    def set_kind(
        self, operator: schema.OperatorT, kind: int, options: Any = None
    ) -> None:
        """Change the kind of an operator."""
        kinds = [_kind(code) for code in self.model.operatorCodes]
        if kind not in kinds:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = kind
            self.model.operatorCodes.append(code)
            kinds.append(kind)
        operator.opcodeIndex = kinds.index(kind)
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            operator.builtinOptions = options

    def add_metadata(self, name: str, content: bytes) -> None:
        """Add bytes under a name."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, "uint8")
        self.model.buffers.append(buffer)
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, len(self.model.buffers) - 1
        self.model.metadata = [*(self.model.metadata or ()), entry]


class Layer:
    """A convolution or dense layer of a file.

    Attributes:
        operator: Its operator in the graph.
        input: Index of its input tensor.
        output: Index of its output tensor.
        axis: The axis of output channels in its weights.
    """

    def __init__(self, file: File, operator):
        self.file, self.operator = file, operator
        self.input, self.weights_index, self.bias_index = operator.inputs
        self.output = operator.outputs[0]
        depthwise = schema.BuiltinOperator.DEPTHWISE_CONV_2D
        self.axis = 3 if file.kind(operator) == depthwise else 0
        if self.bias_index < 0:  # the converter omits biases that are zero
            zeros = np.zeros(len(self.weights), "float32")
            self.bias_index = file.add_constant(f"bias_{self.output}", zeros)
            operator.inputs[2] = self.bias_index
            if self.weight_scales is not None:
                self.set_bias(zeros, self.weight_scales)

    @property
    def weights(self) -> np.ndarray:
        """`(output channels, ...)`, in either layout of the file."""
        return np.moveaxis(self.file.values(self.weights_index), self.axis, 0)

    @property
    def bias(self) -> np.ndarray:
        """`(output channels,)`: float32, or int32 in units of `bias_scales`."""
        return self.file.values(self.bias_index)

    @property
    def weight_scales(self) -> np.ndarray | None:
        """`(output channels,)`; None for float32."""
        return self._scales(self.weights_index)

    @property
    def bias_scales(self) -> np.ndarray | None:
        """`(output channels,)`; None for float32."""
        return self._scales(self.bias_index)

    @property
    def input_scale(self) -> float:
        """Scale of the quantised input."""
        return self.file.graph.tensors[self.input].quantization.scale[0]

    def set_weights(self, quantized: np.ndarray, scales: np.ndarray) -> None:
        """int8 weights `(output channels, ...)` and their scale per channel."""
        stored = np.moveaxis(quantized, 0, self.axis)
        self.file.set_values(self.weights_index, stored, scales, self.axis)

    def set_bias(self, bias: np.ndarray, weight_scales: np.ndarray) -> None:
        """float biases as int32 in units of input scale times weight scale."""
        scales = self.input_scale * weight_scales
        self.file.set_values(self.bias_index, _as_int32(bias / scales), scales)

    def add_to_bias(self, change: np.ndarray) -> None:
        """Add floats to quantised biases."""
        scales = self.bias_scales
        changed = _as_int32(self.bias + change / scales)
        self.file.set_values(self.bias_index, changed, scales)

    def _scales(self, index):
        quantization = self.file.graph.tensors[index].quantization
        return None if quantization is None else quantization.scale


def _as_int32(values):
    limits = np.iinfo("int32")
    return np.clip(np.round(values), limits.min, limits.max).astype("int32")


def _kind(code):
    # Files from before 2020 have the number in the deprecated field only.
    return max(code.builtinCode, code.deprecatedBuiltinCode)
