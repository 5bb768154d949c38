#include "unit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pool.hpp"

namespace omnimeans {
namespace {

constexpr std::int64_t kChunk = 256;  // rows

template <typename T>
double largest(const T* x, std::int64_t d) {
  T peak = 0;
  for (std::int64_t f = 0; f < d; ++f) peak = std::max(peak, std::abs(x[f]));
  return static_cast<double>(peak);
}

template <typename T>
double squared_length(const T* x, std::int64_t d, double scale) {
  double s[8] = {};
  const auto add = [&](std::int64_t f, std::int64_t lane) {
    const double value = static_cast<double>(x[f]) * scale;
    s[lane] += value * value;
  };
  std::int64_t f = 0;
  for (; f + 8 <= d; f += 8) {
    for (std::int64_t lane = 0; lane < 8; ++lane) add(f + lane, lane);
  }
  for (std::int64_t lane = 0; f < d; ++f, ++lane) add(f, lane);
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

}  // namespace

template <typename T>
std::vector<std::int64_t> unit_rows(const Matrix<T>& x, T* out, int threads) {
  const double tolerance = unit_tolerance<T>(x.d);
  std::vector<std::vector<std::int64_t>> found((x.n + kChunk - 1) / kChunk);
  finish(parallel(x.n, kChunk, threads, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* row = x.data + i * x.stride;
      T* unit = out + i * x.d;
      const double peak = largest(row, x.d);
      const double scale = unit_scale(peak);
      const double squared = squared_length(row, x.d, scale);
      if (peak == 0.0) found[begin / kChunk].push_back(i);
      if (peak == 0.0 || (scale == 1.0 && std::abs(squared - 1.0) <= tolerance)) {
        std::copy(row, row + x.d, unit);
        continue;
      }
      const double length = std::sqrt(squared);
      for (std::int64_t f = 0; f < x.d; ++f) {
        unit[f] = static_cast<T>(static_cast<double>(row[f]) * scale / length);
      }
    }
  }));
  std::vector<std::int64_t> blank;
  for (const auto& part : found) blank.insert(blank.end(), part.begin(), part.end());
  return blank;
}

template std::vector<std::int64_t> unit_rows(const Matrix<float>&, float*, int);
template std::vector<std::int64_t> unit_rows(const Matrix<double>&, double*, int);

}  // namespace omnimeans
