// Centres made ready for the screen of sparse rows, and the choice of its kernels.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>

#include "pool.hpp"
#include "sparse.hpp"

namespace omnimeans {
namespace {

struct Choice {
  const SparseTable* screen;
  const SparseSums* sums;
};

const Choice& choice() {
  static const Choice chosen = []() -> Choice {
    [[maybe_unused]] const std::string name = kernels().name;
#if defined(OMNIMEANS_X86_KERNELS)
    if (name.starts_with("avx512")) return {&avx512::sparse_kernels(), &avx512::sparse_sums()};
    if (name == "avx2") return {&avx2::sparse_kernels(), &avx2::sparse_sums()};
#endif
    return {&baseline::sparse_kernels(), &baseline::sparse_sums()};
  }();
  return chosen;
}

const SparseTable& table() { return *choice().screen; }

template <typename T>
std::vector<char> copies_of_earlier(const T* centers, std::int64_t k, std::int64_t d) {
  std::vector<std::int64_t> order(k);
  std::iota(order.begin(), order.end(), 0);
  const auto compare = [&](std::int64_t a, std::int64_t b) {
    return std::memcmp(centers + a * d, centers + b * d, d * sizeof(T));
  };
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const int sign = compare(a, b);
    return sign ? sign < 0 : a < b;
  });
  std::vector<char> copies(k);
  for (std::int64_t i = 1; i < k; ++i) copies[order[i]] = compare(order[i - 1], order[i]) == 0;
  return copies;
}

}  // namespace

template <typename T>
SparseScreen sparse_screen_of(const T* centers, std::int64_t k, std::int64_t d, Metric metric,
                              const T* offset, double scale, Copies copies, int threads) {
  SparseScreen screen;
  const bool euclidean = metric == Metric::euclidean;
  if (!euclidean) offset = nullptr;
  screen.metric = metric;
  screen.k = k;
  screen.d = d;
  screen.width = (k + kSparsePad - 1) / kSparsePad * kSparsePad;
  screen.scale = scale;
  screen.packed.resize(d * screen.width);
  screen.start.assign(screen.width, -std::numeric_limits<float>::infinity());
  screen.norms.resize(screen.width);
  screen.halves.resize(screen.width);
  const double wider = 1 + 0x1p-20;  // norms are rounded up

  // Some features of some centres at a time, so that what is written stays in the nearest cache.
  constexpr std::int64_t some = 128;
  finish(parallel(d, some, threads, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = 0; j < k; ++j) {
      const T* center = centers + j * d;
      float* out = screen.packed.data() + j;
      for (std::int64_t f = begin; f < end; ++f) {
        const double shifted = static_cast<double>(center[f]) - (offset ? offset[f] : T{0});
        out[f * screen.width] = static_cast<float>(shifted * scale);
      }
    }
  }));
  double remote = 0;
  for (std::int64_t f = 0; offset && f < d; ++f) {
    remote += static_cast<double>(offset[f]) * scale * (static_cast<double>(offset[f]) * scale);
  }
  screen.remote = static_cast<float>(std::sqrt(remote) * wider);
  const std::vector<char> left_out =
      copies == Copies::drop ? copies_of_earlier(centers, k, d) : std::vector<char>(k);
  finish(parallel(k, 1, threads, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      if (left_out[j]) continue;
      double size = 0, along = 0;
      for (std::int64_t f = 0; f < d; ++f) {
        const double m = offset ? static_cast<double>(offset[f]) * scale : 0.0;
        const double c = static_cast<double>(centers[j * d + f]) * scale - m;
        size += euclidean ? c * c : std::fabs(c);
        along += m * c;
      }
      screen.start[j] = static_cast<float>(euclidean ? -along - size / 2 : -size);
      screen.norms[j] = static_cast<float>((euclidean ? std::sqrt(size) : size) * wider);
      screen.halves[j] = euclidean ? static_cast<float>(size / 2 * wider) : 0.0f;
    }
  }));
  for (std::int64_t j = 0; j < k; ++j) {  // a NaN stays
    if (!(screen.norms[j] <= screen.reach)) screen.reach = screen.norms[j];
  }
  return screen;
}

const SparseSums& sparse_sums() { return *choice().sums; }

template <>
const SparseKernels<float, std::int32_t>& sparse_kernels_for() { return table().f32_i32; }
template <>
const SparseKernels<float, std::int64_t>& sparse_kernels_for() { return table().f32_i64; }
template <>
const SparseKernels<double, std::int32_t>& sparse_kernels_for() { return table().f64_i32; }
template <>
const SparseKernels<double, std::int64_t>& sparse_kernels_for() { return table().f64_i64; }

template SparseScreen sparse_screen_of(const float*, std::int64_t, std::int64_t, Metric,
                                       const float*, double, Copies, int);
template SparseScreen sparse_screen_of(const double*, std::int64_t, std::int64_t, Metric,
                                       const double*, double, Copies, int);

}  // namespace omnimeans
