// The sums and distances of splits in two, which decide: no contraction, and D's order of summation.
#include "exact.hpp"
#include "halves_kernels.hpp"
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

typedef double Vec8 __attribute__((vector_size(64)));
typedef std::int64_t IVec8 __attribute__((vector_size(64)));
typedef float Vec8f __attribute__((vector_size(32)));

constexpr std::int64_t kBatch = 256;  // rows taken together

template <class V, typename T>
inline V load_as(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline Vec8 load8(const double* p) { return load_as<Vec8>(p); }
inline Vec8 load8(const float* p) { return __builtin_convertvector(load_as<Vec8f>(p), Vec8); }
inline std::int64_t bits_of(double x) { return __builtin_bit_cast(std::int64_t, x); }
inline void add8(std::int64_t* to, IVec8 value) {
  const IVec8 sum = load_as<IVec8>(to) + value;
  __builtin_memcpy(to, &sum, sizeof sum);
}

// The words of a value on the grid, with the bits of the grid's constants still in them, and a
// number that is not zero if the value does not fit into two words.
struct Words {
  IVec8 high, low, lost;
};
inline Words words_of(Vec8 value, Vec8 up, Vec8 down) {
  const Vec8 rounded = value + up, rest = value - (rounded - up), last = rest + down;
  return {(IVec8)rounded, (IVec8)last, last - down != rest};
}

// Eight features of some rows; the others go the slow way.
template <typename T>
bool pick_eight(const T* rows, const std::int32_t* numbers, std::int64_t count, std::int64_t stride,
                const double* high, const double* low, std::int64_t* sums, std::int64_t columns) {
  const Vec8 up = load8(high), down = load8(low);
  IVec8 highs = {}, lows = {}, lost = {};
  for (std::int64_t i = 0; i < count; ++i) {
    const auto words = words_of(load8(rows + numbers[i] * stride), up, down);
    highs += words.high;
    lows += words.low;
    lost |= words.lost;
  }
  add8(sums, highs - (IVec8)up * count);
  add8(sums + columns, lows - (IVec8)down * count);
  std::int64_t any = 0;
  for (int lane = 0; lane < 8; ++lane) any |= lost[lane];
  return any != 0;
}

template <typename T>
bool pick(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
          const std::uint8_t* side, std::uint8_t which, const Magic& grid, std::int64_t* sums) {
  const std::int64_t columns = d + 1;
  bool lost = false;
  std::int32_t numbers[kBatch];
  for (std::int64_t from = 0; from < count; from += kBatch) {
    const std::int64_t some = count - from < kBatch ? count - from : kBatch;
    std::int64_t picked = 0;
    for (std::int64_t i = 0; i < some; ++i) {
      numbers[picked] = static_cast<std::int32_t>(i);
      picked += side[from + i] == which;
    }
    const T* x = rows + from * stride;
    std::int64_t f = 0;
    for (; f + 8 <= d; f += 8) {
      lost |= pick_eight(x + f, numbers, picked, stride, grid.high.data() + f, grid.low.data() + f,
                         sums + f, columns);
    }
    for (; f < columns; ++f) {
      const double up = grid.high[f], down = grid.low[f];
      for (std::int64_t i = 0; i < picked; ++i) {
        const double value = f < d ? static_cast<double>(x[numbers[i] * stride + f]) : 1.0;
        const double rounded = value + up, rest = value - (rounded - up), last = rest + down;
        sums[f] += bits_of(rounded) - bits_of(up);
        sums[columns + f] += bits_of(last) - bits_of(down);
        lost |= last - down != rest;
      }
    }
  }
  return lost;
}

// Lane f mod 8 holds the squares of feature f; they are added in the one fixed tree of D, for eight
// rows at a time: each step adds the upper half of the lanes that are left to the lower half.
inline Vec8 halve4(Vec8 a, Vec8 b) {  // of two rows: 8 lanes to 4 each
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
}
inline Vec8 halve2(Vec8 a, Vec8 b) {  // of four rows: 4 lanes to 2 each
  return __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13) +
         __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15);
}
inline Vec8 halve1(Vec8 a, Vec8 b) {  // of eight rows: 2 lanes to one each
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14) +
         __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}

template <typename T>
inline Vec8 distances_of_eight(const T* const (&rows)[8], std::int64_t d, const double* center) {
  Vec8 lanes[8] = {};
  std::int64_t f = 0;
  for (; f + 8 <= d; f += 8) {
    const Vec8 c = load8(center + f);
    for (int r = 0; r < 8; ++r) {
      const Vec8 gap = load8(rows[r] + f) - c;
      lanes[r] += gap * gap;
    }
  }
  for (int lane = 0; f < d; ++f, ++lane) {
    for (int r = 0; r < 8; ++r) {
      const double gap = static_cast<double>(rows[r][f]) - center[f];
      lanes[r][lane] += gap * gap;
    }
  }
  return halve1(halve2(halve4(lanes[0], lanes[1]), halve4(lanes[2], lanes[3])),
                halve2(halve4(lanes[4], lanes[5]), halve4(lanes[6], lanes[7])));
}

inline Vec8 root_of(Vec8 square) {
#if defined(__AVX512F__)
  return _mm512_sqrt_pd(square);
#else
  for (int lane = 0; lane < 8; ++lane) square[lane] = __builtin_sqrt(square[lane]);
  return square;
#endif
}

template <typename T>
bool measure(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
                   const double* center, const TallyGrid& grid, double* away, float* radius,
                   std::int64_t words[2]) {
  const Vec8 up = Vec8{} + grid.high, down = Vec8{} + grid.low, limit = Vec8{} + grid.limit;
  IVec8 highs = {}, lows = {}, lost = {};
  for (std::int64_t i = 0; i < count; i += 8) {
    const std::int64_t some = count - i < 8 ? count - i : 8;
    const T* eight[8];
    for (std::int64_t r = 0; r < 8; ++r) eight[r] = rows + (i + (r < some ? r : 0)) * stride;
    Vec8 far = distances_of_eight(eight, d, center);
    const Vec8f above = __builtin_convertvector(root_of(far) * (1 + 0x1p-20) + 1e-37, Vec8f);
    __builtin_memcpy(away + i, &far, some * sizeof(double));
    __builtin_memcpy(radius + i, &above, some * sizeof(float));
    for (std::int64_t r = some; r < 8; ++r) far[r] = 0.0;
    const auto parts = words_of(far, up, down);
    highs += parts.high - (IVec8)up;
    lows += parts.low - (IVec8)down;
    lost |= parts.lost | (IVec8)!(far <= limit);
  }
  std::int64_t any = 0, high = 0, low = 0;
  for (int lane = 0; lane < 8; ++lane) any |= lost[lane], high += highs[lane], low += lows[lane];
  if (any) return false;
  words[0] += high;
  words[1] += low;
  return true;
}

}  // namespace

const ExactHalvesTable& halves_exact() {
  static constexpr ExactHalvesTable table = {{pick<float>, measure<float>},
                                             {pick<double>, measure<double>}};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
