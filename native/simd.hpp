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

static inline Vec vabs(Vec a) { return (Vec)((IVec)a & INT32_MAX); }

// a0 b0 a1 b1 ... of the lower (upper) halves of a and b.
template <int... I>
struct Lanes {};
template <int N, int... I>
struct CountLanes : CountLanes<N - 1, N - 1, I...> {};
template <int... I>
struct CountLanes<0, I...> {
  typedef Lanes<I...> type;
};
template <int... I>
static inline Vec interleave(Vec a, Vec b, int upper, Lanes<I...>) {
  return upper ? __builtin_shufflevector(a, b, (kLanes / 2 + I / 2 + (I & 1) * kLanes)...)
               : __builtin_shufflevector(a, b, (I / 2 + (I & 1) * kLanes)...);
}

// Transposes a square of kLanes vectors: log2(kLanes) perfect shuffles.
static inline void transpose(Vec (&rows)[kLanes]) {
  constexpr CountLanes<kLanes>::type all{};
  Vec next[kLanes];
  for (int width = 1; width < kLanes; width *= 2) {
    for (int i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = interleave(rows[i], rows[i + kLanes / 2], 0, all);
      next[2 * i + 1] = interleave(rows[i], rows[i + kLanes / 2], 1, all);
    }
    for (int i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
