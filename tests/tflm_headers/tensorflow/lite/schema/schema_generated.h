// Stands in for the header of TensorFlow Lite Micro; see micro_interpreter.h.
#pragma once
