// Rows that pass by, and what is asked of all rows at once.
#include "rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "accumulator.hpp"
#include "assigner.hpp"
#include "pool.hpp"

namespace omnimeans {

std::int64_t chunk_rows = 0;

namespace {

constexpr std::int64_t kFewValues = 1 << 18;  // values of which a packed copy stays in a near cache

// Only writes the labels down.
struct Writer {
  std::int32_t* labels;

  bool all(std::int64_t first, const std::int32_t* now, int count) const {
    std::memcpy(labels + first, now, count * sizeof *now);
    return true;
  }
  void one(std::int64_t i, std::int32_t label, float, float) const { labels[i] = label; }
  bool ranged() const { return false; }
};

}  // namespace

// A power of two that brings values of this mean square into float32's range; ordinary ones are left
// as they are, which is a little faster.
double scale_for(double mean_square) {
  if (!(mean_square > 0 && mean_square <= std::numeric_limits<double>::max()) ||
      (mean_square > 0x1p-60 && mean_square < 0x1p60)) {
    return 1;
  }
  return std::ldexp(1.0, -std::clamp(std::ilogb(mean_square) / 2, -120, 120));
}

template <typename T>
void nearest(const Matrix<T>& x, const T* centers, std::int64_t k, Metric metric,
             std::int32_t* labels, int threads) {
  // Any frame gives the same labels; the centres' own leaves the least to be decided by D.
  std::vector<T> offset(x.d);
  double square = 0;
  for (std::int64_t f = 0; f < x.d; ++f) {
    double sum = 0;
    for (std::int64_t j = 0; j < k; ++j) sum += static_cast<double>(centers[j * x.d + f]) / k;
    offset[f] = static_cast<T>(sum);
    for (std::int64_t j = 0; j < k; ++j) {
      const double away = static_cast<double>(centers[j * x.d + f]) - offset[f];
      square += away * away / k;
    }
  }
  const Frame<T> frame{offset.data(), static_cast<T>(scale_for(square))};
  const Screen screen = screen_of(centers, k, x.d, metric, frame);
  finish(Crew<T, Writer>(threads).assign(x, centers, screen, frame,
                                         [&](int) { return Writer{labels}; }));
}

template <typename T>
std::vector<std::int64_t> Rows<T>::total(int threads) const {
  std::vector<std::vector<std::int64_t>> parts(threads);
  finish(parallel(x_.n, rows_per_chunk(x_, 1, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    parts[worker].resize(width());
                    for (std::int64_t i = begin; i < end; ++i) {
                      exact_for<T>().move(x_.row(i), weight(i), grid_, nullptr,
                                          parts[worker].data());
                    }
                  }));
  std::vector<std::int64_t> sum(width());
  for (const auto& part : parts) {
    for (std::size_t i = 0; i < part.size(); ++i) sum[i] += part[i];
  }
  return sum;
}

template <typename T>
void Rows<T>::measure(const T* centers, const std::int32_t* labels, std::int64_t begin,
                      std::int64_t end, double* out) const {
  const T* rows = x_.row(begin);
  const std::int64_t count = end - begin, stride = x_.stride, d = x_.d;
  if (labels) {
    exact_for<T>().own(rows, count, stride, d, centers, labels + begin, metric_, out);
  } else {
    exact_for<T>().distances(centers, rows, count, stride, d, metric_, out);
  }
}

template <typename T>
const float* Rows<T>::tiles(const Screen& screen) const {
  if (x_.n * x_.d > kFewValues || !screen.whole()) return nullptr;
  if (!tiles_.empty()) return tiles_.data();
  const std::int64_t size = screen.tile * (x_.d + 1);
  tiles_.resize((x_.n + screen.tile - 1) / screen.tile * size);
  for (std::int64_t first = 0; first < x_.n; first += screen.tile) {
    const T* rows[kMaxTile];
    for (int i = 0; i < screen.tile; ++i) rows[i] = x_.row(first + i < x_.n ? first + i : first);
    screen_for<T>().pack(screen, rows, frame(), tiles_.data() + first / screen.tile * size);
  }
  return tiles_.data();
}

template <typename T>
void Rows<T>::distances(const T* centers, const std::int32_t* labels, double* out,
                        int threads) const {
  finish(parallel(x_.n, rows_per_chunk(x_, 1, threads), threads,
                  [&](int, std::int64_t begin, std::int64_t end) {
                    measure(centers, labels, begin, end, out + begin);
                  }));
}

template <typename T>
double Rows<T>::inertia(const T* centers, const std::int32_t* labels, int threads) const {
  constexpr std::int64_t kSome = 256;  // rows whose distances are kept until they are added
  std::vector<Total> parts(threads);
  finish(parallel(x_.n, rows_per_chunk(x_, 1, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    double away[kSome];
                    for (std::int64_t i = begin; i < end; i += kSome) {
                      const std::int64_t last = std::min(end, i + kSome);
                      measure(centers, labels, i, last, away);
                      parts[worker].add(away, weights_ ? weights_ + i : nullptr, last - i);
                    }
                  }));
  Total all;
  for (Total& part : parts) all.add(part);
  return all.value();
}

template <typename T>
std::vector<double> peaks(const Matrix<T>& x, const double* weights, int threads) {
  std::vector<std::vector<double>> parts(threads);
  finish(parallel(x.n, rows_per_chunk(x, 1, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    parts[worker].resize(x.d + 1);
                    for (std::int64_t i = begin; i < end; ++i) {
                      exact_for<T>().peaks(x.row(i), weights ? weights[i] : 1.0, x.d,
                                           parts[worker].data());
                    }
                  }));
  std::vector<double> all(x.d + 1);
  for (const auto& part : parts) {
    for (std::size_t f = 0; f < part.size(); ++f) all[f] = std::max(all[f], part[f]);
  }
  return all;
}

#define OMNIMEANS_ROWS(T)                                                                       \
  template std::vector<std::int64_t> Rows<T>::total(int) const;                                 \
  template const float* Rows<T>::tiles(const Screen&) const;                                    \
  template void Rows<T>::distances(const T*, const std::int32_t*, double*, int) const;          \
  template double Rows<T>::inertia(const T*, const std::int32_t*, int) const;                   \
  template void nearest(const Matrix<T>&, const T*, std::int64_t, Metric, std::int32_t*, int);  \
  template std::vector<double> peaks(const Matrix<T>&, const double*, int);
OMNIMEANS_ROWS(float)
OMNIMEANS_ROWS(double)

}  // namespace omnimeans
