// What an instruction set's kernels do for trees of boxes, see tree.hpp; float64 without contraction.
#pragma once

#include <cstdint>

#include "kernels.hpp"

namespace omnimeans {

// The most features that a tree of boxes is made for.
inline constexpr int kMaxTreeFeatures = 64;
// By this share of the distances, leads give way to all roundings: in moves of centres, in D and in
// the leads themselves.
inline constexpr double kBoxSlack = 0x1p-38;

template <typename T>
struct BoxKernels {
  // For each centre of a list: by how much a rival is nearer to every point of the box, as a
  // distance for Manhattan, as twice the square of one for Euclid; -1 if it may not be.  `away`
  // gets the (squared) distance to the middle of the box.
  void (*leads)(const double* low, const double* high, std::int64_t d, const T* centers,
                std::int32_t rival, const std::int32_t* list, std::int64_t count, Metric,
                double* lead, double* away);
  // The nearest of some centres, by D, of the rows of x that `which` names; ties go to the first of
  // the list.  Writes down D to it and to the next one, in whole eights.
  void (*nearest)(const T* x, const std::int32_t* which, std::int64_t rows, std::int64_t d,
                  const T* centers, const std::int32_t* list, std::int64_t count, Metric,
                  std::int32_t* labels, double* closest, double* second);
};

struct BoxTables {
  BoxKernels<float> f32;
  BoxKernels<double> f64;
};

#define OMNIMEANS_DECLARE(isa)        \
  namespace isa {                     \
  const BoxTables& box_kernels();     \
  }
OMNIMEANS_DECLARE(baseline)
OMNIMEANS_DECLARE(avx2)
OMNIMEANS_DECLARE(avx512)
#undef OMNIMEANS_DECLARE

// Those of the instruction set in use.
template <typename T>
const BoxKernels<T>& box_kernels_for();

}  // namespace omnimeans
