// How far rows are from the clusters of a labelling: what the silhouette and Dunn's index ask for.
//
// Every row is compared with every other row, but never are more than a few kilobytes of distances
// held.  Sixteen rows lie across the lanes of the vectors and all rows stream past them one at a
// time; a distance is added to the sum of the cluster that the passing row belongs to, in any
// number of labellings at once.  For a single labelling each pair of rows is met once: rows are
// sorted by cluster, so that the sixteen are of one, and the distance is added to the passing row's
// sum as well.  Lanes are summed up in one order and the rows pass in one order, so the result is
// the same for any number of threads and any instruction set.
#pragma once

#include <cstdint>
#include <string>

#include "kernels.hpp"
#include "rows.hpp"

namespace omnimeans {

// Rows across the lanes of a tile.
inline constexpr int kPairTile = 16;
// Sums that the other way round is left in.
inline constexpr int kPairBack = 8;

// Rows that pass, some of all: their values, their weights and their labels.
struct Passing {
  const double* x;             // (count, d)
  std::int64_t count, d;
  const double* weights;       // (count,) or null: all 1
  const std::int32_t* labels;  // (labellings, stride), from the first of these rows on
  std::int64_t labellings, stride;
  std::int64_t k;              // labels are below
  const std::int64_t* first = nullptr;  // (labellings,) where the sums of each begin; null: at 0
};

struct PairKernels {
  // Adds weight times distance to sums (clusters of all labellings, kPairTile); `tile` is
  // (d, kPairTile).
  void (*add)(const double* tile, const Passing&, Metric, bool root, double* sums);
  // The same in one labelling, and the other way round too: adds the weights of the lanes times
  // distance to back (count, kPairBack), to be summed up over its second axis.
  void (*add_both)(const double* tile, const double* lane_weights, const Passing&, Metric,
                   bool root, double* sums, double* back);
  // Lowers closest (kPairTile,) to the least distance to a row of another cluster, and raises
  // farthest to the largest to a row of the same, in the first labelling.
  void (*reach)(const double* tile, const std::int32_t* own, const Passing&, Metric,
                double* closest, double* farthest);
  // The nearest passing row to each lane, the first of them where several are as near, and its
  // (squared) distance.
  void (*nearest)(const double* tile, const Passing&, Metric, double* closest, std::int32_t* which);
  // The (squared) distance of each passing row to each lane, out (count, kPairTile).
  void (*distances)(const double* tile, const Passing&, Metric, double* out);
};

#define OMNIMEANS_DECLARE(isa)         \
  namespace isa {                      \
  const PairKernels& pair_kernels();   \
  }
OMNIMEANS_DECLARE(baseline)
OMNIMEANS_DECLARE(avx2)
OMNIMEANS_DECLARE(avx512)
#undef OMNIMEANS_DECLARE

// Those of the instruction set in use.
const PairKernels& pair_kernels();

// Rows [begin, begin + kPairTile) feature by feature; the last row stands in for those beyond it.
void lay_across(const double* x, std::int64_t n, std::int64_t d, std::int64_t begin, double* tile);

// The silhouette of each row in each labelling, out (labellings, n).  A weight counts copies of its
// row; a row that is alone in its cluster has silhouette 0, and so has one of weight 0.
void silhouettes(const Passing& rows, Metric metric, bool root, double* out, int threads);

// For each row the (squared) distance to the closest row of another cluster and to the farthest of
// its own.
void extremes(const Passing& rows, Metric metric, double* closest, double* farthest, int threads);

// For each row D to its own centre and to the nearest of the others.
template <typename T>
void own_and_other(const Matrix<T>& rows, const T* centers, std::int64_t k,
                   const std::int32_t* labels, Metric metric, double* own, double* other,
                   int threads);

}  // namespace omnimeans
