// Sums, medians and seeds of sparse rows.
#include <algorithm>
#include <cmath>
#include <vector>

#include "pool.hpp"
#include "sparse.hpp"

namespace omnimeans {
namespace {

// Sums of this many words are not worth a copy for each thread.
constexpr std::int64_t kFewWords = std::int64_t{1} << 20;

inline std::int64_t bits_of(double x) { return __builtin_bit_cast(std::int64_t, x); }

// One value's part in a sum, as ExactKernels::move adds it.
inline void add(double value, double weight, bool whole, double high, double low,
                std::int64_t sign, std::int64_t* to_high, std::int64_t* to_low) {
  const double product = whole ? value : weight * value;
  const double rounded = product + high, rest = product - (rounded - high);
  std::int64_t fine = bits_of(rest + low) - bits_of(low);
  if (!whole) fine += bits_of(std::fma(weight, value, -product) + low) - bits_of(low);
  *to_high += sign * (bits_of(rounded) - bits_of(high));
  *to_low += sign * fine;
}

// Adds a row to the sums of a cluster (sign 1) or takes it out (sign -1).
template <typename T, typename I>
void put(SparseRow<T, I> x, double weight, const Magic& grid, std::int64_t sign,
         std::int64_t* sums) {
  const std::int64_t columns = grid.columns(), d = columns - 1;
  const bool whole = weight == 1.0;
  for (std::int64_t t = 0; t < x.count; ++t) {
    const auto f = static_cast<std::int64_t>(x.columns[t]);
    add(static_cast<double>(x.values[t]), weight, whole, grid.high[f], grid.low[f], sign, sums + f,
        sums + columns + f);
  }
  add(1.0, weight, whole, grid.high[d], grid.low[d], sign, sums + d, sums + columns + d);
}

// Rows by cluster, in order.
struct Groups {
  std::vector<std::int64_t> start, rows;
  Groups(std::int64_t k) : start(k + 1) {}
};

// The rows i for which cluster(i) is not negative.
template <class Cluster>
Groups grouped(std::int64_t n, std::int64_t k, Cluster cluster) {
  Groups groups(k);
  for (std::int64_t i = 0; i < n; ++i) {
    if (cluster(i) >= 0) ++groups.start[cluster(i) + 1];
  }
  for (std::int64_t j = 0; j < k; ++j) groups.start[j + 1] += groups.start[j];
  groups.rows.resize(groups.start[k]);
  std::vector<std::int64_t> next(groups.start.begin(), groups.start.end() - 1);
  for (std::int64_t i = 0; i < n; ++i) {
    if (cluster(i) >= 0) groups.rows[next[cluster(i)]++] = i;
  }
  return groups;
}

using Mass = __int128;

struct Weighted {
  double value;
  Mass mass;
};

// Adding 0 makes -0 and 0 one value, whichever of them was found.
double middle(double a, double b) { return a == b ? a + 0.0 : 0.5 * a + 0.5 * b; }

// The weighted median of some values and of zeros that make up the rest of the mass.
double median_with_zeros(std::vector<Weighted>& values, Mass all) {
  Mass negative = 0, positive = 0;
  for (const Weighted& it : values) {
    (it.value < 0 ? negative : positive) += it.value == 0 ? 0 : it.mass;
  }
  if (2 * negative < all && 2 * positive < all) return 0.0;
  const Mass zeros = all - negative - positive;
  std::erase_if(values, [](const Weighted& it) { return it.value == 0; });
  if (zeros > 0) values.push_back({0.0, zeros});
  std::sort(values.begin(), values.end(),
            [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  Mass below = 0;
  std::size_t low = 0;
  while (2 * (below + values[low].mass) < all) below += values[low++].mass;
  std::size_t high = low;
  while (2 * (below + values[high].mass) <= all && high + 1 < values.size()) {
    below += values[high++].mass;
  }
  return middle(values[low].value, values[high].value);
}

}  // namespace

template <typename T, typename I>
void Sparse<T, I>::shift(const double* weights, const Magic& grid, const std::int32_t* before,
                         const std::int32_t* after, std::int64_t k, std::int64_t* sums,
                         int threads) const {
  const std::int64_t width = 2 * grid.columns();
  const auto weight = [&](std::int64_t i) { return weights ? weights[i] : 1.0; };
  if (k * width <= kFewWords || threads == 1) {
    Parts parts(sums, k * width, threads);
    const bool whole = parallel(
        this->n, chunk(8, 8, threads), threads,
        [&](int worker, std::int64_t begin, std::int64_t end) {
          std::int64_t* to = parts.of(worker);
          for (std::int64_t i = begin; i < end; ++i) {
            if (before && before[i] == after[i]) continue;
            if (before && before[i] >= 0) put(row(i), weight(i), grid, -1, to + before[i] * width);
            put(row(i), weight(i), grid, 1, to + after[i] * width);
          }
        });
    parts.gather();
    return finish(whole);
  }
  // A thread takes whole clusters: sums of its own would be larger than the rows.
  const auto moved = [&](std::int64_t i) { return !before || before[i] != after[i]; };
  const Groups gone = grouped(this->n, k, [&](std::int64_t i) {
    return before && moved(i) ? before[i] : -1;
  });
  const Groups come = grouped(this->n, k, [&](std::int64_t i) { return moved(i) ? after[i] : -1; });
  finish(parallel(k, 1, threads, [&](int, std::int64_t j, std::int64_t) {
    for (std::int64_t m = gone.start[j]; m < gone.start[j + 1]; ++m) {
      put(row(gone.rows[m]), weight(gone.rows[m]), grid, -1, sums + j * width);
    }
    for (std::int64_t m = come.start[j]; m < come.start[j + 1]; ++m) {
      put(row(come.rows[m]), weight(come.rows[m]), grid, 1, sums + j * width);
    }
  }));
}

template <typename T, typename I>
void Sparse<T, I>::medians(const double* weights, const Magic& grid, const std::int32_t* labels,
                           std::int64_t k, double* out, int threads) const {
  const std::int64_t d = this->d;
  const Groups members = grouped(this->n, k, [&](std::int64_t i) {
    return !weights || weights[i] > 0 ? labels[i] : -1;
  });
  // Weights in the finest steps of the grid, so that halves of them are exact.
  const Magic step(&grid.exponents.back(), 1, grid.bits);
  const auto mass = [&](std::int64_t i) -> Mass {
    if (!weights) return 1;
    std::int64_t words[2] = {};
    add(1.0, weights[i], weights[i] == 1.0, step.high[0], step.low[0], 1, words, words + 1);
    return static_cast<Mass>(words[0]) * (static_cast<Mass>(1) << grid.bits) + words[1];
  };
  finish(parallel(k, 1, threads, [&](int, std::int64_t j, std::int64_t) {
    double* center = out + j * d;
    std::fill(center, center + d, 0.0);
    const std::int64_t* rows = members.rows.data() + members.start[j];
    const std::int64_t count = members.start[j + 1] - members.start[j];
    std::vector<std::int64_t> start(d + 1);
    std::vector<Mass> masses(count);
    Mass all = 0;
    for (std::int64_t m = 0; m < count; ++m) {
      all += masses[m] = mass(rows[m]);
      const auto x = row(rows[m]);
      for (std::int64_t t = 0; t < x.count; ++t) ++start[x.columns[t] + 1];
    }
    for (std::int64_t f = 0; f < d; ++f) start[f + 1] += start[f];
    std::vector<Weighted> cells(start[d]);
    std::vector<std::int64_t> next(start.begin(), start.end() - 1);
    for (std::int64_t m = 0; m < count; ++m) {
      const auto x = row(rows[m]);
      for (std::int64_t t = 0; t < x.count; ++t) {
        cells[next[x.columns[t]]++] = {static_cast<double>(x.values[t]), masses[m]};
      }
    }
    std::vector<Weighted> column;
    for (std::int64_t f = 0; f < d; ++f) {
      column.assign(cells.begin() + start[f], cells.begin() + start[f + 1]);
      if (!column.empty()) center[f] = median_with_zeros(column, all);
    }
  }));
}

#define OMNIMEANS_SPARSE(T, I)                                                                  \
  template void Sparse<T, I>::shift(const double*, const Magic&, const std::int32_t*,           \
                                    const std::int32_t*, std::int64_t, std::int64_t*, int) const; \
  template void Sparse<T, I>::medians(const double*, const Magic&, const std::int32_t*,         \
                                      std::int64_t, double*, int) const;
OMNIMEANS_SPARSE(float, std::int32_t)
OMNIMEANS_SPARSE(float, std::int64_t)
OMNIMEANS_SPARSE(double, std::int32_t)
OMNIMEANS_SPARSE(double, std::int64_t)

}  // namespace omnimeans
