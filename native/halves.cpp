// The splits themselves; see halves.hpp.
#include "halves.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "halves_pass.hpp"
#include "kernels.hpp"
#include "pool.hpp"

namespace omnimeans {

template <typename T>
void Halves<T>::settle(Pass& pass, const T* centers, const T* x, std::int64_t stride,
                       std::int64_t count, std::uint8_t* now, const std::int32_t* numbers,
                       std::int64_t from, std::int64_t* sums) {
  const std::int64_t d = x_.d, width = 2 * pass.grid.columns();
  for (std::int64_t r = 0; r < count; ++r) {
    if (now[r] == 2) {
      double to[2];
      exact_for<T>().distances(x + r * stride, centers, 2, d, d, Metric::euclidean, to);
      now[r] = to[1] < to[0];
    }
    if (!sums) continue;
    std::uint8_t& side = side_.data()[numbers ? pass.part.begin + numbers[r] : from + r];
    if (now[r] == side) continue;
    const std::int64_t i = numbers ? pass.part.begin + numbers[r] : from + r;
    exact_for<T>().move(x + r * stride, weight(pass.part.depth, i), pass.grid, sums + side * width,
                        sums + now[r] * width);
    side = now[r];
  }
}

// Looks at every row of a chunk, and writes down how far it is from the plane.
template <typename T>
void Halves<T>::look_at(Pass& pass, const T* centers, bool first, std::int64_t begin,
                        std::int64_t end, int worker) {
  const std::int64_t d = x_.d, width = 2 * pass.grid.columns(), stride = pass.x.stride;
  const Aim aim = pass.now.aimed();
  std::int64_t* sums = pass.share(worker);
  double away[kHalvesBatch];
  std::uint8_t now[kHalvesBatch];
  std::int64_t unused[2];
  for (std::int64_t from = begin; from < end; from += kHalvesBatch) {
    const std::int64_t count = std::min(kHalvesBatch, end - from);
    const T* x = pass.x.row(from);
    float* radius = radius_.data() + from;
    if (pass.fresh) {
      exact_halves_for<T>().measure(x, count, stride, d, pass.now.origin.data(), {}, away, radius,
                                    unused);
      pass.widest_of[worker] =
          std::max<double>(pass.widest_of[worker], *std::max_element(radius, radius + count));
    }
    halves_for<T>().look(x, count, stride, d, aim, radius, height_.data() + from, now);
    if (!first) {
      if (std::memcmp(now, side_.data() + from, count) == 0) continue;
      settle(pass, centers, x, stride, count, now, nullptr, from, sums);
      continue;
    }
    settle(pass, centers, x, stride, count, now, nullptr, from, nullptr);
    std::memcpy(side_.data() + from, now, count);
    if (weights_) {
      for (std::int64_t r = 0; r < count; ++r) {
        exact_for<T>().move(x + r * stride, weight(pass.part.depth, from + r), pass.grid, nullptr,
                            sums + now[r] * width);
      }
      continue;
    }
    for (std::uint8_t side = pass.whole ? 1 : 0; side < 2; ++side) {
      pass.lossy[worker] |= exact_halves_for<T>().pick(x, count, stride, d, now, side, pass.grid,
                                                       sums + side * width);
    }
  }
}

template <typename T>
void Halves<T>::look(Pass& pass, const T* centers, bool first) {
  const std::int64_t n = pass.part.size(), base = pass.part.begin;
  const bool finished = parallel(
      n, halves_grain(n, x_.d, pass.threads), pass.threads,
      [&](int worker, std::int64_t begin, std::int64_t end) {
        look_at(pass, centers, first, base + begin, base + end, worker);
      });
  pass.collect();
  finish(finished);
  if (pass.fresh) {
    Held& held = parts_[base];
    held.reference = pass.now.origin;
    held.widest = *std::max_element(pass.widest_of.begin(), pass.widest_of.end());
    pass.widest = held.widest;
    pass.fresh = false;
  }
  if (first && pass.whole) {
    const std::size_t width = pass.sums.size() / 2;
    for (std::size_t i = 0; i < width; ++i) {
      pass.sums[i] = (*pass.whole)[i] - pass.sums[width + i];
    }
  }
  pass.anchor = pass.now;
  pass.anchored = pass.now.length > 0;
  near_.count = -1;
}

template <typename T>
void Halves<T>::assign(Pass& pass, const T* centers, bool first) {
  Plane plane(centers, x_.d);
  const Held& held = parts_[pass.part.begin];
  plane.measured_from(held.reference.empty() ? plane.origin : held.reference);
  if (!first) pass.last = Drift(pass.now, plane, 0.0);
  pass.now = std::move(plane);
  if (first || !pass.anchored || !(pass.now.length > 0) || !gather(pass)) {
    look(pass, centers, first);
  } else {
    look_near(pass, centers);
  }
}

template <typename T>
typename Halves<T>::Ended Halves<T>::lloyd(Part part, T* centers, const Magic& grid,
                                           std::int64_t max_iter, double tol, int threads) {
  const std::int64_t d = x_.d, columns = grid.columns();
  Held& held = parts_[part.begin];
  Pass pass(part, rows(part.depth), grid, threads);
  pass.fresh = held.reference.empty();
  pass.widest = held.widest;
  const bool exact = !exponents_.empty() && exponents_ == grid.exponents;
  pass.whole = exact && !held.sums.empty() ? &held.sums : nullptr;
  near_.count = -1;
  latest_.clear();
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
  if (part.depth == 0 && !weights_) {
    // every value is a whole number of this grid's steps, and so of any finer one's
    exponents_.clear();
    if (std::none_of(pass.lossy.begin(), pass.lossy.end(), [](char lossy) { return lossy; })) {
      exponents_ = grid.exponents;
    }
    limit_ = 0;
    for (std::int64_t f = 0; f < d; ++f) {
      limit_ += std::ldexp(4.0, 2 * (static_cast<int>(grid.exponents[f]) + grid.bits));
    }
  }
  if (!exponents_.empty() && exponents_ == grid.exponents) latest_ = std::move(pass.sums);
  return ended;
}

#define OMNIMEANS_HALVES(T)                                                                     \
  template void Halves<T>::settle(Pass&, const T*, const T*, std::int64_t, std::int64_t,        \
                                  std::uint8_t*, const std::int32_t*, std::int64_t,             \
                                  std::int64_t*);                                               \
  template typename Halves<T>::Ended Halves<T>::lloyd(Part, T*, const Magic&, std::int64_t, double, \
                                                      int);
OMNIMEANS_HALVES(float)
OMNIMEANS_HALVES(double)

}  // namespace omnimeans
