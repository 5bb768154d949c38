// The arithmetic that decides: float64, one fixed order of operations, no contraction, so that
// every instruction set gives the same bits.
#include "exact.hpp"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

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

inline Vec8 terms(Vec8 difference, std::integral_constant<Metric, Metric::euclidean>) {
  return difference * difference;
}
inline Vec8 terms(Vec8 difference, std::integral_constant<Metric, Metric::manhattan>) {
  return (Vec8)((IVec8)difference & INT64_MAX);
}

template <Metric M>
inline double term(double difference) {
  return M == Metric::euclidean ? difference * difference : __builtin_fabs(difference);
}

inline double add_lanes(const double (&s)[8]) {
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

// From one row to N others.  Feature f goes to lane f mod 8; the lanes are added in one fixed tree.
// With several others, none waits for its own last addition.
template <Metric M, int N, typename T>
inline void distances_wide(const T* x, const T* const (&c)[N], std::int64_t d, double* out) {
  Vec8 lanes[N] = {};
  std::int64_t whole = 0;
  for (; whole + 8 <= d; whole += 8) {
    const Vec8 row = load8(x + whole);
    for (int n = 0; n < N; ++n) {
      lanes[n] += terms(row - load8(c[n] + whole), std::integral_constant<Metric, M>());
    }
  }
  for (int n = 0; n < N; ++n) {
    double s[8];
    __builtin_memcpy(s, &lanes[n], sizeof s);
    for (std::int64_t f = whole; f < d; ++f) {
      s[f - whole] += term<M>(static_cast<double>(x[f]) - static_cast<double>(c[n][f]));
    }
    out[n] = add_lanes(s);
  }
}

template <Metric M, typename T>
inline double distance_wide(const T* x, const T* c, std::int64_t d) {
  double away;
  distances_wide<M, 1>(x, {c}, d, &away);
  return away;
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

template <typename T>
void chosen(const T* x, const T* c, const std::int32_t* numbers, int count, std::int64_t d,
            double* out) {
  constexpr Metric M = Metric::euclidean;
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    const std::int32_t* four = numbers + i;
    distances_wide<M, 4, T>(x, {c + four[0] * d, c + four[1] * d, c + four[2] * d, c + four[3] * d},
                            d, out + i);
  }
  for (; i + 2 <= count; i += 2) {
    distances_wide<M, 2, T>(x, {c + numbers[i] * d, c + numbers[i + 1] * d}, d, out + i);
  }
  if (i < count) out[i] = distance_wide<M>(x, c + numbers[i] * d, d);
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

// a * b + c, rounded once.
inline Vec8 fused(Vec8 a, Vec8 b, Vec8 c) {
#if defined(__AVX512F__)
  return (Vec8)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#else
  for (int i = 0; i < 8; ++i) c[i] = __builtin_fma(a[i], b[i], c[i]);
  return c;
#endif
}
inline Vec8 sizes(Vec8 a) { return (Vec8)((IVec8)a & INT64_MAX); }

// A whole number as two float64 that add up to it.
struct Pair {
  Vec8 first, rest;
};
inline Pair pair_of(IVec8 number) {
  const Vec8 first = __builtin_convertvector(number, Vec8);
  return {first, __builtin_convertvector(number - __builtin_convertvector(first, IVec8), Vec8)};
}

// Eight quotients (high * unit + low) / weight * scale.  The quotient is first + tail, where tail is
// known up to `slack`: it errs by a few roundings of the terms that it is made of.  If both ends
// round to the same number, so does all between them.
inline Vec8 quotients(IVec8 high, IVec8 low, double unit, double weight, Vec8 scale) {
  const Pair upper = pair_of(high), lower = pair_of(low);
  const Vec8 large = upper.first * unit, spill = upper.rest * unit;
  const Vec8 sum = large + lower.first, back = sum - large;
  const Vec8 lost = (large - (sum - back)) + (lower.first - back);
  const double inverse = 1 / weight;
  const Vec8 first = sum * inverse, left = fused(-first, Vec8{} + weight, sum);
  const Vec8 tail = (left + (lost + (spill + lower.rest))) * inverse;
  const Vec8 slack =
      (sizes(left) + sizes(lost) + sizes(spill) + sizes(lower.rest)) * (inverse * 0x1p-48);
  const Vec8 above = first + (tail + slack), below = first + (tail - slack);
  const Vec8 doubt = Vec8{} + __builtin_nan("");
  return above == below ? above * scale : doubt;
}

void divide(const std::int64_t* high, const std::int64_t* low, std::int64_t count, double unit,
            double weight, const double* scale, double* out) {
  for (std::int64_t f = 0; f < count; f += 8) {
    const std::size_t bytes = 8 * (count - f < 8 ? count - f : 8);
    IVec8 upper = {}, lower = {};
    Vec8 by = {};
    __builtin_memcpy(&upper, high + f, bytes);
    __builtin_memcpy(&lower, low + f, bytes);
    __builtin_memcpy(&by, scale + f, bytes);
    const Vec8 found = quotients(upper, lower, unit, weight, by);
    __builtin_memcpy(out + f, &found, bytes);
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
      {distance<float>, distances<float>, chosen<float>, own<float>, move<float>, peaks<float>},
      {distance<double>, distances<double>, chosen<double>, own<double>, move<double>,
       peaks<double>},
      divide};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
