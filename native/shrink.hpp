// Fits of a few rows with many numbers of clusters, for scores that ask for hundreds of them.
//
// The gap statistic and the stability of a sweep fit the same small sample, or one like it, again
// and again.  One fit is nothing there and what stands around it everything, so all of it is done
// in one call: k-means++ with more centres than are asked for, then the two clusters whose union
// costs least are merged and a few of Lloyd's iterations follow, down to one cluster (P. Fränti and
// O. Virmajoki, Pattern Recognition 39, 2006).  One thread makes one set of fits, in float64 and in
// one order of operations, so the result is the same for any number of threads and instruction set.
#pragma once

#include <cstdint>
#include <vector>

#include "silhouette.hpp"

namespace omnimeans {

// What is to be done to each set of rows.
struct Shrinking {
  std::vector<std::int32_t> ks;  // falling; each at most the number of rows
  std::int64_t first;            // centres to begin with, ks[0] or more
  int most;                      // iterations for each k
  double share;                  // of the inertia; an iteration that gains no more is the last
};

// Numbers that look random, one for each place of a stream.
struct Stream {
  std::uint64_t seed, place = 0;
  double next();  // from 0 up to 1
};

// Some rows in tiles, feature by feature.
struct Tiled {
  const double* x;  // (n, d)
  std::int64_t n, d, tiles;
  std::vector<double> across;  // (tiles, d, kPairTile)

  Tiled(const double* x, std::int64_t n, std::int64_t d);
  const double* tile(std::int64_t t) const { return across.data() + t * d * kPairTile; }
  // The nearest of the centres (k, d) for each row.
  void nearest(const double* centers, std::int64_t k, std::int32_t* labels) const;
};

// The fits of one set of rows, from the largest k down.
class Shrinker {
 public:
  Shrinker(const double* x, const double* weights, std::int64_t n, std::int64_t d, Stream stream);

  // Makes the fits; act(number of k, inertia, centres) after each.
  template <class Act>
  void run(const Shrinking& plan, Act&& act) {
    begin(plan.first);
    for (std::size_t i = 0; i < plan.ks.size(); ++i) {
      while (k_ > plan.ks[i]) {
        if (!assigned_) refine(kBetween, plan.share);
        merge(std::min(k_ - plan.ks[i], std::max<std::int64_t>(1, k_ / kStride)));
      }
      refine(plan.most, plan.share);
      act(i, inertia_, centers_.data());
    }
  }

 private:
  static constexpr int kBetween = 2;  // iterations after a merge that is not asked for
  static constexpr int kStride = 32;  // where no k is asked for nearby, one in so many is merged
  static constexpr int kTrials = 4;   // candidates for each centre of the start

  void begin(std::int64_t k);                // k-means++
  void refine(int most, double share);       // Lloyd's iterations
  void merge(std::int64_t merges);           // of the pairs whose union costs least
  Passing passing(const std::vector<double>& rows) const;
  template <int kFeatures>
  void add_up(std::int64_t t, const std::int32_t* which);  // the rows of a tile

  Tiled rows_;
  std::int64_t d_;
  Stream stream_;
  std::vector<double> weights_;  // (tiles, kPairTile), 0 for what stands in
  std::int64_t k_ = 0;
  std::vector<double> centers_, sizes_;
  std::vector<double> sums_;  // two of (k, d + 1): those of even and of odd rows, with their weights
  double inertia_ = 0.0;
  bool assigned_ = false;  // sizes belong to the centres
};

// Rows spread evenly over boxes, one for each seed: the inertia of each fit, out (seeds, ks).
struct Box {
  const double *low, *width;  // (d,)
  std::int64_t n, d;
  const double* weights;
};
void shrink_references(const Box& box, const Shrinking& plan, const std::uint64_t* seeds,
                       std::int64_t count, double* out, int threads);

// Parts of some rows, `part` row numbers for each seed: the adjusted Rand index of the clusters
// that their fits give all rows with given ones, labels (ks, n); out (seeds, ks).
struct Parts {
  const double* x;
  const double* weights;
  std::int64_t n, d;
  const std::int64_t* numbers;  // (seeds, part)
  std::int64_t part;
  const std::int32_t* labels;  // (ks, n), those of ks[i] below ks[i]
};
void shrink_parts(const Parts& parts, const Shrinking& plan, const std::uint64_t* seeds,
                  std::int64_t count, double* out, int threads);

}  // namespace omnimeans
