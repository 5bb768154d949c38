// The screen in eight bits, for processors with AVX-512 VNNI; codes.hpp has the proof.
//
// Shape.  Centres lie across the lanes, two vectors of them beside kCodeRows rows in registers, and
// four features of a row are broadcast at a time: 2 kCodeRows products for 2 loads and kCodeRows
// broadcasts.  Rows need no packing, so any rows can be brought together.  Cost per row and 16
// centres, in vector instructions: d / 4 + 8.
#include "codes.hpp"

#include <immintrin.h>

#include <cstring>

#include "simd.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

constexpr float kBeyond = 0x1p120f;    // squares that are too large for sums and scores
constexpr float kRounding = 0x1p-19f;  // more than all float32 roundings of a score together

// products += a (unsigned bytes) * b (signed bytes), four at a time.
// By hand: the compiler copies the accumulators of the intrinsic to memory and back.
inline void multiply(__m512i& products, __m512i a, __m512i b) {
#if defined(__GNUC__)
  asm("vpdpbusd %2, %1, %0" : "+v"(products) : "v"(a), "v"(b));
#else
  products = _mm512_dpbusd_epi32(products, a, b);
#endif
}

inline float larger(float a, float b) { return a > b ? a : b; }

// The float32 value of a feature in the frame.
template <typename T>
inline float framed(const T* x, Frame<T> frame, std::int64_t f) {
  return static_cast<float>((x[f] - frame.offset[f]) * frame.scale);
}

template <typename T>
float encode(const T* x, std::int64_t stride, std::int64_t begin, std::int64_t end, Frame<T> frame,
             float floor, Codes& codes, float* values) {
  const int d = codes.d;
  float worst = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const T* row = x + i * stride;
    float most = floor;  // rows of next to nothing get the code of nothing
    float square = 0;
    for (int f = 0; f < d; ++f) {
      values[f] = framed(row, frame, f);
      most = larger(most, __builtin_fabsf(values[f]));
      square += values[f] * values[f];
    }
    std::uint8_t* code = codes.values.data() + i * codes.stride;
    codes.square[i] = square;
    if (!(square < kBeyond)) {  // an outlier that float32 cannot square: D decides it, see decide()
      std::memset(code, 128, d);
      codes.inverse[i] = __builtin_nanf("");
      codes.far[i] = 0;
      continue;
    }
    const float inverse = 127.0f / most;
    float lost = 0, whole = 0;
    for (int f = 0; f < d; ++f) {
      const float exact = values[f] * inverse, near = __builtin_rintf(exact);
      code[f] = static_cast<std::uint8_t>(static_cast<int>(near) + 128);
      lost += (exact - near) * (exact - near);
      whole += near * near;
    }
    const float slack = 1 + d * 0x1p-22f;  // of the sums just taken
    codes.inverse[i] = inverse;
    codes.far[i] = __builtin_sqrt(whole * slack) * (1 + 0x1p-20f);
    const float residual = __builtin_sqrt(lost * slack) * (1 + 0x1p-10f) + __builtin_sqrt(d * 0x1p-32f);
    worst = larger(worst, residual);
  }
  return worst;
}

template <typename T>
void prepare(CodedCenters& to, const T* centers, std::int64_t begin, std::int64_t end,
             Frame<T> frame, const Codes& codes, float* values) {
  const int d = codes.d;
  for (int j = static_cast<int>(begin); j < end; ++j) {
    double norm = 0;
    float most = 0;
    for (int f = 0; f < d; ++f) {
      values[f] = framed(centers + static_cast<std::int64_t>(j) * d, frame, f);
      norm += static_cast<double>(values[f]) * values[f];
      most = larger(most, __builtin_fabsf(values[f]));
    }
    if (!(norm < kBeyond)) {  // far out: no score says how far, so that D decides every row
      to.start[j] = 0;
      to.base[j] = __builtin_inff();
      continue;  // its codes are zero
    }
    const float scale = most > 0x1p-100f ? most / 127 : 1.0f, inverse = 1 / scale;
    // Panels of two vectors; the last may be of one.
    const int panel = j / (2 * kCodeLanes) * (2 * kCodeLanes);
    const int width = to.padded - panel < 2 * kCodeLanes ? kCodeLanes : 2 * kCodeLanes;
    std::int8_t* at = to.panels.data() + (static_cast<std::size_t>(panel) * to.words +
                                          (j - panel)) * 4;
    double lost = 0;
    std::int32_t sum = 0;
    for (int f = 0; f < d; ++f) {
      const float near = __builtin_rintf(values[f] * inverse);
      const double rest = static_cast<double>(values[f]) - static_cast<double>(near) * scale;
      at[static_cast<std::size_t>(f / 4) * width * 4 + f % 4] = static_cast<std::int8_t>(near);
      sum += static_cast<std::int32_t>(near);
      lost += rest * rest;
    }
    const double size = __builtin_sqrt(norm);
    to.bias[j] = -128 * sum;
    to.scale[j] = scale;
    to.base[j] = static_cast<float>(codes.residual * size * (1 + 0x1p-10));
    to.error[j] = static_cast<float>(__builtin_sqrt(lost) * (1 + 0x1p-10) + kRounding * size);
    to.start[j] = static_cast<float>(-norm / 2 * (1 - kRounding));
  }
}

// Raised scores of kCodeRows rows and V vectors of centres.  Every loop over the products must be
// unrolled, or the compiler keeps them in memory.
template <int V>
inline void panel(const CodedCenters& centers, int first, const std::uint8_t* rows,
                  std::size_t stride, const float* inverse, const float* far, float* scores,
                  __m512* best) {
  static_assert(kCodeRows == 12);  // four pointers reach three rows each: few registers
  __m512i products[V * kCodeRows];
#pragma GCC unroll 24
  for (int p = 0; p < V * kCodeRows; ++p) {
    products[p] = _mm512_loadu_si512(centers.bias.data() + first + p % V * kCodeLanes);
  }
  const std::int8_t* codes =
      centers.panels.data() + static_cast<std::size_t>(first) * centers.words * 4;
  const std::uint8_t *row0 = rows, *row3 = rows + 3 * stride, *row6 = rows + 6 * stride,
                     *row9 = rows + 9 * stride;
  for (int w = 0; w < centers.words; ++w) {
    __m512i c[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v, codes += 64) c[v] = _mm512_loadu_si512(codes);
#pragma GCC unroll 12
    for (int r = 0; r < kCodeRows; ++r) {
      std::int32_t four;
      std::memcpy(&four, (r < 3 ? row0 : r < 6 ? row3 : r < 9 ? row6 : row9) + r % 3 * stride, 4);
      const __m512i x = _mm512_set1_epi32(four);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) multiply(products[r * V + v], x, c[v]);
    }
    row0 += 4, row3 += 4, row6 += 4, row9 += 4;
  }
#pragma GCC unroll 2
  for (int v = 0; v < V; ++v) {
    const int j = first + v * kCodeLanes;
    const __m512 scale = _mm512_loadu_ps(centers.scale.data() + j);
    const __m512 base = _mm512_loadu_ps(centers.base.data() + j);
    const __m512 start = _mm512_loadu_ps(centers.start.data() + j);
    const __m512 error = _mm512_loadu_ps(centers.error.data() + j);
#pragma GCC unroll 12
    for (int r = 0; r < kCodeRows; ++r) {
      __m512 score = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products[r * V + v]), scale, base);
      score = _mm512_fmadd_ps(start, _mm512_set1_ps(inverse[r]), score);
      score = _mm512_fmadd_ps(error, _mm512_set1_ps(far[r]), score);
      best[r] = _mm512_max_ps(score, best[r]);
      _mm512_storeu_ps(scores + static_cast<std::size_t>(r) * centers.padded + j, score);
    }
  }
}

void scores(const CodedCenters& centers, const std::uint8_t* rows, std::size_t stride,
            const float* inverse, const float* far, float* scores, float* best) {
  __m512 most[kCodeRows];
  for (auto& lane : most) lane = _mm512_set1_ps(-__builtin_inff());
  int first = 0;
  for (; first + 2 * kCodeLanes <= centers.padded; first += 2 * kCodeLanes) {
    panel<2>(centers, first, rows, stride, inverse, far, scores, most);
  }
  if (first < centers.padded) panel<1>(centers, first, rows, stride, inverse, far, scores, most);
  for (int r = 0; r < kCodeRows; ++r) best[r] = _mm512_reduce_max_ps(most[r]);
}

int reaching(const float* scores, int count, float threshold, std::int32_t* numbers) {
  const __m512 level = _mm512_set1_ps(threshold);
  const auto reached = [&](int j) -> unsigned {
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(scores + j), level, _CMP_GE_OQ);
  };
  int found = 0;
  const auto write = [&](int j, std::uint64_t bits) {
    for (; bits; bits &= bits - 1) numbers[found++] = j + __builtin_ctzll(bits);
  };
  int j = 0;
  for (; j + 4 * kCodeLanes <= count; j += 4 * kCodeLanes) {  // most find nothing
    const std::uint64_t low = reached(j) | reached(j + kCodeLanes) << kCodeLanes;
    const std::uint64_t high = reached(j + 2 * kCodeLanes) | reached(j + 3 * kCodeLanes) << kCodeLanes;
    if (low | high) write(j, low | high << 2 * kCodeLanes);
  }
  for (; j < count; j += kCodeLanes) write(j, reached(j));
  return found;
}

float others(const float* scores, int count, std::int32_t but) {
  __m512 most = _mm512_set1_ps(-__builtin_inff());
  for (int j = 0; j < count; j += kCodeLanes) {
    const __mmask16 all = j <= but && but < j + kCodeLanes ? ~(1u << (but - j)) : 0xffff;
    most = _mm512_mask_max_ps(most, all, most, _mm512_loadu_ps(scores + j));
  }
  return _mm512_reduce_max_ps(most);
}

}  // namespace

const CodeScreen& code_kernels() {
  static constexpr CodeScreen table = {
      {encode<float>, prepare<float>}, {encode<double>, prepare<double>}, scores, reaching, others};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
