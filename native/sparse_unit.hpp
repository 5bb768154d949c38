// Sparse rows scaled to unit length, to the same bits as dense ones; see unit.hpp.
#pragma once

#include <cstdint>
#include <vector>

namespace omnimeans {

// Fills out, value by value; returns the numbers of the rows of zeros.
template <typename T, typename I>
std::vector<std::int64_t> unit_rows(const T* values, const I* columns, const std::int64_t* starts,
                                    std::int64_t n, std::int64_t d, T* out);

}  // namespace omnimeans
