// What an instruction set's kernels offer for sparse rows: the fast screen, which proposes.
//
// Centres stand feature by feature, all centres of a feature side by side, so that each non-zero
// value of a row is one broadcast times a few vectors.  The cost is that of the non-zero values.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.hpp"

namespace omnimeans {

// Centres prepared for sparse rows: shifted (not for the city-block distance), scaled, in float32.
struct SparseScreen {
  Metric metric;
  std::int64_t k = 0, d = 0;
  std::int64_t width = 0;     // centres of a feature with padding
  double scale = 1;           // a power of two
  std::vector<float> packed;  // (d, width)
  std::vector<float> start;   // (width,) the score of a row of zeros; -inf: never nearest
  std::vector<float> norms;   // (width,)
  std::vector<float> halves;  // (width,) half of the squared norms, or 0
  float remote = 0;           // size of the shift
  float reach = 0;            // the largest norm
};

// A row's non-zero values and their columns, in ascending order.
template <typename T, typename I>
struct SparseRow {
  const T* values;
  const I* columns;
  std::int64_t count;
};

// What bounds the error of a row's scores, see sparse_screen.cpp.
struct Doubt {
  float relative;  // of what follows
  float slope;     // times the centre's norm
  float level;
};

template <typename T, typename I>
struct SparseKernels {
  // Fills `scores` (width) with upper bounds of the scores, but for `level`, and returns the bound.
  Doubt (*raise)(const SparseScreen&, SparseRow<T, I>, float* scores);
  // The nearest centre; true if in doubt, with the value that candidates among `scores` reach.
  bool (*propose)(const SparseScreen&, SparseRow<T, I>, float* scores, std::int32_t* label,
                  float* threshold);
};

struct SparseTable {
  SparseKernels<float, std::int32_t> f32_i32;
  SparseKernels<float, std::int64_t> f32_i64;
  SparseKernels<double, std::int32_t> f64_i32;
  SparseKernels<double, std::int64_t> f64_i64;
};

// Eight columns in which a row of a tile has values; they stand beside it, zeros among them.
struct SparseGroup {
  std::int32_t group, row;
};
inline constexpr int kSparseRows = 8;  // rows of a tile

// D from a tile of rows to a centre, both in float64 and padded with zeros to whole groups.
struct SparseSums {
  typedef void Zeros(const double* center, std::int64_t groups, double* terms);
  typedef void Sums(const SparseGroup* met, std::int64_t count, const double* values,
                    const double* center, const double* terms, std::int64_t groups, double* out);
  // The terms of a row of zeros.
  Zeros *zeros_euclidean, *zeros_manhattan;
  // The distances of the rows, whose groups are in ascending order.
  Sums *sums_euclidean, *sums_manhattan;
  // Adds x (x - twice[column]) for each value x of one row, for all centres: twice (d, width).
  void (*expand)(const double* values, const std::int64_t* columns, std::int64_t count,
                 const double* twice, std::int64_t width, double* out);
};

inline constexpr int kSparsePad = 16;  // centres are padded to a multiple of the widest vector

#define OMNIMEANS_DECLARE(isa)           \
  namespace isa {                        \
  const SparseTable& sparse_kernels();   \
  const SparseSums& sparse_sums();       \
  }
OMNIMEANS_DECLARE(baseline)
OMNIMEANS_DECLARE(avx2)
OMNIMEANS_DECLARE(avx512)
#undef OMNIMEANS_DECLARE

}  // namespace omnimeans
