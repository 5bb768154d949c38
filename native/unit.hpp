// Rows scaled to unit length, for metrics that compare directions.
//
// A row is divided by the root of its squared length, which is summed like a distance (float64,
// eight lanes, no contraction), and rounded once.  A row whose squared length is one as nearly as
// its type can say is left as it is, so that scaling twice changes nothing.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "rows.hpp"

namespace omnimeans {

// Where squares could leave the range of float64, the row is first brought nearer to one.
inline double unit_scale(double peak) {
  return peak < 0x1p-500 ? 0x1p+600 : peak > 0x1p+500 ? 0x1p-600 : 1.0;
}

// How far the squared length of a row that was scaled to one may be from it: the rounding of its
// values, and of two sums of d / 8 + 3 terms.
template <typename T>
inline double unit_tolerance(std::int64_t d) {
  constexpr double ulp = std::numeric_limits<T>::epsilon();
  return 4.0 * ulp + (static_cast<double>(d) + 64.0) * 0x1p-54;
}

// Fills out (n, d); returns the numbers of the rows of zeros, which stay zero.
template <typename T>
std::vector<std::int64_t> unit_rows(const Matrix<T>& x, T* out, int threads);

}  // namespace omnimeans
