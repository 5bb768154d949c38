// Values of a row beside levels, one level for each column: what medians are found with.
#pragma once

#include "kernels.hpp"

namespace omnimeans {

template <typename T>
struct TallyKernels {
  // Adds `sign` where the value is less than its level, and where it is not greater.
  void (*tally)(const T* x, const T* level, std::int64_t columns, Counted<T> sign,
                Counted<T>* less, Counted<T>* not_greater);
  // Writes down the columns whose value lies in [low, high]; returns how many.  Only `count` blocks
  // of kBlock<T> columns are looked at, in the list `blocks`.
  std::int64_t (*between)(const T* x, const T* low, const T* high, std::int64_t columns,
                          const std::int32_t* blocks, std::int64_t count, std::int32_t* found);
};

// Columns that a cache line holds.
template <typename T>
constexpr std::int64_t kBlock = 64 / sizeof(T);

struct Tallies {
  TallyKernels<float> f32;
  TallyKernels<double> f64;
};

#define OMNIMEANS_DECLARE(isa)     \
  namespace isa {                  \
  const Tallies& tally_kernels();  \
  }
OMNIMEANS_DECLARE(baseline)
OMNIMEANS_DECLARE(avx2)
OMNIMEANS_DECLARE(avx512)
#undef OMNIMEANS_DECLARE

}  // namespace omnimeans
