// Distances from a tile of rows to rows that pass by; see silhouette.hpp.  Compiled once for each
// instruction set, without contraction: each lane does the same operations everywhere.
#include "silhouette.hpp"
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

typedef double Vec8 __attribute__((vector_size(64)));
typedef std::int64_t IVec8 __attribute__((vector_size(64)));

constexpr int kVectors = kPairTile / 8;
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kTogether = 4;  // passing rows at a time, as many as the registers hold
#else
constexpr int kTogether = 2;
#endif

inline Vec8 load8(const double* p) {
  Vec8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store8(double* p, Vec8 v) { __builtin_memcpy(p, &v, sizeof v); }
inline Vec8 broadcast8(double x) { return Vec8{x, x, x, x, x, x, x, x}; }

inline Vec8 root8(Vec8 a) {
#if defined(__AVX512F__)
  return (Vec8)_mm512_sqrt_pd((__m512d)a);
#elif defined(__AVX2__)
  double v[8];
  store8(v, a);
  for (int i = 0; i < 8; i += 4) _mm256_storeu_pd(v + i, _mm256_sqrt_pd(_mm256_loadu_pd(v + i)));
  return load8(v);
#elif defined(__SSE2__)
  double v[8];
  store8(v, a);
  for (int i = 0; i < 8; i += 2) _mm_storeu_pd(v + i, _mm_sqrt_pd(_mm_loadu_pd(v + i)));
  return load8(v);
#else
  for (int i = 0; i < 8; ++i) a[i] = __builtin_sqrt(a[i]);
  return a;
#endif
}

template <Metric M>
inline Vec8 fold(Vec8 sum, Vec8 difference) {
  if constexpr (M == Metric::euclidean) {
    return sum + difference * difference;
  } else {
    return sum + (Vec8)((IVec8)difference & INT64_MAX);
  }
}

// Distances of `kRows` passing rows to all lanes; feature by feature, in order.
template <Metric M, int kRows>
inline void measure(const double* tile, const double* x, std::int64_t d,
                    Vec8 (&away)[kRows][kVectors]) {
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) away[r][v] = broadcast8(0.0);
  for (std::int64_t f = 0; f < d; ++f) {
    Vec8 lanes[kVectors];
    for (int v = 0; v < kVectors; ++v) lanes[v] = load8(tile + f * kPairTile + 8 * v);
    for (int r = 0; r < kRows; ++r) {
      const Vec8 passing = broadcast8(x[r * d + f]);
      for (int v = 0; v < kVectors; ++v) away[r][v] = fold<M>(away[r][v], lanes[v] - passing);
    }
  }
}

// Calls act(number, distances) for each passing row.
template <Metric M, class Act>
inline void for_each(const double* tile, const Passing& rows, Act&& act) {
  std::int64_t i = 0;
  for (; i + kTogether <= rows.count; i += kTogether) {
    Vec8 away[kTogether][kVectors];
    measure<M, kTogether>(tile, rows.x + i * rows.d, rows.d, away);
    for (int r = 0; r < kTogether; ++r) act(i + r, away[r]);
  }
  for (; i < rows.count; ++i) {
    Vec8 away[1][kVectors];
    measure<M, 1>(tile, rows.x + i * rows.d, rows.d, away);
    act(i, away[0]);
  }
}

template <Metric M, bool kRoot>
void add_as(const double* tile, const Passing& rows, double* sums) {
  for_each<M>(tile, rows, [&](std::int64_t i, const Vec8(&away)[kVectors]) {
    Vec8 term[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      term[v] = kRoot ? root8(away[v]) : away[v];
      if (rows.weights) term[v] *= broadcast8(rows.weights[i]);
    }
    for (std::int64_t l = 0; l < rows.labellings; ++l) {
      const std::int64_t first = rows.first ? rows.first[l] : 0;
      double* sum = sums + (first + rows.labels[l * rows.stride + i]) * kPairTile;
      for (int v = 0; v < kVectors; ++v) store8(sum + 8 * v, load8(sum + 8 * v) + term[v]);
    }
  });
}

void add(const double* tile, const Passing& rows, Metric metric, bool root, double* sums) {
  if (metric == Metric::manhattan) return add_as<Metric::manhattan, false>(tile, rows, sums);
  if (root) return add_as<Metric::euclidean, true>(tile, rows, sums);
  add_as<Metric::euclidean, false>(tile, rows, sums);
}

template <Metric M, bool kRoot>
void add_both_as(const double* tile, const double* lane_weights, const Passing& rows, double* sums,
                 double* back) {
  Vec8 weights[kVectors], sum[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    weights[v] = load8(lane_weights + 8 * v);
    sum[v] = broadcast8(0.0);
  }
  std::int32_t label = rows.labels[0];
  const auto keep = [&] {
    double* all = sums + label * kPairTile;
    for (int v = 0; v < kVectors; ++v) {
      store8(all + 8 * v, load8(all + 8 * v) + sum[v]);
      sum[v] = broadcast8(0.0);
    }
  };
  for_each<M>(tile, rows, [&](std::int64_t i, const Vec8(&away)[kVectors]) {
    if (rows.labels[i] != label) {
      keep();
      label = rows.labels[i];
    }
    Vec8 returned = load8(back + i * kPairBack);
    for (int v = 0; v < kVectors; ++v) {
      const Vec8 term = kRoot ? root8(away[v]) : away[v];
      sum[v] += rows.weights ? term * broadcast8(rows.weights[i]) : term;
      returned += term * weights[v];
    }
    store8(back + i * kPairBack, returned);
  });
  keep();
}

void add_both(const double* tile, const double* lane_weights, const Passing& rows, Metric metric,
              bool root, double* sums, double* back) {
  const auto run = metric == Metric::manhattan ? add_both_as<Metric::manhattan, false>
                   : root                      ? add_both_as<Metric::euclidean, true>
                                               : add_both_as<Metric::euclidean, false>;
  run(tile, lane_weights, rows, sums, back);
}

template <Metric M>
void reach_as(const double* tile, const std::int32_t* own, const Passing& rows, double* closest,
              double* farthest) {
  IVec8 labels[kVectors];
  for (int v = 0; v < kVectors; ++v)
    for (int i = 0; i < 8; ++i) labels[v][i] = own[8 * v + i];
  for_each<M>(tile, rows, [&](std::int64_t i, const Vec8(&away)[kVectors]) {
    const std::int64_t label = rows.labels[i];
    for (int v = 0; v < kVectors; ++v) {
      const IVec8 same = labels[v] == label;
      const Vec8 low = load8(closest + 8 * v), high = load8(farthest + 8 * v);
      const IVec8 nearer = (IVec8)(away[v] < low) & ~same, farther = (IVec8)(away[v] > high) & same;
      store8(closest + 8 * v, nearer ? away[v] : low);
      store8(farthest + 8 * v, farther ? away[v] : high);
    }
  });
}

void reach(const double* tile, const std::int32_t* own, const Passing& rows, Metric metric,
           double* closest, double* farthest) {
  if (metric == Metric::euclidean) {
    reach_as<Metric::euclidean>(tile, own, rows, closest, farthest);
  } else {
    reach_as<Metric::manhattan>(tile, own, rows, closest, farthest);
  }
}

template <Metric M>
void nearest_as(const double* tile, const Passing& rows, double* closest, std::int32_t* which) {
  Vec8 best[kVectors];
  IVec8 found[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    best[v] = broadcast8(__builtin_inf());
    found[v] = IVec8{};
  }
  for_each<M>(tile, rows, [&](std::int64_t i, const Vec8(&away)[kVectors]) {
    for (int v = 0; v < kVectors; ++v) {
      const IVec8 nearer = away[v] < best[v];
      best[v] = nearer ? away[v] : best[v];
      found[v] = nearer ? IVec8{i, i, i, i, i, i, i, i} : found[v];
    }
  });
  for (int v = 0; v < kVectors; ++v) {
    store8(closest + 8 * v, best[v]);
    for (int i = 0; i < 8; ++i) which[8 * v + i] = static_cast<std::int32_t>(found[v][i]);
  }
}

void nearest(const double* tile, const Passing& rows, Metric metric, double* closest,
             std::int32_t* which) {
  if (metric == Metric::euclidean) {
    nearest_as<Metric::euclidean>(tile, rows, closest, which);
  } else {
    nearest_as<Metric::manhattan>(tile, rows, closest, which);
  }
}

template <Metric M>
void distances_as(const double* tile, const Passing& rows, double* out) {
  for_each<M>(tile, rows, [&](std::int64_t i, const Vec8(&away)[kVectors]) {
    for (int v = 0; v < kVectors; ++v) store8(out + i * kPairTile + 8 * v, away[v]);
  });
}

void distances(const double* tile, const Passing& rows, Metric metric, double* out) {
  if (metric == Metric::euclidean) {
    distances_as<Metric::euclidean>(tile, rows, out);
  } else {
    distances_as<Metric::manhattan>(tile, rows, out);
  }
}

}  // namespace

const PairKernels& pair_kernels() {
  static constexpr PairKernels table = {add, add_both, reach, nearest, distances};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
