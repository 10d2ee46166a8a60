"""LiteRT files opened up: their layers with weights, and the numbers in them."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

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
        """The file's bytes with all changes."""
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self.model))

    def layers(self) -> Iterator[Layer]:
        """The layers with weights, in the order in which they run."""
        for operator in self.graph.operators:
            if self.kind(operator) in _WEIGHTED:
                yield Layer(self, operator)

    def kind(self, operator) -> int:
        """The operator's number in the schema."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        return max(code.builtinCode, code.deprecatedBuiltinCode)

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
        buffer = schema.BufferT()  # a new one: equal constants may share theirs
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), "uint8")
        self.model.buffers.append(buffer)
        tensor.buffer = len(self.model.buffers) - 1
        tensor.quantization = None
        if scales is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales.astype("float32")
            tensor.quantization.zeroPoint = np.zeros(len(scales), "int64")
            tensor.quantization.quantizedDimension = axis

    def add_zeros(self, count: int) -> int:
        """A new float32 constant of zeros; its index."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape = f"zeros_{len(self.graph.tensors)}", [count]
        self.graph.tensors.append(tensor)
        self.set_values(len(self.graph.tensors) - 1, np.zeros(count, "float32"))
        return len(self.graph.tensors) - 1

    def dequantize_before_last(self) -> None:
        """Exchange the last two operators, a dense layer and a dequantisation.

        The dense layer then takes and gives float32, and keeps its int8 weights.
        """
        dense, dequantize = self.graph.operators[-2:]
        features, middle = dense.inputs[0], dense.outputs[0]
        tensor = self.graph.tensors[middle]
        tensor.shape = list(self.graph.tensors[features].shape)
        tensor.shapeSignature = None
        tensor.type = schema.TensorType.FLOAT32
        tensor.quantization = None
        first, last = copy.copy(dequantize), copy.copy(dense)
        first.inputs, first.outputs = [features], [middle]
        last.inputs, last.outputs = [middle, *dense.inputs[1:]], dequantize.outputs
        last.builtinOptions.asymmetricQuantizeInputs = True
        self.graph.operators[-2:] = [first, last]

    def append_softmax(self) -> None:
        """Turn the float32 outputs into probabilities."""
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SOFTMAX
        self.model.operatorCodes.append(code)
        (logits,) = self.graph.operators[-1].outputs
        probabilities = copy.copy(self.graph.tensors[logits])
        probabilities.name = b"probabilities"
        self.graph.tensors.append(probabilities)
        softmax = schema.OperatorT()
        softmax.opcodeIndex = len(self.model.operatorCodes) - 1
        softmax.inputs = [logits]
        softmax.outputs = [len(self.graph.tensors) - 1]
        softmax.builtinOptionsType = schema.BuiltinOptions.SoftmaxOptions
        softmax.builtinOptions = schema.SoftmaxOptionsT()
        softmax.builtinOptions.beta = 1.0
        self.graph.operators.append(softmax)
        self.graph.outputs = softmax.outputs
        for signature in self.model.signatureDefs or ():
            signature.outputs[0].tensorIndex = softmax.outputs[0]


class Layer:
    """A convolution or dense layer of a file.

    Attributes:
        output: Index of the tensor that it gives.
        axis: The axis of its weights that counts the output channels.
    """

    def __init__(self, file: File, operator):
        self.file = file
        self.input, self.weights_index, self.bias_index = operator.inputs
        self.output = operator.outputs[0]
        depthwise = schema.BuiltinOperator.DEPTHWISE_CONV_2D
        self.axis = 3 if file.kind(operator) == depthwise else 0
        if self.bias_index < 0:  # the converter leaves biases of zero out
            self.bias_index = file.add_zeros(len(self.weights))
            operator.inputs[2] = self.bias_index

    @property
    def weights(self) -> np.ndarray:
        """`(output channels, ...)`, whatever the layout of the file."""
        return np.moveaxis(self.file.values(self.weights_index), self.axis, 0)

    @property
    def bias(self) -> np.ndarray:
        """`(output channels,)`: float32, or int32 in units of `bias_scales`."""
        return self.file.values(self.bias_index)

    @property
    def bias_scales(self) -> np.ndarray:
        tensor = self.file.graph.tensors[self.bias_index]
        return np.asarray(tensor.quantization.scale)

    def set_weights(self, quantized: np.ndarray, scales: np.ndarray) -> None:
        """int8 weights `(output channels, ...)` and their scale per channel."""
        stored = np.moveaxis(quantized, 0, self.axis)
        self.file.set_values(self.weights_index, stored, scales, self.axis)

    def set_bias(self, bias: np.ndarray, weight_scales: np.ndarray) -> None:
        """float biases as int32 in units of input scale times weight scale."""
        tensor = self.file.graph.tensors[self.input]
        scales = tensor.quantization.scale[0] * weight_scales
        quantized = np.round(bias / scales).astype("int32")
        self.file.set_values(self.bias_index, quantized, scales)

    def add_to_bias(self, change: np.ndarray) -> None:
        """Add floats to quantised biases."""
        scales = self.bias_scales
        changed = self.bias + np.round(change / scales).astype("int32")
        self.file.set_values(self.bias_index, changed.astype("int32"), scales)
