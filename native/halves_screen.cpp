// Rows above a plane; these values only propose, see halves.cpp for their bounds.
#include "halves_kernels.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

typedef double Vec8 __attribute__((vector_size(64)));
typedef std::int64_t IVec8 __attribute__((vector_size(64)));
typedef float Vec8f __attribute__((vector_size(32)));
typedef std::uint8_t Bytes8 __attribute__((vector_size(8)));
typedef float Vec16 __attribute__((vector_size(64)));
typedef std::int32_t IVec16 __attribute__((vector_size(64)));
typedef std::uint8_t Bytes16 __attribute__((vector_size(16)));

template <class V, typename T>
inline V load_as(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline Vec8 load8(const double* p) { return load_as<Vec8>(p); }
inline Vec8 load8(const float* p) { return __builtin_convertvector(load_as<Vec8f>(p), Vec8); }

// Adds neighbours: the lower of each pair of lanes from a, the upper from b.
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

// The same for sixteen: within blocks of four lanes first, then the blocks.
inline Vec16 fold_values(Vec16 a, Vec16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) +
         __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
}
inline Vec16 fold_pairs(Vec16 a, Vec16 b) {
  return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
         __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}
inline Vec16 fold_halves(Vec16 a, Vec16 b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
         __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}
inline Vec16 fold_blocks(Vec16 a, Vec16 b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
         __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}
inline Vec16 sums_of(const Vec16 (&v)[16]) {
  Vec16 four[4];
  for (int g = 0; g < 4; ++g) {
    const Vec16* r = v + 4 * g;
    four[g] = fold_pairs(fold_values(r[0], r[1]), fold_values(r[2], r[3]));
  }
  return fold_blocks(fold_halves(four[0], four[1]), fold_halves(four[2], four[3]));
}

// Rows one by one, of which the last stands in for those that are missing.
template <typename T>
struct RowsOf {
  const T* first;
  std::int64_t stride, last;
  const T* operator[](std::int64_t r) const { return first + (r < last ? r : last) * stride; }
};

// The heights of eight rows.
template <typename T>
inline Vec8 heights(RowsOf<T> rows, std::int64_t d, const Aim& aim) {
  if (d < 8) {
    Vec8 height = Vec8{} + aim.shift;
    for (std::int64_t f = 0; f < d; ++f) {
      Vec8 x;
      for (int r = 0; r < 8; ++r) x[r] = static_cast<double>(rows[r][f]);
      height += (x - aim.origin[f]) * aim.across[f];
    }
    return height;
  }
  Vec8 product[8] = {};
  std::int64_t f = 0;
  for (; f + 8 <= d; f += 8) {
    const Vec8 origin = load8(aim.origin + f), across = load8(aim.across + f);
    for (int r = 0; r < 8; ++r) product[r] += (load8(rows[r] + f) - origin) * across;
  }
  if (f < d) {
    const Vec8 origin = load8(aim.origin + d), across = load8(aim.across + d);
    for (int r = 0; r < 8; ++r) product[r] += (load8(rows[r] + d - 8) - origin) * across;
  }
  return sums_of(product) + aim.shift;
}

// The heights of sixteen.
inline Vec16 heights(RowsOf<float> rows, std::int64_t d, const Aim& aim, float shift) {
  Vec16 product[16] = {};
  std::int64_t f = 0;
  for (; f + 16 <= d; f += 16) {
    const Vec16 origin = load_as<Vec16>(aim.origin32 + f), across = load_as<Vec16>(aim.across32 + f);
    for (int r = 0; r < 16; ++r) product[r] += (load_as<Vec16>(rows[r] + f) - origin) * across;
  }
  if (f < d) {
    const Vec16 origin = load_as<Vec16>(aim.origin32 + d), across = load_as<Vec16>(aim.across32 + d);
    for (int r = 0; r < 16; ++r) product[r] += (load_as<Vec16>(rows[r] + d - 16) - origin) * across;
  }
  return sums_of(product) + shift;
}

inline float up(double bound) { return static_cast<float>(bound * (1 + 0x1p-20)); }

void look_narrow(const float* x, std::int64_t count, std::int64_t stride, std::int64_t d,
                 const Aim& aim, const float* radius, float* height, std::uint8_t* side) {
  const float shift = static_cast<float>(aim.shift), more = up(aim.more), quad = up(aim.quad);
  const float slope = up(aim.slope), level = up(aim.level);
  for (std::int64_t i = 0; i < count; i += 16) {
    const std::int64_t some = count - i < 16 ? count - i : 16;
    Vec16 r = {};
    if (some == 16) {
      r = load_as<Vec16>(radius + i);
    } else {
      __builtin_memcpy(&r, radius + i, some * sizeof(float));
    }
    const Vec16 h = heights({x + i * stride, stride, some - 1}, d, aim, shift);
    r += more;
    const Vec16 size = (Vec16)((IVec16)h & INT32_MAX), bound = (r * quad + slope) * r + level;
    const IVec16 above = h > 0 ? IVec16{} + 1 : IVec16{};
    const Bytes16 now = __builtin_convertvector(size > bound ? above : IVec16{} + 2, Bytes16);
    if (some == 16) {
      __builtin_memcpy(height + i, &h, sizeof h);
      __builtin_memcpy(side + i, &now, sizeof now);
    } else {
      __builtin_memcpy(height + i, &h, some * sizeof(float));
      __builtin_memcpy(side + i, &now, some);
    }
  }
}

template <typename T>
void look_wide(const T* x, std::int64_t count, std::int64_t stride, std::int64_t d, const Aim& aim,
               const float* radius, float* height, std::uint8_t* side) {
  for (std::int64_t i = 0; i < count; i += 8) {
    const std::int64_t some = count - i < 8 ? count - i : 8;
    Vec8f near = {};
    if (some == 8) {
      near = load_as<Vec8f>(radius + i);
    } else {
      __builtin_memcpy(&near, radius + i, some * sizeof(float));
    }
    const Vec8 h = heights(RowsOf<T>{x + i * stride, stride, some - 1}, d, aim);
    const Vec8 r = __builtin_convertvector(near, Vec8) + aim.more;
    const Vec8 size = (Vec8)((IVec8)h & INT64_MAX);
    const Vec8 bound = (r * aim.quad + aim.slope) * r + aim.level;
    const IVec8 above = h > 0 ? IVec8{} + 1 : IVec8{};
    const Bytes8 now = __builtin_convertvector(size > bound ? above : IVec8{} + 2, Bytes8);
    const Vec8f stored = __builtin_convertvector(h, Vec8f);
    if (some == 8) {
      __builtin_memcpy(height + i, &stored, sizeof stored);
      __builtin_memcpy(side + i, &now, sizeof now);
    } else {
      __builtin_memcpy(height + i, &stored, some * sizeof(float));
      __builtin_memcpy(side + i, &now, some);
    }
  }
}

template <typename T>
void look(const T* x, std::int64_t count, std::int64_t stride, std::int64_t d, const Aim& aim,
          const float* radius, float* height, std::uint8_t* side) {
  if constexpr (sizeof(T) == 4) {
    if (aim.narrow) return look_narrow(x, count, stride, d, aim, radius, height, side);
  }
  look_wide(x, count, stride, d, aim, radius, height, side);
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

std::int64_t find_near(const float* height, const float* radius, std::int64_t count, float reach,
                       float turn, std::int32_t first, std::int32_t* found) {
  std::int64_t n = 0, i = 0;
  for (; i + 16 <= count; i += 16) {
    const Vec16 h = load_as<Vec16>(height + i);
    const Vec16 size = (Vec16)((IVec16)h & INT32_MAX) * (1 - 0x1p-20f);
    const IVec16 far = size > load_as<Vec16>(radius + i) * turn + reach;
    std::uint64_t eight[2];
    const Bytes16 doubt = __builtin_convertvector(far + 1, Bytes16);  // 0 or 1
    __builtin_memcpy(eight, &doubt, sizeof eight);
    for (int half = 0; half < 2; ++half) {
      for (std::uint64_t bits = eight[half]; bits; bits &= bits - 1) {
        found[n++] = first + static_cast<std::int32_t>(i + 8 * half + __builtin_ctzll(bits) / 8);
      }
    }
  }
  for (; i < count; ++i) {
    const float size = height[i] < 0 ? -height[i] : height[i];
    if (!(size * (1 - 0x1p-20f) > radius[i] * turn + reach)) {
      found[n++] = first + static_cast<std::int32_t>(i);
    }
  }
  return n;
}

}  // namespace

const HalvesTable& halves_kernels() {
  static constexpr HalvesTable table = {{look<float>, share<float>, raise<float>},
                                        {look<double>, share<double>, raise<double>},
                                        find_near};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
