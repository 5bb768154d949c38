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

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "kernels.hpp"
#include "pool.hpp"

namespace omnimeans {

namespace {

constexpr std::int64_t kBatch = 256;  // rows looked at together
constexpr double kHalfUlp = 0x1p-53;

const HalvesTable& table() {
  static const HalvesTable& chosen = []() -> const HalvesTable& {
#if defined(OMNIMEANS_X86_KERNELS)
    const std::string name = kernels().name;
    if (name == "avx512") return avx512::halves_kernels();
    if (name == "avx2") return avx2::halves_kernels();
#endif
    return baseline::halves_kernels();
  }();
  return chosen;
}

template <typename T>
const HalvesKernels<T>& kernels_for();
template <>
const HalvesKernels<float>& kernels_for<float>() { return table().f32; }
template <>
const HalvesKernels<double>& kernels_for<double>() { return table().f64; }

std::int64_t grain_of(std::int64_t n, std::int64_t d, int threads) {
  if (chunk_rows > 0) return chunk_rows;
  const std::int64_t by_size = (std::int64_t{1} << 16) / d, fair = n / (4 * threads);
  return std::max(kBatch, std::min(by_size, fair) / kBatch * kBatch);
}

}  // namespace

template <typename T>
Room<T>::Room(std::size_t count) {
  constexpr std::size_t page = std::size_t{1} << 21;
  const std::size_t bytes = count * sizeof(T);
  const std::size_t whole = (bytes + page - 1) / page * page;
  void* found = bytes < page ? std::malloc(std::max<std::size_t>(bytes, 1))
                             : std::aligned_alloc(page, whole);
  if (!found) throw std::bad_alloc();
#ifdef __linux__
  if (bytes >= page) madvise(found, whole, MADV_HUGEPAGE);
#endif
  data_.reset(static_cast<T*>(found));
}
template <typename T>
void Room<T>::Free::operator()(T* p) const {
  std::free(p);
}

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
};

template <typename T>
Halves<T>::Halves(Matrix<T> x, const double* weights)
    : x_(x), weights_(weights), height_(x.n), radius_(x.n), side_(x.n) {
  std::memset(side_.data(), 0, x.n);
  parts_[0] = {0, x.n, 0};
}

template <typename T>
Matrix<T> Halves<T>::rows(int depth) const {
  return depth == 0 ? x_ : Matrix<T>{rows_[depth % 2].data(), x_.n, x_.d, x_.d};
}

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
    kernels_for<T>().project(pass.x.row(from), count, pass.x.stride, d, plane.middle.data(),
                             plane.across.data(), along, away);
    table().judge(along, away, count, 1 / plane.length, plane.slope, plane.level,
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
    table().compare(height_.data() + from, radius_.data() + from, count, static_cast<float>(step),
                    static_cast<float>(turn * (1 + 0x1p-20)), static_cast<float>(slack * 1.001),
                    side);
    std::uint8_t* sides = side_.data() + from;
    if (std::memcmp(side, sides, count) == 0) continue;
    for (std::int64_t r = 0; r < count; ++r) {
      if (side[r] == sides[r]) continue;
      const std::int64_t i = from + r;
      if (side[r] == 2) {
        double along, away, to[2];
        kernels_for<T>().project(pass.x.row(i), 1, d, d, now.middle.data(), now.across.data(),
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
      n, grain_of(n, x_.d, pass.threads), pass.threads,
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
    pass.widest = *std::max_element(widest.begin(), widest.end());
  } else {
    std::int64_t looked = 0;
    for (const std::int64_t count : doubtful) looked += count;
    pass.anchored = looked < n / 8;
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

template <typename T>
void Halves<T>::put(Part part, const std::int32_t* labels) {
  for (std::int64_t i = 0; i < part.size(); ++i) {
    side_.data()[part.begin + i] = static_cast<std::uint8_t>(labels[i]);
  }
}

template <typename T>
std::vector<typename Halves<T>::Side> Halves<T>::part(Part part, const T* centers, int threads) {
  const std::int64_t d = x_.d, n = part.size(), grain = grain_of(n, d, threads);
  const std::int64_t chunks = (n + grain - 1) / grain;
  const int deeper = part.depth + 1, into = deeper % 2;
  if (!rows_[into].data()) {
    rows_[into] = Room<T>(x_.n * d);
    numbers_[into] = Room<std::int64_t>(x_.n);
  }
  if (!away_.data()) away_ = Room<double>(x_.n);
  if (weights_) pulled_.resize(x_.n);

  std::vector<std::int64_t> ones(chunks + 1, 0);  // rows of side 1 before each chunk
  for (std::int64_t c = 0; c < chunks; ++c) {
    const std::uint8_t* side = side_.data() + part.begin + c * grain;
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < std::min(grain, n - c * grain); ++i) sum += side[i];
    ones[c + 1] = ones[c] + sum;
  }
  const std::int64_t left = n - ones[chunks];
  const Matrix<T> x = rows(part.depth);
  std::vector<std::vector<T>> plain(threads);        // largest sizes, (2, d)
  std::vector<std::vector<double>> weighted(threads);  // the same with weights, (2, d + 1)
  finish(parallel(n, grain, threads, [&](int worker, std::int64_t begin, std::int64_t end) {
    const std::int64_t before = ones[begin / grain];
    const std::int64_t start[2] = {part.begin + begin - before, part.begin + left + before};
    std::int64_t to[2] = {start[0], start[1]};
    T* const moved_to[2] = {rows_[into].data() + start[0] * d, rows_[into].data() + start[1] * d};
    kernels_for<T>().share(x.row(part.begin + begin), end - begin, x.stride, d,
                           side_.data() + part.begin + begin, moved_to);
    for (std::int64_t i = part.begin + begin; i < part.begin + end; ++i) {
      numbers_[into].data()[to[side_.data()[i]]++] = number(part.depth, i);
    }
    plain[worker].resize(2 * d);
    if (weights_) weighted[worker].resize(2 * (d + 1));
    for (int side = 0; side < 2; ++side) {
      const std::int64_t count = to[side] - start[side];
      if (count == 0) continue;
      const T* moved = rows_[into].data() + start[side] * d;
      exact_for<T>().distances(centers + side * d, moved, count, d, d, Metric::euclidean,
                               away_.data() + start[side]);
      if (!weights_) {
        kernels_for<T>().raise(moved, count, d, plain[worker].data() + side * d);
        continue;
      }
      for (std::int64_t p = start[side]; p < to[side]; ++p) {
        pulled_[p] = weight(deeper, p);
        exact_for<T>().peaks(rows_[into].data() + p * d, pulled_[p], d,
                             weighted[worker].data() + side * (d + 1));
      }
    }
  }));

  parts_.erase(part.begin);
  if (left > 0) parts_[part.begin] = {part.begin, part.begin + left, deeper};
  if (left < n) parts_[part.begin + left] = {part.begin + left, part.end, deeper};
  std::vector<Side> sides(2);
  for (int side = 0; side < 2; ++side) {
    Side& one = sides[side];
    const std::int64_t begin = part.begin + (side ? left : 0);
    one.rows = side ? n - left : left;
    one.peaks.assign(d + 1, weights_ ? 0.0 : 1.0);
    std::fill_n(one.peaks.begin(), d, 0.0);
    for (int worker = 0; worker < threads; ++worker) {
      if (plain[worker].empty()) continue;
      for (std::int64_t f = 0; f <= d; ++f) {
        if (!weights_ && f == d) break;
        const double size = weights_ ? weighted[worker][side * (d + 1) + f]
                                     : static_cast<double>(plain[worker][side * d + f]);
        one.peaks[f] = std::max(one.peaks[f], size);
      }
    }
    const double* pull = weights_ ? pulled_.data() + begin : nullptr;
    one.inertia = exact_total(away_.data() + begin, pull, one.rows);
    one.weight = weights_ ? exact_total(pull, nullptr, one.rows) : static_cast<double>(one.rows);
  }
  return sides;
}

template <typename T>
void Halves<T>::take(Part part, const std::int64_t* numbers, std::int64_t count, T* out) const {
  const Matrix<T> x = rows(part.depth);
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(out + i * x_.d, x.row(part.begin + numbers[i]), x_.d * sizeof(T));
  }
}

template <typename T>
void Halves<T>::numbers(Part part, std::int64_t* out) const {
  for (std::int64_t i = 0; i < part.size(); ++i) out[i] = number(part.depth, part.begin + i);
}

template <typename T>
double Halves<T>::total() const {
  return exact_total(away_.data(), weights_ ? pulled_.data() : nullptr, x_.n);
}

template class Room<float>;
template class Room<double>;
template class Room<std::uint8_t>;
template class Room<std::int64_t>;
template class Halves<float>;
template class Halves<double>;

}  // namespace omnimeans
