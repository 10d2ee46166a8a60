// Stands in for the header of TensorFlow Lite Micro; see micro_interpreter.h.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "tensorflow/lite/schema/schema_generated.h"

namespace tflite {
inline namespace micro {

struct TFLMRegistration;
class BuiltinDataAllocator;

class MicroOpResolver {
 public:
  using Parser = int (*)(const Operator*, BuiltinDataAllocator*, void**);

  virtual const TFLMRegistration* FindOp(BuiltinOperator op) const = 0;
  virtual const TFLMRegistration* FindOp(const char* name) const = 0;
  virtual Parser GetOpDataParser(BuiltinOperator op) const = 0;
  virtual ~MicroOpResolver() {}
};

}  // namespace micro

// Has all operators; the library's own.
class PythonOpsResolver : public MicroOpResolver {
 public:
  PythonOpsResolver();
  const TFLMRegistration* FindOp(BuiltinOperator op) const override;
  const TFLMRegistration* FindOp(const char* name) const override;
  Parser GetOpDataParser(BuiltinOperator op) const override;

 private:
  alignas(16) unsigned char members_[1 << 16];  // more than the library's own
};

inline namespace micro {

// Finds the operators that were added and no others.
template <unsigned int count>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
#define OPERATOR(name, code) \
  void Add##name() { Add(static_cast<BuiltinOperator>(code)); }
  OPERATOR(Add, 0)
  OPERATOR(AveragePool2D, 1)
  OPERATOR(Concatenation, 2)
  OPERATOR(Conv2D, 3)
  OPERATOR(DepthwiseConv2D, 4)
  OPERATOR(FullyConnected, 9)
  OPERATOR(MaxPool2D, 17)
  OPERATOR(Mean, 40)
  OPERATOR(Reshape, 22)
  OPERATOR(Softmax, 25)
#undef OPERATOR

  const TFLMRegistration* FindOp(BuiltinOperator op) const override {
    return Has(op) ? all_->FindOp(op) : nullptr;
  }
  const TFLMRegistration* FindOp(const char*) const override { return nullptr; }
  Parser GetOpDataParser(BuiltinOperator op) const override {
    return Has(op) ? all_->GetOpDataParser(op) : nullptr;
  }

 private:
  void Add(BuiltinOperator op) {
    if (used_ == count) std::abort();
    added_[used_++] = op;
  }
  bool Has(BuiltinOperator op) const {
    for (unsigned int i = 0; i < used_; ++i) {
      if (added_[i] == op) return true;
    }
    return false;
  }

  BuiltinOperator added_[count];
  unsigned int used_ = 0;
  const MicroOpResolver* all_ = new PythonOpsResolver;
};

}  // namespace micro
}  // namespace tflite
