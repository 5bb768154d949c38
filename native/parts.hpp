// What a part of larger data is asked: rows come and go, while what is known of them is kept by the
// caller.
#pragma once

#include <cstdint>
#include <vector>

#include "rows.hpp"

namespace omnimeans {

// Rows that candidates for a new centre would win.
struct Winners {
  bool complete = true;             // false where there were more than fit
  std::vector<std::int64_t> gains;  // (c,) shares saved by each candidate
  std::vector<std::int64_t> counts; // (c,) rows listed for each candidate, one after the other
  std::vector<std::int32_t> rows;
  std::vector<double> away;
};

// Finds every row that is nearer to one of the candidates (c, d) than `closest`.  A row's share is
// weight times distance, in steps of 2^exponent; `weights` may be null.
template <typename T>
Winners winners(const Matrix<T>& x, const double* closest, const double* weights, int exponent,
                const T* candidates, std::int64_t c, Metric metric, Frame<T> frame, int threads,
                std::int64_t room);

// How much nearer each cluster's rows are to their own centre than to any other, at least: the
// smallest difference of distances (not squared), as far as `reach`.  Infinite for a cluster that has
// no row here.
template <typename T>
std::vector<double> gaps(const Matrix<T>& x, const std::int32_t* labels, const T* centers,
                         std::int64_t k, Metric metric, Frame<T> frame, double reach,
                         int threads);

}  // namespace omnimeans
