#include "silhouette.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "pool.hpp"

namespace omnimeans {
namespace {

constexpr int kTilesTogether = 4;            // tiles that a block of passing rows serves
constexpr std::int64_t kPassingBytes = 64 << 10;  // of such a block

const PairKernels& pair_kernels() {
#if defined(OMNIMEANS_X86_KERNELS)
  const std::string_view name = kernels().name;
  if (name == "avx512") return avx512::pair_kernels();
  if (name == "avx2") return avx2::pair_kernels();
#endif
  return baseline::pair_kernels();
}

Passing block_of(const Passing& rows, std::int64_t begin, std::int64_t end) {
  Passing block = rows;
  block.x += begin * rows.d;
  block.count = end - begin;
  if (block.weights) block.weights += begin;
  block.labels += begin;
  return block;
}

// Rows [begin, begin + kPairTile) feature by feature; the last row stands in for those beyond it.
void lay_across(const Passing& rows, std::int64_t begin, double* tile) {
  for (int lane = 0; lane < kPairTile; ++lane) {
    const double* row = rows.x + std::min(begin + lane, rows.count - 1) * rows.d;
    for (std::int64_t f = 0; f < rows.d; ++f) tile[f * kPairTile + lane] = row[f];
  }
}

// Lets all rows pass by each tile: act(worker, slot, first row, block) with the tile in `slot`.
template <class Begin, class Act, class End>
void pass_by(const Passing& rows, int threads, Begin&& begin_tile, Act&& act, End&& end_tile) {
  const std::int64_t tiles = (rows.count + kPairTile - 1) / kPairTile;
  const std::int64_t step =
      std::max<std::int64_t>(16, kPassingBytes / static_cast<std::int64_t>(rows.d * sizeof(double)));
  finish(parallel(tiles, kTilesTogether, threads, [&](int worker, std::int64_t first,
                                                      std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) begin_tile(worker, t - first, t * kPairTile);
    for (std::int64_t i = 0; i < rows.count; i += step) {
      const Passing block = block_of(rows, i, std::min(i + step, rows.count));
      for (std::int64_t t = first; t < last; ++t) act(worker, t - first, block);
    }
    for (std::int64_t t = first; t < last; ++t) end_tile(worker, t - first, t * kPairTile);
  }));
}

// The silhouette of a row from its sums of distances to each cluster, one every kPairTile.
double silhouette(const double* sums, const double* sizes, std::int64_t k, std::int32_t own) {
  if (!(sizes[own] > 1.0)) return 0.0;
  const double inside = sums[own * kPairTile] / (sizes[own] - 1.0);
  double outside = std::numeric_limits<double>::infinity();
  for (std::int64_t c = 0; c < k; ++c) {
    if (c != own && sizes[c] > 0.0) outside = std::min(outside, sums[c * kPairTile] / sizes[c]);
  }
  const double larger = std::max(inside, outside);
  return larger > 0.0 && outside < std::numeric_limits<double>::infinity()
             ? (outside - inside) / larger
             : 0.0;
}

}  // namespace

void silhouettes(const Passing& rows, Metric metric, bool root, double* out, int threads) {
  const PairKernels& kernels = pair_kernels();
  const std::int64_t k = rows.k, labellings = rows.labellings;
  std::vector<double> sizes(labellings * k);
  for (std::int64_t l = 0; l < labellings; ++l)
    for (std::int64_t i = 0; i < rows.count; ++i)
      sizes[l * k + rows.labels[l * rows.stride + i]] += rows.weights ? rows.weights[i] : 1.0;

  struct Desk {
    std::vector<double> tile, sums;
  };
  std::vector<Desk> desks(static_cast<std::size_t>(std::max(threads, 1)) * kTilesTogether);
  const auto desk = [&](int worker, std::int64_t slot) -> Desk& {
    return desks[worker * kTilesTogether + slot];
  };
  pass_by(
      rows, threads,
      [&](int worker, std::int64_t slot, std::int64_t begin) {
        Desk& own = desk(worker, slot);
        own.tile.resize(rows.d * kPairTile);
        own.sums.assign(labellings * k * kPairTile, 0.0);
        lay_across(rows, begin, own.tile.data());
      },
      [&](int worker, std::int64_t slot, const Passing& block) {
        Desk& own = desk(worker, slot);
        kernels.add(own.tile.data(), block, metric, root, own.sums.data());
      },
      [&](int worker, std::int64_t slot, std::int64_t begin) {
        const double* sums = desk(worker, slot).sums.data();
        for (std::int64_t l = 0; l < labellings; ++l) {
          for (std::int64_t i = begin; i < std::min(begin + kPairTile, rows.count); ++i) {
            const bool counts = !rows.weights || rows.weights[i] > 0.0;
            out[l * rows.count + i] =
                counts ? silhouette(sums + l * k * kPairTile + (i - begin), sizes.data() + l * k, k,
                                    rows.labels[l * rows.stride + i])
                       : 0.0;
          }
        }
      });
}

void extremes(const Passing& rows, Metric metric, double* closest, double* farthest, int threads) {
  const PairKernels& kernels = pair_kernels();
  struct Desk {
    std::vector<double> tile;
    double closest[kPairTile], farthest[kPairTile];
    std::int32_t own[kPairTile];
  };
  std::vector<Desk> desks(static_cast<std::size_t>(std::max(threads, 1)) * kTilesTogether);
  const auto desk = [&](int worker, std::int64_t slot) -> Desk& {
    return desks[worker * kTilesTogether + slot];
  };
  pass_by(
      rows, threads,
      [&](int worker, std::int64_t slot, std::int64_t begin) {
        Desk& own = desk(worker, slot);
        own.tile.resize(rows.d * kPairTile);
        lay_across(rows, begin, own.tile.data());
        for (int lane = 0; lane < kPairTile; ++lane) {
          own.own[lane] = rows.labels[std::min(begin + lane, rows.count - 1)];
          own.closest[lane] = std::numeric_limits<double>::infinity();
          own.farthest[lane] = 0.0;
        }
      },
      [&](int worker, std::int64_t slot, const Passing& block) {
        Desk& own = desk(worker, slot);
        kernels.reach(own.tile.data(), own.own, block, metric, own.closest, own.farthest);
      },
      [&](int worker, std::int64_t slot, std::int64_t begin) {
        const Desk& own = desk(worker, slot);
        const std::int64_t count = std::min<std::int64_t>(kPairTile, rows.count - begin);
        std::copy(own.closest, own.closest + count, closest + begin);
        std::copy(own.farthest, own.farthest + count, farthest + begin);
      });
}

template <typename T>
void own_and_other(const Matrix<T>& rows, const T* centers, std::int64_t k,
                   const std::int32_t* labels, Metric metric, double* own, double* other,
                   int threads) {
  const ExactKernels<T>& exact = exact_for<T>();
  finish(parallel(rows.n, 256, threads, [&](int, std::int64_t begin, std::int64_t end) {
    std::vector<double> away(k);
    for (std::int64_t i = begin; i < end; ++i) {
      exact.distances(rows.row(i), centers, k, rows.d, rows.d, metric, away.data());
      own[i] = away[labels[i]];
      away[labels[i]] = std::numeric_limits<double>::infinity();
      other[i] = *std::min_element(away.begin(), away.end());
    }
  }));
}

template void own_and_other<float>(const Matrix<float>&, const float*, std::int64_t,
                                   const std::int32_t*, Metric, double*, double*, int);
template void own_and_other<double>(const Matrix<double>&, const double*, std::int64_t,
                                    const std::int32_t*, Metric, double*, double*, int);

}  // namespace omnimeans
