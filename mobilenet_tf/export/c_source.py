"""A file as C++ source: the array, what a program must know of it, and an example.

Programs for TensorFlow Lite Micro have no file system: the network is a constant in
flash, with the sizes, scales and labels that go with it.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

_BYTES_PER_LINE = 16
_ALIGNMENT = 16  # of the array: the interpreter reads 32-bit numbers where they are


@dataclasses.dataclass(frozen=True)
class Deployed:
    """A network as a program sees it.

    Attributes:
        name: The C++ namespace, and the stem of the files.
        content: The bytes of the `.tflite` file.
        arena_bytes: The least memory of the interpreter.
        side: Of the image, in pixels.
        input_scale: Of the int8 input.
        input_zero_point: Of the int8 input.
        output_shape: Of one output, without the batch.
        output_scale: Of the int8 output.
        output_zero_point: Of the int8 output.
        operators: To register, as in "CONV_2D", each once.
        labels: Names of the classes; none for features.
    """

    name: str
    content: bytes
    arena_bytes: int
    side: int
    input_scale: float
    input_zero_point: int
    output_shape: tuple[int, ...]
    output_scale: float
    output_zero_point: int
    operators: tuple[str, ...]
    labels: tuple[str, ...]

    def files(self) -> dict[str, str]:
        """The text of each file by its name."""
        return {
            f"{self.name}.h": _header(self),
            f"{self.name}.cc": _source(self),
            f"{self.name}_main.cc": _example(self),
        }


def identifier(path: Path) -> str:
    """The name of a file as a C++ identifier, without its suffix."""
    name = re.sub(r"\W", "_", path.stem, flags=re.ASCII).strip("_")
    return name if name[:1].isalpha() else f"model_{name}".rstrip("_")


def method(operator: str) -> str:
    """How an operator is registered: "Conv2D" for "CONV_2D"."""
    return "".join(
        word if word[0].isdigit() else word.capitalize() for word in operator.split("_")
    )


def text_literal(text: str) -> str:
    """A string as a C++ literal of ASCII characters."""
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode()
    )
    return f'"{escaped}"'


def _header(network):
    count = 1
    for size in network.output_shape:
        count *= size
    labels = (
        "// Names of the outputs.\nextern const char* const labels[outputs];\n"
        if network.labels
        else ""
    )
    guard = f"{network.name.upper()}_H_"
    return f"""\
// {network.name}: an image classifier for TensorFlow Lite Micro.
// Written by mobilenet_tf; do not edit.
#ifndef {guard}
#define {guard}

#include <cstddef>

namespace {network.name} {{

// The network, a .tflite file.
extern const unsigned char model[];
constexpr std::size_t model_bytes = {len(network.content)};

// The least arena of the interpreter with its reference kernels, aligned to 16 bytes.
// Measured on a 64-bit machine, where pointers are larger. Optimized kernels may
// allocate some memory more.
constexpr std::size_t arena_bytes = {network.arena_bytes};

// The input: an RGB image, row by row, each value from 0 to 255 minus 128.
constexpr int side = {network.side};
constexpr int input_bytes = side * side * 3;
constexpr float input_scale = {network.input_scale!r}f;
constexpr int input_zero_point = {network.input_zero_point};

// The outputs: (value - zero point) * scale.
constexpr int outputs = {count};
constexpr float output_scale = {network.output_scale!r}f;
constexpr int output_zero_point = {network.output_zero_point};
{labels}
}}  // namespace {network.name}

#endif  // {guard}
"""


def _source(network):
    content = network.content
    lines = [
        "    "
        + " ".join(f"0x{byte:02x}," for byte in content[at : at + _BYTES_PER_LINE])
        for at in range(0, len(content), _BYTES_PER_LINE)
    ]
    labels = ""
    if network.labels:
        names = "\n".join(f"    {text_literal(label)}," for label in network.labels)
        labels = f"\nconst char* const labels[outputs] = {{\n{names}\n}};\n"
    array = "\n".join(lines)
    return f"""\
// Written by mobilenet_tf; do not edit.
#include "{network.name}.h"

namespace {network.name} {{

alignas({_ALIGNMENT}) const unsigned char model[model_bytes] = {{
{array}
}};
{labels}
}}  // namespace {network.name}
"""


def _example(network):
    name = network.name
    registered = "\n".join(
        f"  operators.Add{method(operator)}();" for operator in network.operators
    )
    label = f"{name}::labels[best]" if network.labels else '"largest feature"'
    return f"""\
// The class of each image on standard input: side * side * 3 bytes of RGB.
// On a device, let `read_image` take a picture of the camera instead.
#include <cstdint>
#include <cstdio>

#include "{name}.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {{

alignas({_ALIGNMENT}) std::uint8_t arena[{name}::arena_bytes];

bool read_image(std::uint8_t* pixels) {{
  return std::fread(pixels, 1, {name}::input_bytes, stdin) ==
         static_cast<std::size_t>({name}::input_bytes);
}}

}}  // namespace

int main() {{
  tflite::MicroMutableOpResolver<{len(network.operators)}> operators;
{registered}

  tflite::MicroInterpreter interpreter(tflite::GetModel({name}::model), operators,
                                       arena, {name}::arena_bytes);
  if (interpreter.AllocateTensors() != kTfLiteOk) return 1;

  // The image is read to where the network takes it, and needs no memory besides.
  while (read_image(interpreter.input(0)->data.uint8)) {{
    std::int8_t* input = interpreter.input(0)->data.int8;
    for (int i = 0; i < {name}::input_bytes; ++i) {{
      input[i] = static_cast<std::int8_t>(static_cast<std::uint8_t>(input[i]) - 128);
    }}
    if (interpreter.Invoke() != kTfLiteOk) return 1;
    const std::int8_t* scores = interpreter.output(0)->data.int8;
    int best = 0;
    for (int i = 1; i < {name}::outputs; ++i) {{
      if (scores[i] > scores[best]) best = i;
    }}
    const float score =
        {name}::output_scale *
        static_cast<float>(scores[best] - {name}::output_zero_point);
    std::printf("%d %s %.6f\\n", best, {label}, static_cast<double>(score));
  }}
  return 0;
}}
"""
