// Tiles of D; see table.hpp.  Compiled once for each instruction set, without contraction: every
// element goes through the same operations everywhere.
#include "table.hpp"
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

typedef double Vec8 __attribute__((vector_size(64)));
typedef std::int64_t IVec8 __attribute__((vector_size(64)));
typedef float Vec8f __attribute__((vector_size(32)));

// The register tile: rows by vectors of eight centres.
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kRows = kTableRows, kVectors = kTableCenters / 8;
#else
constexpr int kRows = 2, kVectors = 1;
#endif

inline Vec8 load8(const double* p) {
  Vec8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

inline Vec8 root8(Vec8 a) {
#if defined(__AVX512F__)
  return (Vec8)_mm512_sqrt_pd((__m512d)a);
#else
  for (int i = 0; i < 8; ++i) a[i] = __builtin_sqrt(a[i]);
  return a;
#endif
}

// sum + term.  Some processors have adders beside their multiply-add units: one addition in three
// goes to the latter, times one, which is the same sum.
template <bool kByFma>
inline Vec8 add(Vec8 sum, Vec8 term, [[maybe_unused]] Vec8 one) {
#if defined(__AVX512F__)
  if constexpr (kByFma) return (Vec8)_mm512_fmadd_pd((__m512d)term, (__m512d)one, (__m512d)sum);
#endif
  return sum + term;
}

template <Metric M>
inline Vec8 term(Vec8 difference) {
  if constexpr (M == Metric::euclidean) return difference * difference;
  return (Vec8)((IVec8)difference & INT64_MAX);
}

inline Vec8 add_lanes(const Vec8 (&s)[8]) {
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

inline void write(Vec8 value, std::int64_t count, double* out) {
  if (count >= 8) {
    __builtin_memcpy(out, &value, sizeof value);
  } else {
    __builtin_memcpy(out, &value, count * sizeof *out);
  }
}
inline void write(Vec8 value, std::int64_t count, float* out) {
  const Vec8f rounded = __builtin_convertvector(value, Vec8f);
  if (count >= 8) {
    __builtin_memcpy(out, &rounded, sizeof rounded);
  } else {
    __builtin_memcpy(out, &rounded, count * sizeof *out);
  }
}

// Some rows of a tile and some vectors of a panel, and where the answers go.
template <typename Out>
struct Spot {
  const double *rows, *centers;  // their first features
  std::int64_t rows_left, centers_left;
  bool root;
  Out* out;
  std::int64_t stride;

  inline void put(int r, int v, Vec8 value) const {
    if (r >= rows_left || 8 * v >= centers_left) return;
    write(root ? root8(value) : value, centers_left - 8 * v, out + r * stride + 8 * v);
  }
};

// The sums of one of D's lanes.
template <Metric M>
inline void fill_lane(const double* x, const double* c, std::int64_t features,
                      Vec8 (&sums)[kRows][kVectors], Vec8 one) {
  Vec8 sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) sum[r][v] = Vec8{};
  for (std::int64_t f = 0; f < features; ++f, x += kTableRows, c += kTableCenters) {
    Vec8 center[kVectors];
    for (int v = 0; v < kVectors; ++v) center[v] = load8(c + 8 * v);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const Vec8 part = term<M>(center[v] - x[r]);
        sum[r][v] = (r * kVectors + v) % 3 ? add<false>(sum[r][v], part, one)
                                           : add<true>(sum[r][v], part, one);
      }
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) sums[r][v] = sum[r][v];
}

template <Metric M, typename Out>
void fill_wide(const Panels& panels, const Spot<Out>& spot) {
  Vec8 one = Vec8{} + 1.0;
#if defined(__AVX512F__)
  asm("" : "+v"(one));  // or the compiler would make an addition of it
#endif
  Vec8 sums[8][kRows][kVectors];
  for (int lane = 0; lane < 8; ++lane) {
    const std::int64_t begin = panels.starts[lane];
    fill_lane<M>(spot.rows + begin * kTableRows, spot.centers + begin * kTableCenters,
                 panels.starts[lane + 1] - begin, sums[lane], one);
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      Vec8 lanes[8];
      for (int lane = 0; lane < 8; ++lane) lanes[lane] = sums[lane][r][v];
      spot.put(r, v, add_lanes(lanes));
    }
  }
}

// Up to four features, one to a lane: the sums stay in registers.
template <Metric M, int D, typename Out>
void fill_narrow(const Panels&, const Spot<Out>& spot) {
  for (int v = 0; v < kVectors; ++v) {
    Vec8 c[D];
    for (int f = 0; f < D; ++f) c[f] = load8(spot.centers + f * kTableCenters + 8 * v);
    for (int r = 0; r < kRows; ++r) {
      Vec8 s[D];
      for (int f = 0; f < D; ++f) s[f] = term<M>(c[f] - spot.rows[f * kTableRows + r]);
      Vec8 sum = s[0];
      if constexpr (D == 2) sum = s[0] + s[1];
      if constexpr (D == 3) sum = (s[0] + s[2]) + s[1];
      if constexpr (D == 4) sum = (s[0] + s[2]) + (s[1] + s[3]);
      spot.put(r, v, sum);
    }
  }
}

template <Metric M, typename Out>
auto filler(std::int64_t d) {
  switch (d) {
    case 1: return fill_narrow<M, 1, Out>;
    case 2: return fill_narrow<M, 2, Out>;
    case 3: return fill_narrow<M, 3, Out>;
    case 4: return fill_narrow<M, 4, Out>;
    default: return fill_wide<M, Out>;
  }
}

template <typename Out>
void fill(const Panels& panels, const double* rows, std::int64_t count, bool root, Out* out) {
  const auto fill_spot = panels.metric == Metric::euclidean
                             ? filler<Metric::euclidean, Out>(panels.d)
                             : filler<Metric::manhattan, Out>(panels.d);
  for (std::int64_t j = 0; j < panels.k; j += 8 * kVectors) {
    const double* centers =
        panels.packed.data() + j / kTableCenters * kTableCenters * panels.d + j % kTableCenters;
    for (std::int64_t i = 0; i < count; i += kRows) {
      fill_spot(panels, Spot<Out>{rows + i / kTableRows * kTableRows * panels.d + i % kTableRows,
                                  centers, count - i, panels.k - j, root, out + i * panels.k + j,
                                  panels.k});
    }
  }
}

}  // namespace

const Tables& table_kernels() {
  static constexpr Tables tables = {{fill<float>}, {fill<double>}};
  return tables;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
