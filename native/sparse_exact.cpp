// D from some sparse rows to a centre, all columns added up in the order of dense rows.
//
// Where a row is zero, its term is that of the centre alone, which is the same for all rows: it is
// worked out once, and added to the sums of several rows at a time.  Only groups of eight columns in
// which a row has a value get terms of their own.  Additions and their order are those of exact.cpp.
#include "sparse_kernels.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

typedef double Vec8 __attribute__((vector_size(64)));
typedef std::int64_t IVec8 __attribute__((vector_size(64)));
constexpr int kRows = kSparseRows;

template <Metric M>
inline Vec8 term(Vec8 difference) {
  if constexpr (M == Metric::euclidean) {
    return difference * difference;
  } else {
    return (Vec8)((IVec8)difference & INT64_MAX);
  }
}

inline Vec8 load(const double* p) {
  Vec8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <Metric M>
void zeros(const double* center, std::int64_t groups, double* terms) {
  for (std::int64_t g = 0; g < groups; ++g) {
    const Vec8 v = term<M>(0.0 - load(center + 8 * g));
    __builtin_memcpy(terms + 8 * g, &v, sizeof v);
  }
}

template <Metric M>
void sums(const SparseGroup* met, std::int64_t count, const double* values, const double* center,
          const double* terms, std::int64_t groups, double* out) {
  Vec8 sum[kRows] = {};
  std::int64_t g = 0;
  for (std::int64_t e = 0; e < count;) {
    const std::int64_t next = met[e].group;
    for (; g < next; ++g) {
      const Vec8 same = load(terms + 8 * g);
      for (int r = 0; r < kRows; ++r) sum[r] += same;
    }
    Vec8 own[kRows];
    const Vec8 same = load(terms + 8 * g), c = load(center + 8 * g);
    for (int r = 0; r < kRows; ++r) own[r] = same;
    for (; e < count && met[e].group == g; ++e) {
      own[met[e].row] = term<M>(load(values + 8 * e) - c);
    }
    for (int r = 0; r < kRows; ++r) sum[r] += own[r];
    ++g;
  }
  for (; g < groups; ++g) {
    const Vec8 same = load(terms + 8 * g);
    for (int r = 0; r < kRows; ++r) sum[r] += same;
  }
  for (int r = 0; r < kRows; ++r) {
    const Vec8 s = sum[r];
    out[r] = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
  }
}

// Some vectors of centres at a time stay in registers while the row goes by.
template <int V>
void expand_some(const double* values, const std::int64_t* columns, std::int64_t count,
                 const double* twice, std::int64_t width, double* out) {
  Vec8 sum[V];
  for (int v = 0; v < V; ++v) sum[v] = load(out + 8 * v);
  for (std::int64_t t = 0; t < count; ++t) {
    const double* c = twice + columns[t] * width;
    const double* ahead = twice + columns[t + 6 < count ? t + 6 : t] * width;
    for (int v = 0; v < V; ++v) __builtin_prefetch(ahead + 8 * v);
    const Vec8 x = values[t] - Vec8{};
    for (int v = 0; v < V; ++v) sum[v] += x * (x - load(c + 8 * v));
  }
  for (int v = 0; v < V; ++v) __builtin_memcpy(out + 8 * v, &sum[v], sizeof sum[v]);
}

void expand(const double* values, const std::int64_t* columns, std::int64_t count,
            const double* twice, std::int64_t width, double* out) {
  std::int64_t j = 0;
  for (; j + 64 <= width; j += 64) {
    expand_some<8>(values, columns, count, twice + j, width, out + j);
  }
  for (; j + 24 <= width; j += 24) {
    expand_some<3>(values, columns, count, twice + j, width, out + j);
  }
  for (; j < width; j += 8) expand_some<1>(values, columns, count, twice + j, width, out + j);
}

}  // namespace

const SparseSums& sparse_sums() {
  static constexpr SparseSums table = {
      zeros<Metric::euclidean>, zeros<Metric::manhattan>,
      sums<Metric::euclidean>, sums<Metric::manhattan>, expand};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
