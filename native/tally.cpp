// Compares rows with levels; see tally.hpp.  Compiled once for each instruction set.
#include "tally.hpp"
#include "simd.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

// Vectors of 64 bytes, and whole numbers of the same width to count in.
template <typename T>
struct Lanes64;
template <>
struct Lanes64<float> {
  typedef float Values __attribute__((vector_size(64)));
  typedef std::int32_t Counts __attribute__((vector_size(64)));
};
template <>
struct Lanes64<double> {
  typedef double Values __attribute__((vector_size(64)));
  typedef std::int64_t Counts __attribute__((vector_size(64)));
};
template <class V, typename T>
inline V load_as(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <typename T>
void tally(const T* x, const T* level, std::int64_t columns, Counted<T> sign, Counted<T>* less,
           Counted<T>* not_greater) {
  typedef typename Lanes64<T>::Values Values;
  typedef typename Lanes64<T>::Counts Counts;
  constexpr std::int64_t lanes = 64 / sizeof(T);
  std::int64_t c = 0;
  for (; c + lanes <= columns; c += lanes) {
    const Values value = load_as<Values>(x + c), at = load_as<Values>(level + c);
    const Counts fewer = load_as<Counts>(less + c) + ((Counts)(value < at) & sign);
    const Counts most = load_as<Counts>(not_greater + c) + ((Counts)(value <= at) & sign);
    __builtin_memcpy(less + c, &fewer, sizeof fewer);
    __builtin_memcpy(not_greater + c, &most, sizeof most);
  }
  for (; c < columns; ++c) {
    less[c] += x[c] < level[c] ? sign : 0;
    not_greater[c] += x[c] <= level[c] ? sign : 0;
  }
}

constexpr int kDoubles = kLanes / 2;

// A bit for each value that lies in its range.
inline std::uint32_t inside(const float* x, const float* low, const float* high) {
  const Vec value = load(x);
  return not_greater(load(low), value) & not_greater(value, load(high));
}
inline std::uint32_t inside(const double* x, const double* low, const double* high) {
#if defined(__AVX512F__)
  const __m512d value = _mm512_loadu_pd(x);
  return _mm512_cmp_pd_mask(_mm512_loadu_pd(low), value, _CMP_LE_OQ) &
         _mm512_cmp_pd_mask(value, _mm512_loadu_pd(high), _CMP_LE_OQ);
#else
  std::uint32_t bits = 0;
  for (int i = 0; i < kDoubles; ++i) {
    bits |= static_cast<std::uint32_t>((low[i] <= x[i]) & (x[i] <= high[i])) << i;
  }
  return bits;
#endif
}

template <typename T>
std::int64_t between(const T* x, const T* low, const T* high, std::int64_t columns,
                     const std::int32_t* blocks, std::int64_t count, std::int32_t* found) {
  constexpr std::int64_t lanes = sizeof(T) == 4 ? kLanes : kDoubles;
  std::int64_t seen = 0;
  for (std::int64_t b = 0; b < count; ++b) {
    std::int64_t c = blocks[b] * kBlock<T>;
    const std::int64_t end = c + kBlock<T> < columns ? c + kBlock<T> : columns;
    for (; c + lanes <= end; c += lanes) {
      for (std::uint32_t bits = inside(x + c, low + c, high + c); bits; bits &= bits - 1) {
        found[seen++] = static_cast<std::int32_t>(c + __builtin_ctz(bits));
      }
    }
    for (; c < end; ++c) {
      if (low[c] <= x[c] && x[c] <= high[c]) found[seen++] = static_cast<std::int32_t>(c);
    }
  }
  return seen;
}

}  // namespace

const Tallies& tally_kernels() {
  static constexpr Tallies table = {{tally<float>, between<float>},
                                    {tally<double>, between<double>}};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
