#include "sparse.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pool.hpp"

namespace omnimeans {

template <typename T, typename I>
std::int64_t Sparse<T, I>::chunk(std::int64_t work, std::int64_t more, int threads) const {
  if (chunk_rows > 0) return chunk_rows;
  const std::int64_t row = (starts_[this->n] / this->n + 1) * work + more;
  const std::int64_t fair = (this->n + 4 * threads - 1) / (4 * threads);
  return std::clamp<std::int64_t>((std::int64_t{1} << 22) / row, 1, fair);
}

template <typename T, typename I>
void Sparse<T, I>::take(const std::int64_t* numbers, std::int64_t count, T* out) const {
  std::fill(out, out + count * this->d, T{0});
  for (std::int64_t m = 0; m < count; ++m, out += this->d) {
    const auto from = row(numbers[m]);
    for (std::int64_t t = 0; t < from.count; ++t) out[from.columns[t]] = from.values[t];
  }
}

template <typename T, typename I>
std::vector<double> Sparse<T, I>::peaks(const double* weights, int threads) const {
  const std::int64_t d = this->d;
  std::vector<std::vector<double>> parts(threads);
  finish(parallel(this->n, chunk(4, 4, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    auto& part = parts[worker];
                    part.resize(d + 1);
                    for (std::int64_t i = begin; i < end; ++i) {
                      const double weight = weights ? weights[i] : 1.0;
                      const auto x = row(i);
                      for (std::int64_t t = 0; t < x.count; ++t) {
                        double& peak = part[x.columns[t]];
                        peak = std::max(peak, std::fabs(static_cast<double>(x.values[t]) * weight));
                      }
                      part[d] = std::max(part[d], weight);
                    }
                  }));
  std::vector<double> all(d + 1);
  for (const auto& part : parts) {
    for (std::size_t f = 0; f < part.size(); ++f) all[f] = std::max(all[f], part[f]);
  }
  return all;
}

template <typename T, typename I>
std::int64_t Sparse<T, I>::assign(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                                  std::int32_t* labels, int threads) const {
  const std::int64_t d = this->d;
  const SparseScreen screen =
      sparse_screen_of(centers, k, d, metric, frame.offset, frame.scale, Copies::drop, threads);
  const auto& kernels = sparse_kernels_for<T, I>();
  struct Worker {
    std::vector<float> scores;
    std::unique_ptr<Spread<T>> spread;
    std::int64_t decided = 0;
  };
  std::vector<Worker> workers(threads);
  finish(parallel(
      this->n, chunk(screen.width, screen.width, threads), threads,
      [&](int id, std::int64_t begin, std::int64_t end) {
        Worker& worker = workers[id];
        worker.scores.resize(screen.width);
        float* scores = worker.scores.data();
        float threshold;
        for (std::int64_t i = begin; i < end; ++i) {
          const auto x = row(i);
          if (!kernels.propose(screen, x, scores, labels + i, &threshold)) continue;
          if (!worker.spread) worker.spread = std::make_unique<Spread<T>>(d);
          const T* plain = worker.spread->fill(x);
          double closest = std::numeric_limits<double>::infinity();
          labels[i] = 0;
          for (std::int64_t j = 0; j < k; ++j) {
            if (scores[j] < threshold) continue;
            const double away = exact_for<T>().distance(plain, centers + j * d, d, metric);
            if (away < closest) closest = away, labels[i] = static_cast<std::int32_t>(j);
          }
          worker.spread->clear(x);
          ++worker.decided;
        }
      }));
  std::int64_t decided = 0;
  for (const Worker& worker : workers) decided += worker.decided;
  return decided;
}

template <typename T, typename I>
void Sparse<T, I>::distances(const T* centers, const std::int32_t* labels, Metric metric,
                             double* out, int threads) const {
  const std::int64_t d = this->d;
  std::vector<std::unique_ptr<Spread<T>>> spreads(threads);
  finish(parallel(this->n, chunk(1, d, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    if (!spreads[worker]) spreads[worker] = std::make_unique<Spread<T>>(d);
                    for (std::int64_t i = begin; i < end; ++i) {
                      const T* plain = spreads[worker]->fill(row(i));
                      const T* center = centers + (labels ? labels[i] * d : 0);
                      exact_for<T>().distances(plain, center, 1, d, d, metric, out + i);
                      spreads[worker]->clear(row(i));
                    }
                  }));
}

template <typename T, typename I>
void Sparse<T, I>::all_pairs(const T* centers, std::int64_t k, Metric metric, double* out,
                             int threads) const {
  const std::int64_t d = this->d;
  std::vector<std::unique_ptr<Spread<T>>> spreads(threads);
  finish(parallel(this->n, chunk(1, k * d, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    if (!spreads[worker]) spreads[worker] = std::make_unique<Spread<T>>(d);
                    for (std::int64_t i = begin; i < end; ++i) {
                      const T* plain = spreads[worker]->fill(row(i));
                      exact_for<T>().distances(plain, centers, k, d, d, metric, out + i * k);
                      spreads[worker]->clear(row(i));
                    }
                  }));
}

template class Sparse<float, std::int32_t>;
template class Sparse<float, std::int64_t>;
template class Sparse<double, std::int32_t>;
template class Sparse<double, std::int64_t>;

}  // namespace omnimeans
