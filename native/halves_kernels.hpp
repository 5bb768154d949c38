// What an instruction set's kernels offer for splits in two; see halves.hpp.
#pragma once

#include <cstdint>

namespace omnimeans {

// `project` and `compare` only propose.
template <typename T>
struct HalvesKernels {
  // along[i] = (row i - middle) . across, and away[i] = |row i - middle|^2, nearly.
  void (*project)(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
                  const double* middle, const double* across, double* along, double* away);
  // Copies rows to where their side is brought together, in their order.
  void (*share)(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
                const std::uint8_t* side, T* const to[2]);
  // Raises the peaks to the largest |x| of each column of rows that lie in one piece.
  void (*raise)(const T* rows, std::int64_t count, std::int64_t d, T* peaks);
};
// The side of each row after the plane has turned by `turn` and moved by `step`; 2: in doubt.
typedef void ComparePlanes(const float* height, const float* radius, std::int64_t count, float step,
                           float turn, float slack, std::uint8_t* side);
// The heights and radii of projected rows, and their sides; 2: in doubt.
typedef void JudgeRows(const double* along, const double* away, std::int64_t count, double inverse,
                       double slope, double level, float* height, float* radius,
                       std::uint8_t* side, double* widest);
struct HalvesTable {
  HalvesKernels<float> f32;
  HalvesKernels<double> f64;
  ComparePlanes* compare;
  JudgeRows* judge;
};

#define OMNIMEANS_DECLARE(isa)           \
  namespace isa {                        \
  const HalvesTable& halves_kernels();   \
  }
OMNIMEANS_DECLARE(baseline)
OMNIMEANS_DECLARE(avx2)
OMNIMEANS_DECLARE(avx512)
#undef OMNIMEANS_DECLARE

}  // namespace omnimeans
