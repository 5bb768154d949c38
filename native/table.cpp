#include "table.hpp"

#include <algorithm>

#include "pool.hpp"

namespace omnimeans {
namespace {

constexpr std::int64_t kBlockBytes = 256 << 10;  // of rows in float64: they stay in the second cache

const Tables& table_kernels() {
  const std::string name = kernels().name;
#if defined(OMNIMEANS_X86_KERNELS)
  if (name == "avx512") return avx512::table_kernels();
  if (name == "avx2") return avx2::table_kernels();
#endif
  return baseline::table_kernels();
}

template <typename Out>
const TableKernels<Out>& kernels_to(const Tables& tables) {
  if constexpr (sizeof(Out) == 4) {
    return tables.to_f32;
  } else {
    return tables.to_f64;
  }
}

template <typename T>
Panels panels_of(const T* centers, std::int64_t k, std::int64_t d, Metric metric) {
  Panels panels{metric, k, d, {}, {}, {}};
  for (int lane = 0; lane < 8; ++lane) {
    panels.starts[lane] = static_cast<std::int64_t>(panels.order.size());
    for (std::int64_t f = lane; f < d; f += 8) panels.order.push_back(f);
  }
  panels.starts[8] = d;
  panels.packed.resize((k + kTableCenters - 1) / kTableCenters * kTableCenters * d);
  double* out = panels.packed.data();
  for (std::int64_t first = 0; first < k; first += kTableCenters) {
    for (const std::int64_t f : panels.order) {
      for (std::int64_t j = first; j < first + kTableCenters; ++j) {
        *out++ = centers[std::min(j, k - 1) * d + f];
      }
    }
  }
  return panels;
}

// Brings rows into tiles; the last is filled up with its last row.
template <typename T>
void lay_out(const Matrix<T>& x, std::int64_t begin, std::int64_t end, const Panels& panels,
             double* out) {
  for (std::int64_t first = begin; first < end; first += kTableRows) {
    const T* rows[kTableRows];
    for (int r = 0; r < kTableRows; ++r) rows[r] = x.row(std::min(first + r, end - 1));
    for (const std::int64_t f : panels.order) {
      for (int r = 0; r < kTableRows; ++r) *out++ = rows[r][f];
    }
  }
}

}  // namespace

template <typename T, typename Out>
void distance_table(const Matrix<T>& x, const T* centers, std::int64_t k, Metric metric, bool root,
                    Out* out, int threads) {
  const auto fill = kernels_to<Out>(table_kernels()).fill;
  const Panels panels = panels_of(centers, k, x.d, metric);
  const std::int64_t most = kBlockBytes / (8 * (x.d + (k < 64 ? k : 64)));
  const std::int64_t block = std::clamp<std::int64_t>(most / kTableRows * kTableRows, kTableRows, 256);
  std::vector<std::vector<double>> work(threads);
  finish(parallel(x.n, block, threads, [&](int worker, std::int64_t begin, std::int64_t end) {
    work[worker].resize(block * x.d);
    lay_out(x, begin, end, panels, work[worker].data());
    fill(panels, work[worker].data(), end - begin, root, out + begin * k);
  }));
}

template <typename T>
Table<T>::Table(const T* centers, std::int64_t k, std::int64_t d, Metric metric)
    : panels_(panels_of(centers, k, d, metric)) {}

template <typename T>
void Table<T>::fill(const Matrix<T>& x, std::int64_t begin, std::int64_t end, double* out,
                    std::vector<double>& work) const {
  work.resize((end - begin + kTableRows - 1) / kTableRows * kTableRows * x.d);
  lay_out(x, begin, end, panels_, work.data());
  table_kernels().to_f64.fill(panels_, work.data(), end - begin, false, out);
}

template class Table<float>;
template class Table<double>;

#define OMNIMEANS_TABLE(T, Out)                                                                   \
  template void distance_table(const Matrix<T>&, const T*, std::int64_t, Metric, bool, Out*, int);
OMNIMEANS_TABLE(float, float)
OMNIMEANS_TABLE(float, double)
OMNIMEANS_TABLE(double, float)
OMNIMEANS_TABLE(double, double)
#undef OMNIMEANS_TABLE

}  // namespace omnimeans
