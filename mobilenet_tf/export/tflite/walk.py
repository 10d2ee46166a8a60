"""Running a LiteRT file part by part, so that each layer can change before the next.

Every operator runs twice, whatever the number of layers that change; running the whole
file after each change would take time in the square of that number.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from mobilenet_tf.export.tflite.flatbuffer import File, Layer
from mobilenet_tf.export.tflite.interpreter import dequantized, keeping_all_tensors


class Walk:
    """A walk through the layers of a file, with the tensors between two parts.

    Args:
        file: Its layers may change as long as the walk has not gone past them.
        pixels: Images as its uint8 input takes them, `(images, side, side, 3)`.
    """

    def __init__(self, file: File, pixels: np.ndarray):
        (image,) = map(int, file.graph.inputs)
        integers = np.clip(np.round(pixels), 0, 255).astype("uint8")
        self.file, self.position = file, 0
        self.tensors = {image: list(integers[:, None])}  # by index; one of each image

    def channel_means(self, layer: Layer) -> np.ndarray:
        """The mean per channel of a layer's output, over images and positions.

        Args:
            layer: One that comes after those asked for before.
        """
        end = self._place(layer)
        self._run(self.file.graph.operators[self.position : end])
        self.position = end
        # The layer itself runs again in the next part, as it will be then.
        interpreter, inputs = self._interpreter([layer.operator], [layer.output])
        details = interpreter.get_tensor_details()
        (details,) = (one for one in details if one["index"] == layer.output)
        total = np.zeros(())
        for number in range(self._images()):
            self._invoke(interpreter, inputs, number)
            values = dequantized(interpreter, details)
            total = total + values.reshape(-1, values.shape[-1]).mean(0)
        return total / self._images()

    def _place(self, layer):
        operators = self.file.graph.operators
        return next(n for n, one in enumerate(operators) if one is layer.operator)

    def _images(self):
        return len(next(iter(self.tensors.values())))

    def _run(self, operators):
        """Compute what operators give, and keep what is needed after them."""
        if not operators:
            return
        later = self.file.graph.operators[self.position + len(operators) :]
        needed = {int(index) for operator in later for index in operator.inputs}
        given = {int(index) for operator in operators for index in operator.outputs}
        outputs = sorted(given & needed)
        interpreter, inputs = self._interpreter(operators, outputs)
        computed = {index: [] for index in outputs}
        for number in range(self._images()):
            self._invoke(interpreter, inputs, number)
            for index, values in computed.items():
                values.append(interpreter.get_tensor(index))
        self.tensors.update(computed)
        self.tensors = {i: self.tensors[i] for i in self.tensors if i in needed}

    def _interpreter(self, operators, outputs):
        """An interpreter of some operators, and the tensors that it must be given."""
        read = {int(index) for operator in operators for index in operator.inputs}
        inputs = sorted(read & self.tensors.keys())
        content = part(self.file, operators, inputs, outputs)
        return keeping_all_tensors(content), inputs

    def _invoke(self, interpreter, inputs, number):
        for index in inputs:
            interpreter.set_tensor(index, self.tensors[index][number])
        interpreter.invoke()


def part(
    file: File,
    operators: Sequence[schema.OperatorT],
    inputs: Sequence[int],
    outputs: Sequence[int],
) -> bytes:
    """The bytes of a file of some operators, tensors under the same indices.

    What the operators do not use is empty in it: a part is one layer of many, and the
    weights of the others would be copied for each.
    """
    model, graph = copy.copy(file.model), copy.copy(file.graph)
    graph.operators = list(operators)
    graph.inputs, graph.outputs = list(inputs), list(outputs)
    used = {*inputs, *outputs}
    used.update(int(i) for one in operators for i in (*one.inputs, *one.outputs))
    graph.tensors = _only(used, file.graph.tensors, schema.TensorT())
    # Of optional inputs that are left out the index is -1.
    constants = {file.graph.tensors[index].buffer for index in used if index >= 0}
    model.buffers = _only(constants, file.model.buffers, schema.BufferT())
    model.subgraphs, model.signatureDefs, model.metadata = [graph], None, None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _only(used, everything, empty):
    """A list with the empty element in place of each that is not used."""
    return [one if index in used else empty for index, one in enumerate(everything)]
