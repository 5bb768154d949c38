// The arithmetic that decides: float64, one fixed order of operations, no contraction, so that
// every instruction set gives the same bits.
#include "exact.hpp"
#include "kernels.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

typedef double Vec8 __attribute__((vector_size(64)));
typedef std::int64_t IVec8 __attribute__((vector_size(64)));
typedef float Vec8f __attribute__((vector_size(32)));

inline Vec8 load8(const double* p) {
  Vec8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline Vec8 load8(const float* p) {
  Vec8f v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, Vec8);
}

template <Metric M>
inline double term(double difference) {
  return M == Metric::euclidean ? difference * difference : __builtin_fabs(difference);
}

inline double add_lanes(const double (&s)[8]) {
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

// Feature f goes to lane f mod 8; the lanes are added in one fixed tree.
template <Metric M, typename T>
inline double distance_wide(const T* x, const T* c, std::int64_t d) {
  Vec8 lanes = {};
  std::int64_t f = 0;
  for (; f + 8 <= d; f += 8) {
    const Vec8 difference = load8(x + f) - load8(c + f);
    if constexpr (M == Metric::euclidean) {
      lanes += difference * difference;
    } else {
      const IVec8 positive = (IVec8)difference & INT64_MAX;
      lanes += (Vec8)positive;
    }
  }
  double s[8];
  __builtin_memcpy(s, &lanes, sizeof s);
  for (int lane = 0; f < d; ++f, ++lane) {
    s[lane] += term<M>(static_cast<double>(x[f]) - static_cast<double>(c[f]));
  }
  return add_lanes(s);
}

// Up to eight features: the same sum with its zero lanes left out.
template <Metric M, int D, typename T>
inline double distance_narrow(const T* x, const T* c) {
  double s[8] = {};
  for (int f = 0; f < D; ++f) {
    s[f] = term<M>(static_cast<double>(x[f]) - static_cast<double>(c[f]));
  }
  return add_lanes(s);
}

template <Metric M, int D, typename T>
void distances_narrow(const T* x, const T* c, std::int64_t count, std::int64_t stride,
                      double* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = distance_narrow<M, D>(x, c + i * stride);
}

template <Metric M, typename T>
void distances_of(const T* x, const T* c, std::int64_t count, std::int64_t stride, std::int64_t d,
                  double* out) {
  switch (d) {
    case 1: return distances_narrow<M, 1>(x, c, count, stride, out);
    case 2: return distances_narrow<M, 2>(x, c, count, stride, out);
    case 3: return distances_narrow<M, 3>(x, c, count, stride, out);
    case 4: return distances_narrow<M, 4>(x, c, count, stride, out);
    default:
      for (std::int64_t i = 0; i < count; ++i) out[i] = distance_wide<M>(x, c + i * stride, d);
  }
}

template <typename T>
void distances(const T* x, const T* c, std::int64_t count, std::int64_t stride, std::int64_t d,
               Metric metric, double* out) {
  if (metric == Metric::euclidean) {
    distances_of<Metric::euclidean>(x, c, count, stride, d, out);
  } else {
    distances_of<Metric::manhattan>(x, c, count, stride, d, out);
  }
}

template <Metric M, typename T>
void own_of(const T* x, std::int64_t count, std::int64_t stride, std::int64_t d, const T* centers,
            const std::int32_t* labels, double* out) {
  for (std::int64_t i = 0; i < count; ++i, x += stride) {
    distances_of<M>(x, centers + labels[i] * d, 1, d, d, out + i);
  }
}

template <typename T>
void own(const T* x, std::int64_t count, std::int64_t stride, std::int64_t d, const T* centers,
         const std::int32_t* labels, Metric metric, double* out) {
  const auto measure = metric == Metric::euclidean ? own_of<Metric::euclidean, T>
                                                   : own_of<Metric::manhattan, T>;
  measure(x, count, stride, d, centers, labels, out);
}

template <typename T>
double distance(const T* x, const T* c, std::int64_t d, Metric metric) {
  return metric == Metric::euclidean ? distance_wide<Metric::euclidean>(x, c, d)
                                     : distance_wide<Metric::manhattan>(x, c, d);
}

inline std::int64_t bits_of(double x) { return __builtin_bit_cast(std::int64_t, x); }

// The two words of a value on the grid.
struct Words {
  std::int64_t high, low;
};
inline Words words_of(double value, double high, double low) {
  const double rounded = value + high;
  const double rest = value - (rounded - high);
  return {bits_of(rounded) - bits_of(high), bits_of(rest + low) - bits_of(low)};
}

template <bool kTake, bool kGive, typename T>
inline void move_plain(const T* x, const Magic& grid, std::int64_t* from, std::int64_t* to) {
  const std::int64_t columns = grid.columns(), d = columns - 1;
  const double *high = grid.high.data(), *low = grid.low.data();
  std::int64_t f = 0;
  for (; f + 8 <= d; f += 8) {
    const Vec8 value = load8(x + f), up = load8(high + f), down = load8(low + f);
    const Vec8 rounded = value + up;
    const Vec8 rest = value - (rounded - up);
    const IVec8 word[2] = {(IVec8)rounded - (IVec8)up, (IVec8)(rest + down) - (IVec8)down};
    for (int w = 0; w < 2; ++w) {
      IVec8 sum;
      if constexpr (kTake) {
        __builtin_memcpy(&sum, from + w * columns + f, sizeof sum);
        sum -= word[w];
        __builtin_memcpy(from + w * columns + f, &sum, sizeof sum);
      }
      if constexpr (kGive) {
        __builtin_memcpy(&sum, to + w * columns + f, sizeof sum);
        sum += word[w];
        __builtin_memcpy(to + w * columns + f, &sum, sizeof sum);
      }
    }
  }
  for (; f < columns; ++f) {
    const double value = f < d ? static_cast<double>(x[f]) : 1.0;
    const Words words = words_of(value, high[f], low[f]);
    if constexpr (kTake) from[f] -= words.high, from[columns + f] -= words.low;
    if constexpr (kGive) to[f] += words.high, to[columns + f] += words.low;
  }
}

template <typename T>
void move(const T* x, double weight, const Magic& grid, std::int64_t* from, std::int64_t* to) {
  if (weight == 1.0) {
    if (from && to) return move_plain<true, true>(x, grid, from, to);
    if (from) return move_plain<true, false>(x, grid, from, to);
    return move_plain<false, true>(x, grid, from, to);
  }
  // weight * x is kept whole: the product, and what rounding the product lost.
  const std::int64_t columns = grid.columns(), d = columns - 1;
  for (std::int64_t f = 0; f < columns; ++f) {
    const double value = f < d ? static_cast<double>(x[f]) : 1.0;
    const double product = weight * value;
    const double lost = __builtin_fma(weight, value, -product);
    Words words = words_of(product, grid.high[f], grid.low[f]);
    words.low += bits_of(lost + grid.low[f]) - bits_of(grid.low[f]);
    if (from) from[f] -= words.high, from[columns + f] -= words.low;
    if (to) to[f] += words.high, to[columns + f] += words.low;
  }
}

template <typename T>
void peaks(const T* x, double weight, std::int64_t d, double* peak) {
  for (std::int64_t f = 0; f < d; ++f) {
    const double size = __builtin_fabs(static_cast<double>(x[f]) * weight);
    peak[f] = peak[f] > size ? peak[f] : size;
  }
  peak[d] = peak[d] > weight ? peak[d] : weight;
}

}  // namespace

const Exact& exact_kernels() {
  static constexpr Exact table = {
      {distance<float>, distances<float>, own<float>, move<float>, peaks<float>},
      {distance<double>, distances<double>, own<double>, move<double>, peaks<double>}};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
