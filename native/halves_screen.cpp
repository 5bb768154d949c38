// Rows beside a plane, in float64; these values only propose, see halves.cpp for their bounds.
#include "halves_kernels.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

typedef double Vec8 __attribute__((vector_size(64)));
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

// Adds neighbours: the lower half of the lanes from a, the upper half from b.
inline Vec8 fold(Vec8 a, Vec8 b) {
  return __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14) +
         __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
}

// The sums of the lanes of eight vectors.
inline Vec8 sums_of(const Vec8 (&v)[8]) {
  const Vec8 a = fold(v[0], v[1]), b = fold(v[2], v[3]), c = fold(v[4], v[5]), e = fold(v[6], v[7]);
  // a: r0 r1 r0 r1 r0 r1 r0 r1 and so on; pairs of lanes next, then halves
  const Vec8 ab = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13) +
                  __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  const Vec8 ce = __builtin_shufflevector(c, e, 0, 1, 8, 9, 4, 5, 12, 13) +
                  __builtin_shufflevector(c, e, 2, 3, 10, 11, 6, 7, 14, 15);
  return __builtin_shufflevector(ab, ce, 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(ab, ce, 4, 5, 6, 7, 12, 13, 14, 15);
}

inline double sum_of(Vec8 v) {
  const Vec8 a = v + __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  const Vec8 b = a + __builtin_shufflevector(a, a, 2, 3, 0, 1, 6, 7, 4, 5);
  return b[0] + b[1];
}

template <typename T>
void project_few(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
                 const double* middle, const double* across, double* along, double* away) {
  for (std::int64_t i = 0; i < count; ++i) {
    const T* x = rows + i * stride;
    double product = 0, square = 0;
    std::int64_t f = 0;
    if (d >= 8) {
      Vec8 products = {}, squares = {};
      for (; f + 8 <= d; f += 8) {
        const Vec8 gap = load8(x + f) - load8(middle + f);
        products += gap * load8(across + f);
        squares += gap * gap;
      }
      product = sum_of(products);
      square = sum_of(squares);
    }
    for (; f < d; ++f) {
      const double gap = static_cast<double>(x[f]) - middle[f];
      product += gap * across[f];
      square += gap * gap;
    }
    along[i] = product;
    away[i] = square;
  }
}

template <typename T>
void project(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
             const double* middle, const double* across, double* along, double* away) {
  std::int64_t i = 0;
  if (d >= 8) {
    for (; i + 8 <= count; i += 8) {
      Vec8 product[8] = {}, square[8] = {};
      std::int64_t f = 0;
      for (; f + 8 <= d; f += 8) {
        const Vec8 m = load8(middle + f), w = load8(across + f);
        for (int r = 0; r < 8; ++r) {
          const Vec8 gap = load8(rows + (i + r) * stride + f) - m;
          product[r] += gap * w;
          square[r] += gap * gap;
        }
      }
      Vec8 s = sums_of(product), q = sums_of(square);
      for (; f < d; ++f) {
        for (int r = 0; r < 8; ++r) {
          const double gap = static_cast<double>(rows[(i + r) * stride + f]) - middle[f];
          s[r] += gap * across[f];
          q[r] += gap * gap;
        }
      }
      __builtin_memcpy(along + i, &s, sizeof s);
      __builtin_memcpy(away + i, &q, sizeof q);
    }
  }
  project_few(rows + i * stride, count - i, stride, d, middle, across, along + i, away + i);
}

template <int D, typename T>
void share_sized(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
                 const std::uint8_t* side, T* const to[2]) {
  const std::int64_t features = D ? D : d;
  T* next[2] = {to[0], to[1]};
  for (std::int64_t i = 0; i < count; ++i) {
    const T* __restrict x = rows + i * stride;
    T* __restrict y = next[side[i]];
    for (std::int64_t f = 0; f < features; ++f) y[f] = x[f];
    next[side[i]] = y + features;
  }
}

template <typename T>
void share(const T* rows, std::int64_t count, std::int64_t stride, std::int64_t d,
           const std::uint8_t* side, T* const to[2]) {
  switch (d) {
    case 2: return share_sized<2>(rows, count, stride, d, side, to);
    case 3: return share_sized<3>(rows, count, stride, d, side, to);
    case 4: return share_sized<4>(rows, count, stride, d, side, to);
    case 8: return share_sized<8>(rows, count, stride, d, side, to);
    case 16: return share_sized<16>(rows, count, stride, d, side, to);
    case 32: return share_sized<32>(rows, count, stride, d, side, to);
    default: return share_sized<0>(rows, count, stride, d, side, to);
  }
}

template <typename T>
void raise(const T* __restrict rows, std::int64_t count, std::int64_t d, T* __restrict peaks) {
  for (std::int64_t i = 0; i < count; ++i) {
    const T* x = rows + i * d;
    for (std::int64_t f = 0; f < d; ++f) {
      const T size = x[f] < 0 ? -x[f] : x[f];
      peaks[f] = size > peaks[f] ? size : peaks[f];
    }
  }
}

void compare(const float* height, const float* radius, std::int64_t count, float step, float turn,
             float slack, std::uint8_t* side) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float now = height[i] + step;
    const float size = now < 0 ? -now : now, before = height[i] < 0 ? -height[i] : height[i];
    const bool sure = size > radius[i] * turn + before * 0x1p-22f + slack;
    side[i] = sure ? (now > 0 ? 1 : 0) : 2;
  }
}

void judge(const double* __restrict along, const double* __restrict away, std::int64_t count,
           double inverse, double slope, double level, float* __restrict height,
           float* __restrict radius, std::uint8_t* __restrict side, double* widest) {
  double most = *widest;
  for (std::int64_t i = 0; i < count; ++i) {
    const double r = __builtin_sqrt(away[i]) * (1 + 0x1p-20);
    most = r > most ? r : most;
    height[i] = static_cast<float>(along[i] * inverse);
    radius[i] = static_cast<float>(r);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const double twice = 2 * along[i], bound = slope * away[i] + level;
    const double size = twice < 0 ? -twice : twice;
    side[i] = size > bound ? (twice > 0 ? 1 : 0) : 2;
  }
  *widest = most;
}

}  // namespace

const HalvesTable& halves_kernels() {
  static constexpr HalvesTable table = {
      {project<float>, share<float>, raise<float>},
      {project<double>, share<double>, raise<double>},
      compare,
      judge};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
