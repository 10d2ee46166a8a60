// Stands in for TensorFlow Lite Micro's headers, which no Python package brings: just
// what the example uses. The network is run by the interpreter of the Python package,
// which $RUN_TFLM starts in the working directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

enum TfLiteStatus { kTfLiteOk, kTfLiteError };

union TfLitePtrUnion {
  std::int8_t* int8;
  std::uint8_t* uint8;
};

struct TfLiteTensor {
  TfLitePtrUnion data;
};

namespace tflite {

struct Model {
  const unsigned char* bytes;
};

inline const Model* GetModel(const void* bytes) {
  static Model model;
  model.bytes = static_cast<const unsigned char*>(bytes);
  return &model;
}

class Operators {
 public:
  std::vector<std::string> names;
};

class MicroInterpreter {
 public:
  MicroInterpreter(const Model* model, const Operators& operators, std::uint8_t* arena,
                   std::size_t arena_bytes)
      : input_bytes_(INPUT_BYTES), output_bytes_(OUTPUTS) {
    Write("model.tflite", model->bytes, MODEL_BYTES);
    std::ofstream registered("operators.txt");
    for (const auto& name : operators.names) registered << name << "\n";
    std::ofstream("arena.txt") << arena_bytes;
    input_.data.int8 = input_bytes_.data();
    output_.data.int8 = output_bytes_.data();
    arena[0] = arena[arena_bytes - 1] = 0;
  }

  TfLiteStatus AllocateTensors() { return kTfLiteOk; }
  TfLiteTensor* input(int) { return &input_; }
  TfLiteTensor* output(int) { return &output_; }

  TfLiteStatus Invoke() {
    Write("input.bin", input_bytes_.data(), input_bytes_.size());
    if (std::system(std::getenv("RUN_TFLM")) != 0) return kTfLiteError;
    std::ifstream file("output.bin", std::ios::binary);
    file.read(reinterpret_cast<char*>(output_bytes_.data()), OUTPUTS);
    return file ? kTfLiteOk : kTfLiteError;
  }

 private:
  static void Write(const char* path, const void* bytes, std::size_t count) {
    std::ofstream file(path, std::ios::binary);
    file.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
  }

  std::vector<std::int8_t> input_bytes_, output_bytes_;
  TfLiteTensor input_, output_;
};

}  // namespace tflite
