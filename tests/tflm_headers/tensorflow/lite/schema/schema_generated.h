// Stands in for the header of TensorFlow Lite Micro; see micro_interpreter.h.
#pragma once

#include <cstdint>
#include <cstring>

namespace tflite {

enum BuiltinOperator : std::int32_t {};
struct Model;
struct Operator;

// A file begins with the distance to its root table.
inline const Model* GetModel(const void* file) {
  std::uint32_t distance;
  std::memcpy(&distance, file, sizeof distance);
  return reinterpret_cast<const Model*>(static_cast<const char*>(file) + distance);
}

}  // namespace tflite
