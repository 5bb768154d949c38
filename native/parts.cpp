#include "parts.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>

#include "pool.hpp"

namespace omnimeans {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Calls meet(worker, row, center) for every centre that may be nearer to a row than limit(row), a
// distance as D has it; for some that are not, too.
template <typename T, class Limit, class Meet>
void screened(const Matrix<T>& x, const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
              int threads, Limit limit, Meet meet) {
  Screen screen;
  screen_for<T>().prepare(screen, centers, k, x.d, metric, frame);
  const double scale = metric == Metric::euclidean
                           ? static_cast<double>(frame.scale) * frame.scale
                           : static_cast<double>(frame.scale);
  struct Context {
    Meet& meet;
    int worker;
    std::int64_t first;
  };
  std::vector<std::unique_ptr<float[]>> tiles(threads);
  finish(parallel(x.n, rows_per_chunk(x, k, threads), threads, [&](int worker, std::int64_t begin,
                                                                   std::int64_t end) {
    if (!tiles[worker]) tiles[worker] = std::make_unique_for_overwrite<float[]>(screen.floats);
    float* tile = tiles[worker].get();
    Context context{meet, worker, 0};
    const T* rows[kMaxTile];
    float limits[kMaxTile], threshold[kMaxTile];
    for (std::int64_t first = begin; first < end; first += screen.tile) {
      const int count = static_cast<int>(std::min<std::int64_t>(screen.tile, end - first));
      for (int i = 0; i < screen.tile; ++i) {
        const std::int64_t row = first + (i < count ? i : 0);
        rows[i] = x.row(row);
        limits[i] = static_cast<float>(limit(row) * scale);
      }
      screen_for<T>().pack(screen, rows, frame, tile);
      kernels().reach(screen, tile, limits, threshold);
      context.first = first;
      kernels().candidates(
          screen, tile, x.ahead(first + screen.tile, screen.tile, end), threshold,
          ~std::uint64_t{0} >> (64 - count),
          [](void* self, std::int32_t j, std::uint64_t met) {
            auto& it = *static_cast<Context*>(self);
            for (; met; met &= met - 1) {
              it.meet(it.worker, it.first + std::countr_zero(met), j);
            }
          },
          &context);
    }
  }));
}

template <typename T>
double distance(const Matrix<T>& x, std::int64_t row, const T* center, Metric metric) {
  double away;
  exact_for<T>().distances(x.row(row), center, 1, x.d, x.d, metric, &away);
  return away;
}

}  // namespace

template <typename T>
Winners winners(const Matrix<T>& x, const double* closest, const double* weights, int exponent,
                const T* candidates, std::int64_t c, Metric metric, Frame<T> frame, int threads,
                std::int64_t room) {
  struct Found {
    std::vector<std::int64_t> gains;
    std::vector<std::vector<std::pair<std::int32_t, double>>> lists;
    std::int64_t room;
  };
  const double magic = std::ldexp(1.5, exponent + 52);  // adding it rounds to whole steps
  const auto share = [&](std::int64_t row, double away) {
    const double value = weights ? away * weights[row] : away;
    return std::bit_cast<std::int64_t>(value + magic) - std::bit_cast<std::int64_t>(magic);
  };
  std::vector<Found> found(threads);
  for (Found& of : found) {
    of.gains.resize(c);
    of.lists.resize(c);
    of.room = room / threads;
  }
  screened(x, candidates, c, metric, frame, threads,
           [&](std::int64_t row) { return closest[row]; },
           [&](int worker, std::int64_t row, std::int32_t j) {
             const double away = distance(x, row, candidates + j * x.d, metric);
             if (!(away < closest[row])) return;
             Found& of = found[worker];
             of.gains[j] += share(row, closest[row]) - share(row, away);
             if (--of.room >= 0) of.lists[j].emplace_back(static_cast<std::int32_t>(row), away);
           });
  Winners all;
  all.gains.resize(c);
  all.counts.resize(c);
  for (const Found& of : found) {
    all.complete = all.complete && of.room >= 0;
    for (std::int64_t j = 0; j < c; ++j) all.gains[j] += of.gains[j];
  }
  for (std::int64_t j = 0; all.complete && j < c; ++j) {
    for (const Found& of : found) {
      all.counts[j] += static_cast<std::int64_t>(of.lists[j].size());
      for (const auto& [row, away] : of.lists[j]) {
        all.rows.push_back(row);
        all.away.push_back(away);
      }
    }
  }
  return all;
}

template <typename T>
std::vector<double> gaps(const Matrix<T>& x, const std::int32_t* labels, const T* centers,
                         std::int64_t k, Metric metric, Frame<T> frame, double reach,
                         int threads) {
  const bool squared = metric == Metric::euclidean;
  const auto plain = [&](double away) { return squared ? std::sqrt(away) : away; };
  // Rounding, here and in the distances that will be compared, is far below this share of them.
  constexpr double slack = 1e-9;
  std::vector<double> own(x.n);
  finish(parallel(x.n, rows_per_chunk(x, 1, threads), threads,
                  [&](int, std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      own[i] = plain(distance(x, i, centers + labels[i] * x.d, metric));
                    }
                  }));
  std::vector<double> all(k, kInfinity);
  for (std::int64_t i = 0; i < x.n; ++i) {
    double& gap = all[labels[i]];
    gap = std::min(gap, reach - slack * (own[i] + reach));
  }
  std::vector<std::vector<double>> parts(threads, std::vector<double>(k, kInfinity));
  screened(x, centers, k, metric, frame, threads,
           [&](std::int64_t row) {
             const double far = (own[row] + reach) * (1 + 1e-6);
             return squared ? far * far : far;
           },
           [&](int worker, std::int64_t row, std::int32_t j) {
             if (j == labels[row]) return;
             const double away = plain(distance(x, row, centers + j * x.d, metric));
             double& gap = parts[worker][labels[row]];
             gap = std::min(gap, away - own[row] - slack * (away + own[row]));
           });
  for (const auto& part : parts) {
    for (std::int64_t j = 0; j < k; ++j) all[j] = std::min(all[j], part[j]);
  }
  return all;
}

#define OMNIMEANS_PARTS(T)                                                                        \
  template Winners winners(const Matrix<T>&, const double*, const double*, int, const T*,         \
                           std::int64_t, Metric, Frame<T>, int, std::int64_t);                    \
  template std::vector<double> gaps(const Matrix<T>&, const std::int32_t*, const T*, std::int64_t, \
                                    Metric, Frame<T>, double, int);
OMNIMEANS_PARTS(float)
OMNIMEANS_PARTS(double)

}  // namespace omnimeans
