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

Passing block_of(const Passing& rows, std::int64_t begin, std::int64_t end) {
  Passing block = rows;
  block.x += begin * rows.d;
  block.count = end - begin;
  if (block.weights) block.weights += begin;
  block.labels += begin;
  return block;
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

const PairKernels& pair_kernels() {
#if defined(OMNIMEANS_X86_KERNELS)
  const std::string_view name = kernels().name;
  if (name == "avx512") return avx512::pair_kernels();
  if (name == "avx2") return avx2::pair_kernels();
#endif
  return baseline::pair_kernels();
}

void lay_across(const double* x, std::int64_t n, std::int64_t d, std::int64_t begin, double* tile) {
  for (int lane = 0; lane < kPairTile; ++lane) {
    const double* row = x + std::min(begin + lane, n - 1) * d;
    for (std::int64_t f = 0; f < d; ++f) tile[f * kPairTile + lane] = row[f];
  }
}

namespace {

// Rows in the order of their labels, in tiles that belong to one cluster each, in blocks of tiles.
struct Sorted {
  std::vector<std::int64_t> order;     // (n,) numbers of the rows
  std::vector<double> x, weights;      // (n, d), (n,) or none
  std::vector<std::int32_t> labels;    // (n,)
  std::vector<std::int64_t> begins;    // (tiles + 1,) first row of each tile
  std::vector<std::int64_t> blocks;    // (blocks + 1,) first tile of each block
};

Sorted sorted(const Passing& rows) {
  const std::int64_t n = rows.count, d = rows.d;
  std::vector<std::int64_t> next(rows.k + 1);
  for (std::int64_t i = 0; i < n; ++i) ++next[rows.labels[i] + 1];
  Sorted found;
  for (std::int64_t c = 0; c < rows.k; ++c) {
    next[c + 1] += next[c];
    for (std::int64_t i = next[c]; i < next[c + 1]; i += kPairTile) found.begins.push_back(i);
  }
  found.begins.push_back(n);
  found.order.resize(n);
  for (std::int64_t i = 0; i < n; ++i) found.order[next[rows.labels[i]]++] = i;
  found.x.resize(n * d);
  found.labels.resize(n);
  if (rows.weights) found.weights.resize(n);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t from = found.order[i];
    std::copy(rows.x + from * d, rows.x + (from + 1) * d, found.x.begin() + i * d);
    found.labels[i] = rows.labels[from];
    if (rows.weights) found.weights[i] = rows.weights[from];
  }
  const auto bytes = static_cast<std::int64_t>(d * kPairTile * sizeof(double));
  const std::int64_t step = std::clamp<std::int64_t>(4 * kPassingBytes / bytes, 2, 32);
  const auto tiles = static_cast<std::int64_t>(found.begins.size()) - 1;
  for (std::int64_t t = 0; t < tiles; t += step) found.blocks.push_back(t);
  found.blocks.push_back(tiles);
  return found;
}

// The sums of distances from each row to each cluster; each pair of rows is met once.
class Mutual {
 public:
  Mutual(const Passing& rows, Metric metric, bool root)
      : rows_(sorted(rows)), d_(rows.d), k_(rows.k), metric_(metric), root_(root) {
    const std::size_t room = (rows_.begins.size() - 1) * k_ * kPairTile;
    here_.resize(room);
    there_.resize(room);
  }

  // In each round every block meets one other, and is met by one: no two threads share sums.
  void run(int threads) {
    const auto blocks = static_cast<std::int64_t>(rows_.blocks.size()) - 1;
    for (std::int64_t round = 0; 2 * round <= blocks; ++round) {
      const std::int64_t meetings = round > 0 && 2 * round == blocks ? round : blocks;
      finish(parallel(meetings, 1, threads, [&](int, std::int64_t begin, std::int64_t end) {
        for (std::int64_t b = begin; b < end; ++b) meet(b, (b + round) % blocks);
      }));
    }
  }

  // act(number of the row, its sums), one every kPairTile.
  template <class Act>
  void each(Act&& act) {
    for (std::size_t at = 0; at < here_.size(); ++at) here_[at] += there_[at];
    for (std::size_t t = 0; t + 1 < rows_.begins.size(); ++t)
      for (std::int64_t i = rows_.begins[t]; i < rows_.begins[t + 1]; ++i)
        act(rows_.order[i], sums(here_, t) + (i - rows_.begins[t]));
  }

 private:
  double* sums(std::vector<double>& all, std::int64_t tile) const {
    return all.data() + tile * k_ * kPairTile;
  }

  void meet(std::int64_t block, std::int64_t other) {
    const std::int64_t first = rows_.begins[rows_.blocks[other]];
    const std::int64_t count = rows_.begins[rows_.blocks[other + 1]] - first;
    const Passing passing{rows_.x.data() + first * d_, count, d_,
                          rows_.weights.empty() ? nullptr : rows_.weights.data() + first,
                          rows_.labels.data() + first, 1, count, k_};
    std::vector<double> tile(d_ * kPairTile), back(block == other ? 0 : count * kPairBack);
    const std::int64_t last = rows_.blocks[block + 1];
    for (std::int64_t t = rows_.blocks[block]; t < last; ++t) {
      const std::int64_t begin = rows_.begins[t], lanes = rows_.begins[t + 1] - begin;
      lay_across(rows_.x.data() + begin * d_, lanes, d_, 0, tile.data());
      if (block == other) {
        pair_kernels().add(tile.data(), passing, metric_, root_, sums(here_, t));
        continue;
      }
      double weights[kPairTile] = {};
      for (std::int64_t lane = 0; lane < lanes; ++lane)
        weights[lane] = rows_.weights.empty() ? 1.0 : rows_.weights[begin + lane];
      pair_kernels().add_both(tile.data(), weights, passing, metric_, root_, sums(here_, t),
                              back.data());
      const std::int32_t label = rows_.labels[begin];
      if (t + 1 == last || rows_.labels[rows_.begins[t + 1]] != label) give(other, label, back);
    }
  }

  // Adds what came back to the sums of a block's rows, and forgets it.
  void give(std::int64_t block, std::int32_t label, std::vector<double>& back) {
    const double* one = back.data();
    for (std::int64_t t = rows_.blocks[block]; t < rows_.blocks[block + 1]; ++t) {
      double* sum = sums(there_, t) + label * kPairTile;
      for (std::int64_t i = rows_.begins[t]; i < rows_.begins[t + 1]; ++i, one += kPairBack) {
        double all = 0.0;
        for (int lane = 0; lane < kPairBack; ++lane) all += one[lane];
        sum[i - rows_.begins[t]] += all;
      }
    }
    std::fill(back.begin(), back.end(), 0.0);
  }

  Sorted rows_;
  std::int64_t d_, k_;
  Metric metric_;
  bool root_;
  std::vector<double> here_, there_;  // (tiles, k, kPairTile): from tiles, and from passing rows
};

// Sums of both kinds may take as much room as this, or as the rows.
constexpr std::int64_t kMutualBytes = 64 << 20;

bool fits_mutually(const Passing& rows) {
  const std::int64_t tiles = rows.count / kPairTile + rows.k;
  const auto bytes = static_cast<std::int64_t>(2 * tiles * rows.k * kPairTile * sizeof(double));
  const auto own = static_cast<std::int64_t>(rows.count * rows.d * sizeof(double));
  return rows.labellings == 1 && tiles < rows.count / 8 && bytes <= std::max(kMutualBytes, own);
}

}  // namespace

void silhouettes(const Passing& rows, Metric metric, bool root, double* out, int threads) {
  const PairKernels& kernels = pair_kernels();
  const std::int64_t labellings = rows.labellings;
  std::vector<std::int64_t> first(labellings + 1);  // where the sums of each labelling begin
  for (std::int64_t l = 0; l < labellings; ++l) {
    const std::int32_t* own = rows.labels + l * rows.stride;
    first[l + 1] = first[l] + 1 + *std::max_element(own, own + rows.count);
  }
  std::vector<double> sizes(first[labellings]);
  for (std::int64_t l = 0; l < labellings; ++l)
    for (std::int64_t i = 0; i < rows.count; ++i)
      sizes[first[l] + rows.labels[l * rows.stride + i]] += rows.weights ? rows.weights[i] : 1.0;
  const auto judge = [&](std::int64_t l, std::int64_t i, const double* sums) {
    const bool counts = !rows.weights || rows.weights[i] > 0.0;
    out[l * rows.count + i] =
        counts ? silhouette(sums, sizes.data() + first[l], first[l + 1] - first[l],
                            rows.labels[l * rows.stride + i])
               : 0.0;
  };
  if (fits_mutually(rows)) {
    Mutual mutual(rows, metric, root);
    mutual.run(threads);
    mutual.each([&](std::int64_t i, const double* sums) { judge(0, i, sums); });
    return;
  }

  struct Desk {
    std::vector<double> tile, sums;
  };
  std::vector<Desk> desks(static_cast<std::size_t>(std::max(threads, 1)) * kTilesTogether);
  const auto desk = [&](int worker, std::int64_t slot) -> Desk& {
    return desks[worker * kTilesTogether + slot];
  };
  Passing all = rows;
  all.first = first.data();
  pass_by(
      all, threads,
      [&](int worker, std::int64_t slot, std::int64_t begin) {
        Desk& own = desk(worker, slot);
        own.tile.resize(rows.d * kPairTile);
        own.sums.assign(first[labellings] * kPairTile, 0.0);
        lay_across(rows.x, rows.count, rows.d, begin, own.tile.data());
      },
      [&](int worker, std::int64_t slot, const Passing& block) {
        Desk& own = desk(worker, slot);
        kernels.add(own.tile.data(), block, metric, root, own.sums.data());
      },
      [&](int worker, std::int64_t slot, std::int64_t begin) {
        const double* sums = desk(worker, slot).sums.data();
        for (std::int64_t l = 0; l < labellings; ++l)
          for (std::int64_t i = begin; i < std::min(begin + kPairTile, rows.count); ++i)
            judge(l, i, sums + first[l] * kPairTile + (i - begin));
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
        lay_across(rows.x, rows.count, rows.d, begin, own.tile.data());
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
