// Who keeps the rows of a bisecting fit, and brings halves together; see halves.hpp.
#include "halves.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

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
  parts_[0] = {0, x.n, 0};
}

template <typename T>
Matrix<T> Halves<T>::rows(int depth) const {
  return depth == 0 ? x_ : Matrix<T>{rows_[depth % 2].data(), x_.n, x_.d, x_.d};
}

template <typename T>
void Halves<T>::put(Part part, const std::int32_t* labels) {
  for (std::int64_t i = 0; i < part.size(); ++i) {
    side_.data()[part.begin + i] = static_cast<std::uint8_t>(labels[i]);
  }
}

template <typename T>
std::vector<typename Halves<T>::Side> Halves<T>::part(Part part, const T* centers, int threads) {
  const std::int64_t d = x_.d, n = part.size(), grain = halves_grain(n, d, threads);
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
    halves_for<T>().share(x.row(part.begin + begin), end - begin, x.stride, d,
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
        halves_for<T>().raise(moved, count, d, plain[worker].data() + side * d);
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
