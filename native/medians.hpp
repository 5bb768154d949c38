// Coordinate-wise weighted medians of clusters.
//
// A median is found again from the last one.  For each coordinate of a centre a pivot is kept, one
// of the values near the median, with the mass of the values below it and of those not above it.
// Rows that change their cluster change these masses, so that nothing but moved rows is looked at to
// learn whether the pivot still is the median (C. A. R. Hoare's "Find", Communications of the ACM 4
// (1961), with the partition kept).  Where it is not, one pass over the rows collects the values
// nearest to the pivot on the side of the median, as many as lie between the two, and a few more.
//
// A mass is a number of rows, or a sum of weights in the grid's finest steps, so halves are exact.
// All roundings are those of the middle of two neighbouring values.
#pragma once

#include <cstdint>
#include <vector>

#include "members.hpp"
#include "rows.hpp"
#include "side.hpp"

namespace omnimeans {

template <typename T, typename Mass>
class Medians {
 public:
  // The medians (k, d) of rows with these labels; 0 for a cluster without weight.
  void find(const Matrix<T>& x, const double* weights, const Magic& grid,
            const std::int32_t* labels, std::int64_t k, double* out, int threads);

 private:
  struct Strip;

  bool known_ = false;
  Members members_;
  std::vector<T> pivot_;           // (k, d)
  std::vector<Mass> less_, upto_;  // (k, d) mass below the pivot, and not above it
  std::vector<Mass> all_;          // (k,)
};

}  // namespace omnimeans
