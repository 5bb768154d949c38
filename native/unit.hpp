// Rows scaled to unit length, for metrics that compare directions.
//
// A row is divided by the root of its squared length, which is summed like a distance (float64,
// eight lanes, no contraction), and rounded once.  A row whose squared length is one as nearly as
// its type can say is left as it is, so that scaling twice changes nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "rows.hpp"

namespace omnimeans {

// Fills out (n, d); returns the numbers of the rows of zeros, which stay zero.
template <typename T>
std::vector<std::int64_t> unit_rows(const Matrix<T>& x, T* out, int threads);

}  // namespace omnimeans
