// Which sparse rows a candidate of k-means++ would win.
//
// Candidates are rows, hence sparse as well: D is then a merge of two short lists, since terms of
// zero leave a sum as it is.
#include <cmath>
#include <vector>

#include "pool.hpp"
#include "sparse.hpp"

namespace omnimeans {
namespace {

// D of two sparse rows: feature f goes to lane f mod 8, in order, and the lanes are added in pairs.
template <Metric M, typename T, typename I>
double merged(SparseRow<T, I> x, SparseRow<T, std::int64_t> c) {
  double s[8] = {};
  const auto add = [&](std::int64_t f, double difference) {
    s[f & 7] += M == Metric::euclidean ? difference * difference : std::fabs(difference);
  };
  std::int64_t a = 0, b = 0;
  while (a < x.count && b < c.count) {
    const auto f = static_cast<std::int64_t>(x.columns[a]), g = c.columns[b];
    const double value = f <= g ? static_cast<double>(x.values[a]) : 0.0;
    const double center = g <= f ? static_cast<double>(c.values[b]) : 0.0;
    a += f <= g;
    b += g <= f;
    add(f < g ? f : g, value - center);
  }
  for (; a < x.count; ++a) add(static_cast<std::int64_t>(x.columns[a]), static_cast<double>(x.values[a]));
  for (; b < c.count; ++b) add(c.columns[b], static_cast<double>(c.values[b]));
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

// The values of dense candidates that are not zero.
template <typename T>
struct Thinned {
  std::vector<T> values;
  std::vector<std::int64_t> columns, starts{0};

  Thinned(const T* candidates, std::int64_t count, std::int64_t d) {
    for (std::int64_t j = 0; j < count; ++j, candidates += d) {
      for (std::int64_t f = 0; f < d; ++f) {
        if (candidates[f] == 0) continue;
        values.push_back(candidates[f]);
        columns.push_back(f);
      }
      starts.push_back(static_cast<std::int64_t>(columns.size()));
    }
  }
  SparseRow<T, std::int64_t> row(std::int64_t j) const {
    return {values.data() + starts[j], columns.data() + starts[j], starts[j + 1] - starts[j]};
  }
};

}  // namespace

template <typename T, typename I>
void Sparse<T, I>::winners(const T* candidates, std::int64_t count, Metric metric, Frame<T> frame,
                           const double* closest, int threads, const Won& won) const {
  const double scale = frame.scale;
  const SparseScreen screen =
      sparse_screen_of<T>(candidates, count, this->d, metric, nullptr, scale, Copies::keep, threads);
  const Thinned<T> thin(candidates, count, this->d);
  const auto measure = metric == Metric::euclidean ? merged<Metric::euclidean, T, I>
                                                   : merged<Metric::manhattan, T, I>;
  std::vector<std::vector<float>> spaces(threads);
  finish(parallel(
      this->n, chunk(screen.width, screen.width, threads), threads,
      [&](int worker, std::int64_t begin, std::int64_t end) {
        auto& scores = spaces[worker];
        scores.resize(screen.width);
        for (std::int64_t i = begin; i < end; ++i) {
          const auto x = row(i);
          const Doubt doubt = sparse_kernels_for<T, I>().raise(screen, x, scores.data());
          // A nearer candidate has a score of at least this.
          double least;
          if (metric == Metric::euclidean) {
            double size = 0;
            for (std::int64_t t = 0; t < x.count; ++t) {
              const double value = static_cast<double>(x.values[t]) * scale;
              size += value * value;
            }
            const double limit = closest[i] * scale * scale;
            least = (size * (1 - 1e-9) - limit * (1 + 1e-9)) / 2 - 1e-30;
          } else {
            least = -closest[i] * scale * (1 + 1e-9) - 1e-30;
          }
          least -= static_cast<double>(doubt.relative) * doubt.level;
          for (std::int64_t j = 0; j < count; ++j) {
            if (scores[j] < least) continue;
            const double away = measure(x, thin.row(j));
            if (away < closest[i]) won(worker, i, static_cast<std::int32_t>(j), away);
          }
        }
      }));
}

#define OMNIMEANS_SPARSE(T, I)                                                                    \
  template void Sparse<T, I>::winners(const T*, std::int64_t, Metric, Frame<T>, const double*, int, \
                                      const Won&) const;
OMNIMEANS_SPARSE(float, std::int32_t)
OMNIMEANS_SPARSE(float, std::int64_t)
OMNIMEANS_SPARSE(double, std::int32_t)
OMNIMEANS_SPARSE(double, std::int64_t)

}  // namespace omnimeans
