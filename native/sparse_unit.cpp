// Sparse rows scaled to unit length, to the same bits as dense ones; see unit.hpp.
#include <cmath>

#include "sparse_unit.hpp"
#include "pool.hpp"
#include "unit.hpp"

namespace omnimeans {

template <typename T, typename I>
std::vector<std::int64_t> unit_rows(const T* values, const I* columns, const std::int64_t* starts,
                                    std::int64_t n, std::int64_t d, T* out) {
  const double tolerance = unit_tolerance<T>(d);
  std::vector<std::int64_t> blank;
  for (std::int64_t i = 0; i < n; ++i) {
    double peak = 0;
    for (std::int64_t t = starts[i]; t < starts[i + 1]; ++t) {
      peak = std::max(peak, std::fabs(static_cast<double>(values[t])));
    }
    if (peak == 0.0) blank.push_back(i);
    const double scale = unit_scale(peak);
    double s[8] = {};
    for (std::int64_t t = starts[i]; t < starts[i + 1]; ++t) {
      const double value = static_cast<double>(values[t]) * scale;
      s[columns[t] & 7] += value * value;
    }
    const double squared = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
    const bool kept = peak == 0.0 || (scale == 1.0 && std::fabs(squared - 1.0) <= tolerance);
    const double length = std::sqrt(squared);
    for (std::int64_t t = starts[i]; t < starts[i + 1]; ++t) {
      out[t] = kept ? values[t] : static_cast<T>(static_cast<double>(values[t]) * scale / length);
    }
  }
  return blank;
}

template std::vector<std::int64_t> unit_rows(const float*, const std::int32_t*,
                                             const std::int64_t*, std::int64_t, std::int64_t,
                                             float*);
template std::vector<std::int64_t> unit_rows(const float*, const std::int64_t*,
                                             const std::int64_t*, std::int64_t, std::int64_t,
                                             float*);
template std::vector<std::int64_t> unit_rows(const double*, const std::int32_t*,
                                             const std::int64_t*, std::int64_t, std::int64_t,
                                             double*);
template std::vector<std::int64_t> unit_rows(const double*, const std::int64_t*,
                                             const std::int64_t*, std::int64_t, std::int64_t,
                                             double*);

}  // namespace omnimeans
