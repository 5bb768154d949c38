// The splits themselves; see halves.hpp.
//
// The proof of a side.  With m = (a + b) / 2 and w = b - a for centres a, b, the squared distances
// of x differ by |x - a|^2 - |x - b|^2 = 2 s, where s = (x - m) . w.  In float64 with u = 2^-53:
// the difference x - m is off by u |x - m| and by what m was rounded, u |m|; the sums of d products
// by (d + 2) u |x - m| |w| (in any order); and D, which decides ties, is itself rounded, by (d + 3) u
// of |x - a|^2 + |x - b|^2 = 2 |x - m|^2 + |w|^2 / 2.  With |x - m| |w| <= (|x - m|^2 + |w|^2) / 2
// all of it is below slope |x - m|^2 + level.
#include "halves.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#include "kernels.hpp"
#include "pool.hpp"

namespace omnimeans {

namespace {

constexpr std::int64_t kBatch = kHalvesBatch;
constexpr double kHalfUlp = 0x1p-53;

}  // namespace

template <typename T>
struct Halves<T>::Plane {
  std::vector<double> middle, across;
  double length = 0, slope = 0, level = 0;

  Plane() = default;
  Plane(const T* centers, std::int64_t d) : middle(d), across(d) {
    double square = 0, remote = 0;
    for (std::int64_t f = 0; f < d; ++f) {
      const double a = centers[f], b = centers[d + f];
      middle[f] = a / 2 + b / 2;
      across[f] = b - a;
      square += across[f] * across[f];
      remote += std::abs(middle[f] * across[f]);
    }
    length = std::sqrt(square);
    const double unit = kHalfUlp * static_cast<double>(d + 8) * 1.05;
    slope = 3 * unit;
    level = 2 * unit * square + 4 * kHalfUlp * remote + 1e-300;
  }
  // The bound in terms of heights above the plane.
  double doubt(double radius) const { return (slope * radius * radius + level) / (2 * length); }
};

template <typename T>
struct Halves<T>::Pass {
  Part part;
  Matrix<T> x;
  const Magic& grid;
  int threads;
  std::vector<std::int64_t> sums;  // (2, 2, d + 1)
  Plane now, anchor;               // heights are those above the anchor
  bool anchored = false;
  double widest = 0;               // the largest radius
  std::int64_t looked = 0;         // rows looked at since
};

// Looks at every row, and writes down how far it is from the plane.
template <typename T>
void Halves<T>::look(Pass& pass, const T* centers, bool first, std::int64_t begin, std::int64_t end,
                     std::int64_t* sums, double& widest) {
  const std::int64_t d = x_.d, width = 2 * pass.grid.columns();
  const Plane& plane = pass.now;
  double along[kBatch], away[kBatch];
  std::uint8_t now[kBatch];
  for (std::int64_t from = begin; from < end; from += kBatch) {
    const std::int64_t count = std::min(kBatch, end - from);
    halves_for<T>().project(pass.x.row(from), count, pass.x.stride, d, plane.middle.data(),
                             plane.across.data(), along, away);
    halves_table().judge(along, away, count, 1 / plane.length, plane.slope, plane.level,
                  height_.data() + from, radius_.data() + from, now, &widest);
    std::uint8_t* sides = side_.data() + from;
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t i = from + r;
      if (now[r] == 2) {
        double to[2];
        exact_for<T>().distances(pass.x.row(i), centers, 2, d, d, Metric::euclidean, to);
        now[r] = to[1] < to[0];
      }
      if (!first && now[r] == sides[r]) continue;
      exact_for<T>().move(pass.x.row(i), weight(pass.part.depth, i), pass.grid,
                          first ? nullptr : sums + sides[r] * width, sums + now[r] * width);
      sides[r] = now[r];
    }
  }
}

// Looks at the rows that are near the plane, or that it has passed; returns how many.
template <typename T>
std::int64_t Halves<T>::compare(Pass& pass, const T* centers, std::int64_t begin, std::int64_t end,
                                std::int64_t* sums) {
  const std::int64_t d = x_.d, width = 2 * pass.grid.columns();
  const Plane &old = pass.anchor, &now = pass.now;
  double step = 0, turn = 0, drift = 0, coarse = 0;
  for (std::int64_t f = 0; f < d; ++f) {
    const double normal = now.across[f] / now.length;
    const double change = normal - old.across[f] / old.length;
    const double move = old.middle[f] - now.middle[f];
    step += move * normal;
    turn += change * change;
    drift += move * move;
    coarse += (std::abs(old.middle[f]) + std::abs(now.middle[f])) * std::abs(normal);
  }
  turn = std::sqrt(turn) + static_cast<double>(d + 8) * 4 * kHalfUlp;
  drift = std::sqrt(drift) * (1 + 1e-9);
  const double slack = now.doubt(pass.widest + drift) + old.doubt(pass.widest) +
                       static_cast<double>(d + 8) * 4 * kHalfUlp * (coarse + drift) +
                       std::abs(step) * 0x1p-21 + 1e-36;
  std::uint8_t side[kBatch];
  std::int64_t doubtful = 0;
  for (std::int64_t from = begin; from < end; from += kBatch) {
    const std::int64_t count = std::min(kBatch, end - from);
    halves_table().compare(height_.data() + from, radius_.data() + from, count, static_cast<float>(step),
                    static_cast<float>(turn * (1 + 0x1p-20)), static_cast<float>(slack * 1.001),
                    side);
    std::uint8_t* sides = side_.data() + from;
    if (std::memcmp(side, sides, count) == 0) continue;
    for (std::int64_t r = 0; r < count; ++r) {
      if (side[r] == sides[r]) continue;
      const std::int64_t i = from + r;
      if (side[r] == 2) {
        double along, away, to[2];
        halves_for<T>().project(pass.x.row(i), 1, d, d, now.middle.data(), now.across.data(),
                                 &along, &away);
        ++doubtful;
        side[r] = along > 0;
        if (!(2 * std::abs(along) > now.slope * away + now.level)) {
          exact_for<T>().distances(pass.x.row(i), centers, 2, d, d, Metric::euclidean, to);
          side[r] = to[1] < to[0];
        }
        if (side[r] == sides[r]) continue;
      }
      exact_for<T>().move(pass.x.row(i), weight(pass.part.depth, i), pass.grid,
                          sums + sides[r] * width, sums + side[r] * width);
      sides[r] = side[r];
    }
  }
  return doubtful;
}

template <typename T>
void Halves<T>::assign(Pass& pass, const T* centers, bool first) {
  pass.now = Plane(centers, x_.d);
  const std::size_t size = pass.sums.size();
  const std::int64_t n = pass.part.size(), base = pass.part.begin;
  const bool all = first || !pass.anchored || !(pass.now.length > 0);
  std::vector<std::vector<std::int64_t>> sums(pass.threads);
  std::vector<double> widest(pass.threads, 0.0);
  std::vector<std::int64_t> doubtful(pass.threads, 0);
  const bool whole = parallel(
      n, halves_grain(n, x_.d, pass.threads), pass.threads,
      [&](int worker, std::int64_t begin, std::int64_t end) {
        auto& mine = sums[worker];
        if (mine.empty()) mine.assign(size, 0);
        if (all) {
          look(pass, centers, first, base + begin, base + end, mine.data(), widest[worker]);
        } else {
          doubtful[worker] += compare(pass, centers, base + begin, base + end, mine.data());
        }
      });
  for (const auto& mine : sums) {
    for (std::size_t i = 0; i < mine.size(); ++i) pass.sums[i] += mine[i];
  }
  finish(whole);
  if (all) {
    pass.anchor = pass.now;
    pass.anchored = pass.now.length > 0;
    pass.looked = 0;
    pass.widest = *std::max_element(widest.begin(), widest.end());
  } else {
    for (const std::int64_t count : doubtful) pass.looked += count;
    pass.anchored = 8 * pass.looked < n;  // by then a look at all rows, in their order, pays
  }
}

template <typename T>
typename Halves<T>::Ended Halves<T>::lloyd(Part part, T* centers, const Magic& grid,
                                           std::int64_t max_iter, double tol, int threads) {
  const std::int64_t d = x_.d, columns = grid.columns();
  Pass pass{part, rows(part.depth), grid, threads, std::vector<std::int64_t>(4 * columns), {}, {}};
  std::vector<double> mean(2 * d);
  std::vector<T> next(2 * d);
  std::vector<std::vector<T>> visited;
  double weights[2];
  Ended ended{Stop::max_iter, 0};
  while (ended.iterations < max_iter && ended.stop == Stop::max_iter) {
    assign(pass, centers, ended.iterations == 0);
    means(pass.sums.data(), 2, columns, grid.exponents.data(), grid.bits, mean.data(), weights);
    if (!(weights[0] > 0 && weights[1] > 0)) return {Stop::failed, ended.iterations};
    for (std::int64_t f = 0; f < 2 * d; ++f) next[f] = static_cast<T>(mean[f]);
    ++ended.iterations;
    double shift = 0;
    if (!std::equal(next.begin(), next.end(), centers)) {
      double steps[2];
      for (int j = 0; j < 2; ++j) {
        exact_for<T>().distances(centers + j * d, next.data() + j * d, 1, d, d, Metric::euclidean,
                                 steps + j);
      }
      shift = std::max(steps[0] + steps[1], std::numeric_limits<double>::min());
    }
    std::copy(next.begin(), next.end(), centers);
    if (shift <= tol) {
      ended.stop = shift == 0 ? Stop::fixed_point : Stop::tolerance;
    } else if (std::find(visited.begin(), visited.end(), next) != visited.end()) {
      ended.stop = Stop::cycle;
    }
    visited.push_back(next);
  }
  if (ended.stop != Stop::fixed_point) {
    assign(pass, centers, false);
    means(pass.sums.data(), 2, columns, grid.exponents.data(), grid.bits, mean.data(), weights);
    if (!(weights[0] > 0 && weights[1] > 0)) return {Stop::failed, ended.iterations};
  }
  return ended;
}

#define OMNIMEANS_HALVES(T)                                                                     \
  template typename Halves<T>::Ended Halves<T>::lloyd(Part, T*, const Magic&, std::int64_t, double, \
                                                      int);
OMNIMEANS_HALVES(float)
OMNIMEANS_HALVES(double)

}  // namespace omnimeans
