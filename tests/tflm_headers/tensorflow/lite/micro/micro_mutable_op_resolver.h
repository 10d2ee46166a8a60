// Stands in for the header of TensorFlow Lite Micro; see micro_interpreter.h.
#pragma once

#include "tensorflow/lite/micro/micro_interpreter.h"

namespace tflite {

template <unsigned int count>
class MicroMutableOpResolver : public Operators {
 public:
#define OPERATOR(name) \
  TfLiteStatus Add##name() { return Add(#name); }
  OPERATOR(Add)
  OPERATOR(AveragePool2D)
  OPERATOR(Concatenation)
  OPERATOR(Conv2D)
  OPERATOR(DepthwiseConv2D)
  OPERATOR(FullyConnected)
  OPERATOR(MaxPool2D)
  OPERATOR(Mean)
  OPERATOR(Reshape)
  OPERATOR(Softmax)
#undef OPERATOR

 private:
  TfLiteStatus Add(const char* name) {
    if (names.size() == count) std::abort();
    names.push_back(name);
    return kTfLiteOk;
  }
};

}  // namespace tflite
