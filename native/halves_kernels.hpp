// What an instruction set's kernels offer for splits in two; see halves.hpp.
#pragma once

#include <cstdint>

namespace omnimeans {

struct Magic;

// The height of x above a plane is (x - origin) . across + shift, with an error of at most
// (quad R + slope) R + level, where R is the row's radius plus `more`.
struct Aim {
  // (d + 8) and (d + 16), for whole vectors: after the d features come the last eight or sixteen
  // of them again, where those that were counted already weigh nothing.
  const double *origin, *across;
  const float *origin32, *across32;
  bool narrow;  // the product is taken in float32
  double shift, more, quad, slope, level;
};

// Rows with fewer features are projected in float64, whatever their type.
inline constexpr std::int64_t kNarrowFeatures = 16;

// The sum of distances in two words, as in exact.hpp; `limit` is the largest that fits.
struct TallyGrid {
  double high = 0, low = 0, limit = 0;
};

// `look`, `share` and `raise` are screens: they propose or copy.
template <typename T>
struct HalvesKernels {
  // The heights of rows above a plane, and their sides; 2: in doubt.
  void (*look)(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d, const Aim&,
               const float* radius, float* height, std::uint8_t* side);
  // Copies rows to where their side is brought together, in their order.
  void (*share)(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
                const std::uint8_t* side, T* const to[2]);
  // Raises the peaks to the largest |x| of each column of rows that lie in one piece.
  void (*raise)(const T* rows, std::int64_t count, std::int64_t d, T* peaks);
};
// `pick` and `measure` decide: the same bits on every machine.
template <typename T>
struct ExactHalves {
  // Adds the rows of one side to sums (2, d + 1).  True if the grid was too coarse for one of them.
  bool (*pick)(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
               const std::uint8_t* side, std::uint8_t which, const Magic&, std::int64_t* sums);
  // D of rows that lie in one piece, and its root, rounded up; adds D to two words.  False, and
  // nothing added, if one of them does not fit into the words.
  bool (*measure)(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
                  const double* center, const TallyGrid&, double* away, float* radius,
                  std::int64_t words[2]);
};
// Notes the rows that may change sides: |height| <= reach + turn radius; returns how many.
typedef std::int64_t FindNear(const float* height, const float* radius, std::int64_t count,
                              float reach, float turn, std::int32_t first, std::int32_t* found);
struct HalvesTable {
  HalvesKernels<float> f32;
  HalvesKernels<double> f64;
  FindNear* near;
};
struct ExactHalvesTable {
  ExactHalves<float> f32;
  ExactHalves<double> f64;
};

#define OMNIMEANS_DECLARE(isa)                 \
  namespace isa {                              \
  const HalvesTable& halves_kernels();         \
  const ExactHalvesTable& halves_exact();      \
  }
OMNIMEANS_DECLARE(baseline)
OMNIMEANS_DECLARE(avx2)
OMNIMEANS_DECLARE(avx512)
#undef OMNIMEANS_DECLARE

}  // namespace omnimeans
