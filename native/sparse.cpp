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
  const std::int64_t d = this->d, groups = (d + 7) / 8;
  const bool euclidean = metric == Metric::euclidean;
  const SparseSums& table = sparse_sums();
  const auto zeros = euclidean ? table.zeros_euclidean : table.zeros_manhattan;
  const auto sums = euclidean ? table.sums_euclidean : table.sums_manhattan;
  // Many tiles share the work that a centre makes.
  const std::int64_t some = chunk_rows > 0 ? chunk_rows : 32 * kSparseRows;
  finish(parallel(this->n, some, threads, [&](int, std::int64_t begin, std::int64_t end) {
    std::vector<Tile> tiles;
    for (std::int64_t first = begin; first < end; first += kSparseRows) {
      tiles.push_back(tile(first, std::min<std::int64_t>(end, first + kSparseRows)));
    }
    std::vector<double> center(8 * groups), terms(8 * groups);
    for (std::int64_t j = 0; j < k; ++j) {
      std::copy(centers + j * d, centers + (j + 1) * d, center.begin());
      zeros(center.data(), groups, terms.data());
      for (std::size_t t = 0; t < tiles.size(); ++t) {
        double away[kSparseRows];
        sums(tiles[t].met.data(), static_cast<std::int64_t>(tiles[t].met.size()),
             tiles[t].values.data(), center.data(), terms.data(), groups, away);
        const std::int64_t first = begin + static_cast<std::int64_t>(t) * kSparseRows;
        for (std::int64_t i = first; i < std::min<std::int64_t>(end, first + kSparseRows); ++i) {
          out[i * k + j] = away[i - first];
        }
      }
    }
  }));
}

template <typename T, typename I>
typename Sparse<T, I>::Tile Sparse<T, I>::tile(std::int64_t begin, std::int64_t end) const {
  Tile tile;
  for (std::int64_t i = begin; i < end; ++i) {
    const auto x = row(i);
    for (std::int64_t t = 0; t < x.count; ++t) {
      const auto group = static_cast<std::int32_t>(x.columns[t] / 8);
      if (t == 0 || group != x.columns[t - 1] / 8) {
        tile.met.push_back({group, static_cast<std::int32_t>(i - begin)});
      }
    }
  }
  std::stable_sort(tile.met.begin(), tile.met.end(),
                   [](const SparseGroup& a, const SparseGroup& b) { return a.group < b.group; });
  tile.values.resize(8 * tile.met.size());
  std::int64_t next[kSparseRows] = {};
  for (std::size_t e = 0; e < tile.met.size(); ++e) {
    const auto x = row(begin + tile.met[e].row);
    std::int64_t& t = next[tile.met[e].row];
    for (; t < x.count && x.columns[t] / 8 == tile.met[e].group; ++t) {
      tile.values[8 * e + x.columns[t] % 8] = static_cast<double>(x.values[t]);
    }
  }
  return tile;
}

template class Sparse<float, std::int32_t>;
template class Sparse<float, std::int64_t>;
template class Sparse<double, std::int32_t>;
template class Sparse<double, std::int64_t>;

}  // namespace omnimeans
