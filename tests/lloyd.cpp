// A few iterations of Lloyd's algorithm with the core alone, and a fingerprint of all that came out.
// tests/cross.py builds it for two kinds of processor and compares what they print.
#include <bit>
#include <cstdio>
#include <cstring>
#include <vector>

#include "pool.hpp"
#include "rows.hpp"

namespace {

struct Fingerprint {
  std::uint64_t value = 0xcbf29ce484222325;
  template <typename V>
  void add(const std::vector<V>& values) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
    for (std::size_t i = 0; i < values.size() * sizeof(V); ++i) {
      value = (value ^ bytes[i]) * 0x100000001b3;
    }
  }
};

// Clumps of values that no two processors could disagree on: whole numbers times a power of two.
template <typename T>
std::vector<T> clumps(std::int64_t n, std::int64_t d) {
  std::vector<T> x(n * d);
  std::uint64_t state = 1;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t f = 0; f < d; ++f) {
      state = state * 6364136223846793005 + 1442695040888963407;
      const auto noise = static_cast<std::int64_t>(state >> 40);
      const std::int64_t middle = (i % 13 * (f + 3) * 7919 % 23) << 22;
      x[i * d + f] = static_cast<T>(static_cast<double>(middle + noise) * 0x1p-22);
    }
  }
  return x;
}

template <typename T>
void run(const char* name, std::int64_t d, omnimeans::Metric metric, omnimeans::Way way) {
  using namespace omnimeans;
  const std::int64_t n = 6000, k = 40, bits = 30;
  const std::vector<T> x = clumps<T>(n, d);
  std::vector<std::int64_t> exponents(d + 1, -20);
  std::vector<std::int32_t> labels(n, -1);
  Rows<T> rows({x.data(), n, d, d}, nullptr, labels.data(), metric, Magic(exponents.data(), d + 1, bits));
  std::vector<T> offset(d, static_cast<T>(11));
  rows.set_frame(offset.data(), 60.0 * static_cast<double>(d));
  std::vector<T> centers(x.begin(), x.begin() + k * d);
  std::vector<double> middle(k * d), weights(k), own(n);
  Fingerprint seen;
  std::int64_t moved = 0;
  for (int step = 0; step < 12; ++step) {
    moved += rows.step(centers.data(), k, 2, way).moved;
    seen.add(labels);
    seen.add(rows.sums());
    if (metric == Metric::euclidean) {
      means(rows.sums().data(), k, d + 1, exponents.data(), bits, middle.data(), weights.data());
    } else {
      rows.medians(k, middle.data(), 2);
    }
    seen.add(middle);
    for (std::int64_t i = 0; i < k * d; ++i) {
      if (middle[i] == middle[i]) centers[i] = static_cast<T>(middle[i]);
    }
  }
  rows.distances(centers.data(), labels.data(), own.data(), 2);
  seen.add(own);
  std::printf("%s d=%d %s: %d moves, %016llx, %.17g\n", name, static_cast<int>(d),
              metric == Metric::euclidean ? "euclidean" : "manhattan", static_cast<int>(moved),
              static_cast<unsigned long long>(seen.value), exact_total(own.data(), nullptr, n));
}

}  // namespace

int main() {
  using omnimeans::Metric;
  for (const std::int64_t d : {2, 7, 33, 130}) {
    for (const Metric metric : {Metric::euclidean, Metric::manhattan}) {
      run<float>("float32", d, metric, {false, false});
      run<float>("float32 bounded", d, metric, {false, true});
      run<double>("float64", d, metric, {false, true});
    }
  }
  run<float>("float32 tree", 2, Metric::euclidean, {true, false});
}
