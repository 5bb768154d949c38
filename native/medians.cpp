// Coordinate-wise weighted medians of clusters, by selection instead of sorting where weights are 1.
#include <algorithm>
#include <memory>
#include <vector>

#include "pool.hpp"
#include "rows.hpp"

namespace omnimeans {
namespace {

constexpr std::int64_t kStrip = 16;  // columns gathered together: one cache line of float32

// Adding 0 makes -0 and 0 one value, whichever of them was found.
double middle(double a, double b) { return a == b ? a + 0.0 : 0.5 * a + 0.5 * b; }

template <typename T>
double plain_median(T* first, std::int64_t count) {
  T* half = first + count / 2;
  std::nth_element(first, half, first + count);
  if (count % 2) return *half + 0.0;
  return middle(*std::max_element(first, half), *half);
}

struct Weighted {
  double value;
  std::int64_t row;
};

}  // namespace

template <typename T>
void Rows<T>::medians(std::int64_t k, double* out, int threads) const {
  // The rows of each cluster, in order (a counting sort); rows without weight are left out.
  const auto counts = [&](std::int64_t i) { return !weights_ || weights_[i] > 0; };
  std::vector<std::int64_t> start(k + 1);
  for (std::int64_t i = 0; i < x_.n; ++i) start[labels_[i] + 1] += counts(i);
  for (std::int64_t j = 0; j < k; ++j) start[j + 1] += start[j];
  const auto members = std::make_unique_for_overwrite<std::int64_t[]>(x_.n);
  std::vector<std::int64_t> next(start.begin(), start.end() - 1);
  for (std::int64_t i = 0; i < x_.n; ++i) {
    if (counts(i)) members[next[labels_[i]]++] = i;
  }

  // Exact weights, in steps of the grid's low word.
  const auto mass = [&](std::int64_t i) {
    std::vector<std::int64_t> words(2 * (x_.d + 1));
    exact_for<T>().move(x_.row(i), weight(i), grid_, nullptr, words.data());
    return static_cast<__int128>(words[x_.d]) * (static_cast<__int128>(1) << grid_.bits) +
           words[2 * x_.d + 1];
  };
  std::vector<__int128> masses;
  if (weights_) {
    masses.resize(x_.n);
    for (std::int64_t i = 0; i < x_.n; ++i) masses[i] = mass(i);
  }

  const bool whole = parallel(k, 1, threads, [&](int, std::int64_t j, std::int64_t) {
    const std::int64_t* rows = members.get() + start[j];
    const std::int64_t count = start[j + 1] - start[j];
    if (count == 0) return std::fill(out + j * x_.d, out + (j + 1) * x_.d, 0.0);
    std::vector<T> strip(kStrip * count);
    std::vector<Weighted> order(weights_ ? count : 0);
    for (std::int64_t f = 0; f < x_.d; f += kStrip) {
      const std::int64_t columns = std::min(kStrip, x_.d - f);
      for (std::int64_t m = 0; m < count; ++m) {
        for (std::int64_t c = 0; c < columns; ++c) strip[c * count + m] = x_.row(rows[m])[f + c];
      }
      for (std::int64_t c = 0; c < columns; ++c) {
        T* values = strip.data() + c * count;
        double& median = out[j * x_.d + f + c];
        if (!weights_) {
          median = plain_median(values, count);
          continue;
        }
        __int128 all = 0, below = 0;
        for (std::int64_t m = 0; m < count; ++m) {
          order[m] = {static_cast<double>(values[m]), rows[m]};
          all += masses[rows[m]];
        }
        std::sort(order.begin(), order.end(),
                  [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
        std::int64_t first = 0;
        while (2 * (below + masses[order[first].row]) < all) below += masses[order[first++].row];
        std::int64_t last = first;
        while (2 * (below + masses[order[last].row]) <= all && last + 1 < count) {
          below += masses[order[last++].row];
        }
        median = middle(order[first].value, order[last].value);
      }
    }
  });
  finish(whole);
}

template void Rows<float>::medians(std::int64_t, double*, int) const;
template void Rows<double>::medians(std::int64_t, double*, int) const;

}  // namespace omnimeans
