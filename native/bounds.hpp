// Bounds that let rows stay where they are without looking at any centre.
//
// A row whose own centre was no farther than `upper`, and every other one no nearer than `lower`,
// keeps its label as long as upper + (what its centre has moved) < lower - (the most that any other
// has moved), by the triangle inequality (G. Hamerly, "Making k-means even faster", SDM 2010).  The
// moves are added up per cluster, and the bounds are kept relative to these totals, so that a row
// that stays costs one comparison and no store; a block whose rows all have room costs nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "duel.hpp"
#include "rows.hpp"

namespace omnimeans {

template <typename T>
class Bounds {
 public:
  static constexpr std::int64_t kBlock = 64;

  // Takes note of the centres' moves since the last pass; with `fresh`, forgets everything.
  // Returns whether nothing is known about the rows.
  bool meet(const T* centers, std::int64_t k, const Matrix<T>& x, Metric metric, double scale,
            bool fresh);
  // Writes down which of the rows [begin, end) may have changed; the others have not.
  std::int64_t survivors(const std::int32_t* labels, std::int64_t begin, std::int64_t end,
                         std::int64_t* list);
  // Measures rows of a list against their own centres and leaves out those that stay.
  std::int64_t measured(const Matrix<T>& x, const T* centers, const std::int32_t* labels,
                        std::int64_t* list, std::int64_t count);
  void set(std::int64_t i, std::int32_t label, float lower, float upper);
  // The bounds as they are now, in units of the data; for checks.
  void show(const std::int32_t* labels, std::int64_t n, double* lower, double* upper) const;
  // The next pass looks at this row again.
  void forget(std::int64_t i) { lower_[i] = -kFar, room_[i / kBlock] = -kFar; }

 private:
  static constexpr float kFar = 1e38f;

  Metric metric_ = Metric::euclidean;
  double scale_ = 1;
  std::vector<float> lower_, upper_;  // relative to the totals below
  std::vector<double> room_;          // of a block: how much `most_` may grow
  std::vector<T> last_;               // centres of the last pass
  std::vector<double> own_, others_;  // total moves of each centre, and of the farthest other
  std::vector<float> stay_;           // their sum
  double most_ = 0;                   // no `stay_` has grown by more
};

}  // namespace omnimeans
