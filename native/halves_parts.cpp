// Who keeps the rows of a bisecting fit, and brings halves together; see halves.hpp.
#include "halves.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#include "accumulator.hpp"
#include "kernels.hpp"
#include "pool.hpp"

namespace omnimeans {

const HalvesTable& halves_table() {
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

const ExactHalvesTable& exact_halves_table() {
  static const ExactHalvesTable& chosen = []() -> const ExactHalvesTable& {
#if defined(OMNIMEANS_X86_KERNELS)
    const std::string name = kernels().name;
    if (name == "avx512") return avx512::halves_exact();
    if (name == "avx2") return avx2::halves_exact();
#endif
    return baseline::halves_exact();
  }();
  return chosen;
}

template <>
const ExactHalves<float>& exact_halves_for<float>() { return exact_halves_table().f32; }
template <>
const ExactHalves<double>& exact_halves_for<double>() { return exact_halves_table().f64; }
template <>
const HalvesKernels<float>& halves_for<float>() { return halves_table().f32; }
template <>
const HalvesKernels<double>& halves_for<double>() { return halves_table().f64; }

std::int64_t halves_grain(std::int64_t n, std::int64_t d, int threads) {
  if (chunk_rows > 0) return chunk_rows;
  const std::int64_t by_size = (std::int64_t{1} << 16) / d, fair = n / (4 * threads);
  return std::max(kHalvesBatch, std::min(by_size, fair) / kHalvesBatch * kHalvesBatch);
}

template <typename T>
Room<T>::Room(std::size_t count) {
  void* found = std::malloc(std::max<std::size_t>(count * sizeof(T), 1));
  if (!found) throw std::bad_alloc();
  data_.reset(static_cast<T*>(found));
}
template <typename T>
void Room<T>::Free::operator()(T* p) const {
  std::free(p);
}

template <typename T>
Halves<T>::Halves(Matrix<T> x, const double* weights)
    : x_(x), weights_(weights), height_(x.n), radius_(x.n), side_(x.n) {
  std::memset(side_.data(), 0, x.n);
  parts_[0].part = {0, x.n, 0};
}

template <typename T>
Matrix<T> Halves<T>::rows(int depth) const {
  return depth == 0 ? x_ : Matrix<T>{rows_[depth % 2].data(), x_.n, x_.d, x_.d};
}

template <typename T>
void Halves<T>::put(Part part, const std::int32_t* labels) {
  latest_.clear();
  for (std::int64_t i = 0; i < part.size(); ++i) {
    side_.data()[part.begin + i] = static_cast<std::uint8_t>(labels[i]);
  }
}

namespace {

// The exact sum of distances: of most of them in two words, of the others one by one.
struct Tally {
  std::int64_t words[2] = {0, 0};
  std::vector<double> odd;
  float widest = 0;

  void add(const Tally& other) {
    words[0] += other.words[0], words[1] += other.words[1];
    odd.insert(odd.end(), other.odd.begin(), other.odd.end());
    widest = std::max(widest, other.widest);
  }
};

struct TallyScale {
  TallyGrid grid;
  int exponent = 0, bits = 0;

  TallyScale(double limit, std::int64_t n) {
    if (!(limit > 0x1p-600 && limit < 0x1p900)) return;  // all of them one by one
    bits = std::min<int>(kMaxBits, 62 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n))));
    exponent = std::ilogb(limit) + 1 - bits;
    grid = {std::ldexp(1.5, exponent + 52), std::ldexp(1.5, exponent - bits + 52), limit};
  }
  double total(const Tally& tally) const {
    Accumulator sum;
    for (int w = 0; w < 2; ++w) {
      const int step = exponent - w * bits;
      const std::int64_t upper = tally.words[w] >> 32;
      sum.add(std::ldexp(static_cast<double>(upper), step + 32));
      sum.add(std::ldexp(static_cast<double>(tally.words[w] - (upper << 32)), step));
    }
    for (const double value : tally.odd) {
      if (!std::isfinite(value)) return std::numeric_limits<double>::infinity();
      sum.add(value);
    }
    return sum.value();
  }
};

}  // namespace

template <typename T>
std::vector<typename Halves<T>::Side> Halves<T>::part(Part part, const T* centers, int threads) {
  const std::int64_t d = x_.d, n = part.size(), grain = halves_grain(n, d, threads);
  const std::int64_t chunks = (n + grain - 1) / grain, columns = d + 1;
  const int deeper = part.depth + 1, into = deeper % 2;
  if (!rows_[into].data()) {
    rows_[into] = Room<T>(x_.n * d);
    numbers_[into] = Room<std::int32_t>(x_.n);
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
  const bool same_grid = !latest_.empty();
  const TallyScale scale(limit_, n);
  const std::vector<double> wide(centers, centers + 2 * d);
  std::vector<Tally> tallies(2 * threads);
  std::vector<std::vector<T>> plain(threads);        // largest sizes, (2, d)
  std::vector<std::vector<double>> weighted(threads);  // the same with weights, (2, d + 1)
  finish(parallel(n, grain, threads, [&](int worker, std::int64_t begin, std::int64_t end) {
    const std::int64_t before = ones[begin / grain];
    const std::int64_t start[2] = {part.begin + begin - before, part.begin + left + before};
    std::int64_t to[2] = {start[0], start[1]};
    T* const moved_to[2] = {rows_[into].data() + start[0] * d, rows_[into].data() + start[1] * d};
    halves_for<T>().share(x.row(part.begin + begin), end - begin, x.stride, d,
                           side_.data() + part.begin + begin, moved_to);
    for (std::int64_t i = part.begin + begin; i < part.begin + end; ++i) {
      numbers_[into].data()[to[side_.data()[i]]++] =
          static_cast<std::int32_t>(number(part.depth, i));
    }
    plain[worker].resize(2 * d);
    if (weights_) weighted[worker].resize(2 * columns);
    for (int side = 0; side < 2; ++side) {
      Tally& tally = tallies[2 * worker + side];
      for (std::int64_t p = start[side]; p < to[side]; p += kHalvesBatch) {
        const std::int64_t count = std::min(kHalvesBatch, to[side] - p);
        double* away = away_.data() + p;
        float* radius = radius_.data() + p;
        if (!exact_halves_for<T>().measure(rows_[into].data() + p * d, count, d, d,
                                           wide.data() + side * d, scale.grid, away, radius,
                                           tally.words) && !weights_) {
          tally.odd.insert(tally.odd.end(), away, away + count);
        }
        tally.widest = std::max(tally.widest, *std::max_element(radius, radius + count));
      }
      const T* moved = rows_[into].data() + start[side] * d;
      if (!weights_) {
        if (!same_grid) {
          halves_for<T>().raise(moved, to[side] - start[side], d, plain[worker].data() + side * d);
        }
        continue;
      }
      for (std::int64_t p = start[side]; p < to[side]; ++p) {
        pulled_[p] = weight(deeper, p);
        exact_for<T>().peaks(rows_[into].data() + p * d, pulled_[p], d,
                             weighted[worker].data() + side * columns);
      }
    }
  }));

  parts_.erase(part.begin);
  std::vector<Side> sides(2);
  for (int side = 0; side < 2; ++side) {
    Side& one = sides[side];
    const std::int64_t begin = part.begin + (side ? left : 0);
    one.rows = side ? n - left : left;
    Tally tally;
    for (int worker = 0; worker < threads; ++worker) tally.add(tallies[2 * worker + side]);
    if (one.rows > 0) {
      Held& held = parts_[begin];
      held.part = {begin, begin + one.rows, deeper};
      held.reference.assign(wide.begin() + side * d, wide.begin() + (side + 1) * d);
      held.widest = tally.widest;
      if (same_grid) {
        held.sums.assign(latest_.begin() + side * 2 * columns,
                         latest_.begin() + (side + 1) * 2 * columns);
      }
    }
    const double* pull = weights_ ? pulled_.data() + begin : nullptr;
    one.weight = weights_ ? exact_total(pull, nullptr, one.rows) : static_cast<double>(one.rows);
    one.inertia = weights_ ? exact_total(away_.data() + begin, pull, one.rows) : scale.total(tally);
    if (same_grid) continue;
    one.peaks.assign(columns, weights_ ? 0.0 : 1.0);
    std::fill_n(one.peaks.begin(), d, 0.0);
    for (int worker = 0; worker < threads; ++worker) {
      if (plain[worker].empty()) continue;
      for (std::int64_t f = 0; f <= d; ++f) {
        if (!weights_ && f == d) break;
        const double size = weights_ ? weighted[worker][side * columns + f]
                                     : static_cast<double>(plain[worker][side * d + f]);
        one.peaks[f] = std::max(one.peaks[f], size);
      }
    }
  }
  latest_.clear();
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
template class Room<std::int32_t>;
#define OMNIMEANS_HALVES(T)                                                                    \
  template Halves<T>::Halves(Matrix<T>, const double*);                                        \
  template Matrix<T> Halves<T>::rows(int) const;                                               \
  template void Halves<T>::put(Part, const std::int32_t*);                                     \
  template std::vector<typename Halves<T>::Side> Halves<T>::part(Part, const T*, int);         \
  template void Halves<T>::take(Part, const std::int64_t*, std::int64_t, T*) const;            \
  template void Halves<T>::numbers(Part, std::int64_t*) const;                                 \
  template double Halves<T>::total() const;
OMNIMEANS_HALVES(float)
OMNIMEANS_HALVES(double)

}  // namespace omnimeans
