// Vectors of float32, as wide as the instruction set this file is compiled for.
//
// Everything lives in a namespace named after the instruction set: the same source is compiled
// several times into one library, and no inline function may be shared between the copies.
#pragma once

#include <cstdint>
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace omnimeans::OMNIMEANS_KERNELS {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef std::int32_t IVec __attribute__((vector_size(kLanes * 4)));

static inline Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
static inline void store(float* p, Vec v) { __builtin_memcpy(p, &v, sizeof v); }
static inline void store(std::int32_t* p, IVec v) { __builtin_memcpy(p, &v, sizeof v); }

// These by name: compilers do not always find the one instruction.
// A NaN on either side makes `not_greater` true, so that doubt never passes for proof.
#if defined(__AVX512F__)
static inline Vec broadcast(float x) { return _mm512_set1_ps(x); }
static inline IVec broadcast(std::int32_t x) { return (IVec)_mm512_set1_epi32(x); }
static inline Vec vmin(Vec a, Vec b) { return _mm512_min_ps(a, b); }
static inline Vec vmax(Vec a, Vec b) { return _mm512_max_ps(a, b); }
static inline Vec vsqrt(Vec a) { return _mm512_sqrt_ps(a); }
static inline std::uint32_t not_greater(Vec a, Vec b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_NGT_UQ);
}
#elif defined(__AVX2__)
static inline Vec broadcast(float x) { return _mm256_set1_ps(x); }
static inline IVec broadcast(std::int32_t x) { return (IVec)_mm256_set1_epi32(x); }
static inline Vec vmin(Vec a, Vec b) { return _mm256_min_ps(a, b); }
static inline Vec vmax(Vec a, Vec b) { return _mm256_max_ps(a, b); }
static inline Vec vsqrt(Vec a) { return _mm256_sqrt_ps(a); }
static inline std::uint32_t not_greater(Vec a, Vec b) {
  return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NGT_UQ));
}
#elif defined(__SSE2__)
static inline Vec broadcast(float x) { return _mm_set1_ps(x); }
static inline IVec broadcast(std::int32_t x) { return (IVec)_mm_set1_epi32(x); }
static inline Vec vmin(Vec a, Vec b) { return _mm_min_ps(a, b); }
static inline Vec vmax(Vec a, Vec b) { return _mm_max_ps(a, b); }
static inline Vec vsqrt(Vec a) { return _mm_sqrt_ps(a); }
static inline std::uint32_t not_greater(Vec a, Vec b) {
  return _mm_movemask_ps(_mm_cmpngt_ps(a, b));
}
#else
static inline Vec broadcast(float x) { return Vec{x, x, x, x}; }
static inline IVec broadcast(std::int32_t x) { return IVec{x, x, x, x}; }
static inline Vec vmin(Vec a, Vec b) { return a < b ? a : b; }
static inline Vec vmax(Vec a, Vec b) { return a > b ? a : b; }
static inline Vec vsqrt(Vec a) {
  for (int i = 0; i < kLanes; ++i) a[i] = __builtin_sqrtf(a[i]);
  return a;
}
static inline std::uint32_t not_greater(Vec a, Vec b) {
  std::uint32_t bits = 0;
  for (int i = 0; i < kLanes; ++i) bits |= static_cast<std::uint32_t>(!(a[i] > b[i])) << i;
  return bits;
}
#endif

// The same vector, loaded once: compilers would rather load it again for each use.
static inline Vec in_register(Vec a) {
#if defined(__GNUC__) && defined(__AVX512F__)
  asm("" : "+v"(a));
#elif defined(__GNUC__) && defined(__SSE2__)
  asm("" : "+x"(a));
#endif
  return a;
}

static inline float highest(Vec a) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps(a);
#else
  for (int half = kLanes / 2; half; half /= 2) {
    for (int i = 0; i < half; ++i) a[i] = a[i] > a[i + half] ? a[i] : a[i + half];
  }
  return a[0];
#endif
}

static inline Vec vabs(Vec a) { return (Vec)((IVec)a & INT32_MAX); }

// Shuffles of two vectors by a pattern, a function from the lane of the result to the lane of (a, b).
template <int... I>
struct Lanes {};
template <int N, int... I>
struct CountLanes : CountLanes<N - 1, N - 1, I...> {};
template <int... I>
struct CountLanes<0, I...> {
  typedef Lanes<I...> type;
};
template <int (*kPattern)(int), int... I>
static inline Vec shuffled(Vec a, Vec b, Lanes<I...>) {
  return __builtin_shufflevector(a, b, kPattern(I)...);
}
template <int (*kPattern)(int)>
static inline Vec shuffle(Vec a, Vec b) {
  return shuffled<kPattern>(a, b, typename CountLanes<kLanes>::type{});
}

// Within blocks of four lanes: values alternating, pairs alternating; of the lower or upper halves.
template <int kUpper>
constexpr int by_value(int i) { return i / 4 * 4 + i % 4 / 2 + 2 * kUpper + i % 2 * kLanes; }
template <int kUpper>
constexpr int by_pair(int i) { return i / 4 * 4 + i % 2 + 2 * kUpper + i % 4 / 2 * kLanes; }
// Whole blocks: the lower or upper half of a, then of b; every other block of a, then of b.
template <int kUpper>
constexpr int halves(int i) {
  return i % (kLanes / 2) + kUpper * kLanes / 2 + i / (kLanes / 2) * kLanes;
}
template <int kOdd>
constexpr int alternate(int i) {
  return i % 4 + (i / 4 * 2 % (kLanes / 4) + kOdd) * 4 + i / (kLanes / 2) * kLanes;
}

// Transposes a square of kLanes vectors: first squares of four by four, then the squares as blocks.
// Shuffles within blocks and of whole blocks are the cheap ones.
static inline void transpose(Vec (&rows)[kLanes]) {
  constexpr int blocks = kLanes / 4;
  Vec column[4][blocks];  // column[c][g]: of every block, column c of rows 4 g to 4 g + 3
  for (int g = 0; g < blocks; ++g) {
    const Vec* r = rows + 4 * g;
    const Vec low01 = shuffle<by_value<0>>(r[0], r[1]), high01 = shuffle<by_value<1>>(r[0], r[1]);
    const Vec low23 = shuffle<by_value<0>>(r[2], r[3]), high23 = shuffle<by_value<1>>(r[2], r[3]);
    column[0][g] = shuffle<by_pair<0>>(low01, low23);
    column[1][g] = shuffle<by_pair<1>>(low01, low23);
    column[2][g] = shuffle<by_pair<0>>(high01, high23);
    column[3][g] = shuffle<by_pair<1>>(high01, high23);
  }
  for (int c = 0; c < 4; ++c) {
    const Vec* g = column[c];
    if constexpr (blocks == 4) {
      const Vec low01 = shuffle<halves<0>>(g[0], g[1]), high01 = shuffle<halves<1>>(g[0], g[1]);
      const Vec low23 = shuffle<halves<0>>(g[2], g[3]), high23 = shuffle<halves<1>>(g[2], g[3]);
      rows[c] = shuffle<alternate<0>>(low01, low23);
      rows[4 + c] = shuffle<alternate<1>>(low01, low23);
      rows[8 + c] = shuffle<alternate<0>>(high01, high23);
      rows[12 + c] = shuffle<alternate<1>>(high01, high23);
    } else if constexpr (blocks == 2) {
      rows[c] = shuffle<halves<0>>(g[0], g[1]);
      rows[4 + c] = shuffle<halves<1>>(g[0], g[1]);
    } else {
      rows[c] = g[0];
    }
  }
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
