// Brings rows and centres into the order that the screen's kernels read.
//
// A tile holds kLanes * V rows, feature by feature, with a vector of V * kLanes values for each; the
// rows' norms follow, then work space.  Centres stand in groups, one group a register tile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"
#include "simd.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

constexpr int kNarrow = 8;
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kGroup = 12;  // centres in a register tile; 32 registers
#else
constexpr int kGroup = 6;  // 16 registers
#endif
constexpr int kWide = 2;  // vectors of rows in a register tile
constexpr int kFew = 12;  // centres that a row can meet all at once; see few.hpp
constexpr int kApart = 4;  // features of rows that are taken apart by shuffles
constexpr int kStripBytes = 20 << 10;  // of rows; with a group of centres they fit 32 KiB
constexpr float kTiny = 0x1p-100f;  // more than all underflows of a score together

// Vectors of rows in registers beside their d features each.
constexpr int vectors_for(int d) { return kLanes == 16 && d <= 4 ? 4 : 2; }

// Centres are grouped evenly: 13 centres make groups of 7 and 6, not of 12 and 1.
struct Groups {
  int count, size, larger;  // the first `larger` groups have one centre more
  explicit Groups(int k) : count((k + kGroup - 1) / kGroup), size(k / count), larger(k % count) {}
};

template <bool kScaled>
inline Vec framed(const float* x, Frame<float> frame, int f) {
  const Vec shifted = load(x + f) - load(frame.offset + f);
  return kScaled ? shifted * frame.scale : shifted;
}
template <bool kScaled>
inline Vec framed(const double* x, Frame<double> frame, int f) {
  typedef double Wide __attribute__((vector_size(kLanes * 8)));
  Wide value, offset;
  __builtin_memcpy(&value, x + f, sizeof value);
  __builtin_memcpy(&offset, frame.offset + f, sizeof offset);
  const Wide shifted = value - offset;
  return __builtin_convertvector(kScaled ? shifted * frame.scale : shifted, Vec);
}
template <typename T>
inline float framed_one(const T* x, Frame<T> frame, int f) {
  return static_cast<float>((x[f] - frame.offset[f]) * frame.scale);
}

template <Metric M>
inline void grow(Vec& size, Vec x) {
  size += M == Metric::euclidean ? x * x : vabs(x);
}

// Rows of D features that lie one behind the other, as D vectors: lane i D + F of them all is feature F
// of row i.  The first two vectors are searched at once, the others one by one.
template <int D, int F>
constexpr int in_two(int i) { return i * D + F < 2 * kLanes ? i * D + F : 0; }
template <int D, int F, int S>
constexpr int in_next(int i) {
  return (i * D + F) / kLanes == S ? kLanes + (i * D + F) % kLanes : i;
}
template <int F, int S, int D>
inline Vec feature_of(const Vec (&lines)[D], Vec found) {
  if constexpr (S < D) {
    return feature_of<F, S + 1>(lines, shuffle<in_next<D, F, S>>(found, lines[S]));
  }
  return found;
}
template <Metric M, int F, int D>
inline void take_apart(const Vec (&lines)[D], Frame<float> frame, int width, float* out, Vec& size) {
  if constexpr (F < D) {
    const Vec found = shuffle<in_two<D, F>>(lines[0], lines[D > 1]);
    const Vec value = (feature_of<F, 2>(lines, found) - frame.offset[F]) * frame.scale;
    store(out + F * width, value);
    grow<M>(size, value);
    take_apart<M, F + 1>(lines, frame, width, out, size);
  }
}
template <Metric M, int D>
void pack_together(const Screen& screen, const float* rows, Frame<float> frame, float* out,
                   float* sizes) {
  if constexpr (D > 1) {
    if (screen.d != D) return pack_together<M, D - 1>(screen, rows, frame, out, sizes);
  }
  for (int first = 0; first < screen.tile; first += kLanes, rows += D * kLanes) {
    Vec lines[D], size = broadcast(0.0f);
    for (int s = 0; s < D; ++s) lines[s] = load(rows + s * kLanes);
    take_apart<M, 0>(lines, frame, screen.tile, out + first, size);
    store(sizes + first, size);
  }
}
template <typename T>
inline bool lie_together(const Screen& screen, const T* const* rows) {
  bool together = true;
  for (int i = 0; i < screen.tile; ++i) together &= rows[i] == rows[0] + i * screen.d;
  return together;
}

// Brings features [begin, end) of the rows to `out` and adds them to the rows' sizes, in `sizes`.
// Squares of kLanes rows and features are transposed in registers; the rest goes one by one.  The
// last feature of guarded centres is the rows' norm.
template <Metric M, bool kScaled, typename T>
void pack_strip(const Screen& screen, const T* const* rows, Frame<T> frame, int begin, int end,
                float* out, float* sizes) {
  const int width = screen.tile, given = end < screen.d ? end : screen.d;
  for (int first = 0; first < width; first += kLanes) {
    Vec size = begin ? load(sizes + first) : broadcast(0.0f);
    float* to = out + first;
    int f = begin;
    for (; f + kLanes <= given; f += kLanes) {
      Vec square[kLanes];
      for (int i = 0; i < kLanes; ++i) square[i] = framed<kScaled>(rows[first + i], frame, f);
      transpose(square);
      Vec part[4] = {};  // four short chains of additions instead of a long one
      for (int i = 0; i < kLanes; ++i, to += width) {
        store(to, square[i]);
        grow<M>(part[i & 3], square[i]);
      }
      size += (part[0] + part[1]) + (part[2] + part[3]);
    }
    for (; f < given; ++f, to += width) {
      for (int i = 0; i < kLanes; ++i) to[i] = framed_one(rows[first + i], frame, f);
      grow<M>(size, load(to));
    }
    if (given < end) store(to, vsqrt(size));
    store(sizes + first, size);
  }
}

template <Metric M, typename T>
void pack_features(const Screen& screen, const T* const* rows, Frame<T> frame, int begin, int end,
                   float* out, float* sizes) {
  if constexpr (std::is_same_v<T, float>) {
    if (screen.d <= kApart && end == screen.d && lie_together(screen, rows)) {
      return pack_together<M, kApart>(screen, rows[0], frame, out, sizes);
    }
  }
  if (frame.scale == 1) {
    pack_strip<M, false>(screen, rows, frame, begin, end, out, sizes);
  } else {
    pack_strip<M, true>(screen, rows, frame, begin, end, out, sizes);
  }
}

// The rows' sizes, behind the room for all their features.
inline float* sizes_of(const Screen& screen, float* tile) {
  return tile + static_cast<std::size_t>(screen.features) * screen.tile;
}

// A whole tile at once.
template <typename T>
void pack(const Screen& screen, const T* const* rows, Frame<T> frame, float* tile) {
  const auto pack_all = screen.metric == Metric::euclidean ? pack_features<Metric::euclidean, T>
                                                           : pack_features<Metric::manhattan, T>;
  pack_all(screen, rows, frame, 0, screen.features, tile, sizes_of(screen, tile));
}

// The error bound of a score, relative to |c|^2 / 2 + |x||c|; see screen.cpp.
inline float screen_error(const Screen& screen) {
  const float u = 0x1p-24f, d = static_cast<float>(screen.d);
  return (d + 10) * u * (1.01f + d * 4 * u);
}

template <typename T>
void measure_centers(Screen& screen, const T* centers, Frame<T> frame) {
  double reach = 0, sum = 0;
  make_room(screen.norms, screen.k);
  for (int j = 0; j < screen.k; ++j, centers += screen.d) {
    double norm = 0;
    for (int f = 0; f < screen.d; ++f) {
      const double c = framed_one(centers, frame, f);
      norm += screen.metric == Metric::euclidean ? c * c : __builtin_fabs(c);
    }
    if (screen.metric == Metric::euclidean) norm = __builtin_sqrt(norm);
    screen.norms[j] = static_cast<float>(norm * (1 + 0x1p-20));
    if (!(norm <= reach)) reach = norm;
    sum += norm;
  }
  screen.reach = static_cast<float>(reach * (1 + 0x1p-20));
  screen.guarded = reach > 4 * sum / screen.k;
}

// Where these values begin a vector: one that crosses a line of the cache takes twice as long to load.
inline float* aligned(std::vector<float>& values) {
  constexpr std::uintptr_t bytes = kLanes * sizeof(float);
  const auto address = reinterpret_cast<std::uintptr_t>(values.data());
  return values.data() + (bytes - address % bytes) % bytes / sizeof(float);
}
inline const float* aligned(const std::vector<float>& values) {
  return aligned(const_cast<std::vector<float>&>(values));
}
constexpr std::size_t whole_vectors(int count) {
  return static_cast<std::size_t>((count + kLanes - 1) / kLanes) * kLanes;
}

// Centres row by row, with zeros up to whole vectors.
template <typename T>
void prepare_few(Screen& screen, const T* centers, Frame<T> frame) {
  const std::size_t stride = whole_vectors(screen.d);
  make_room(screen.other, (screen.k + 1) * stride);
  for (int j = 0; j < screen.k; ++j, centers += screen.d) {
    float* to = aligned(screen.other) + j * stride;
    for (std::size_t f = 0; f < stride; ++f) {
      to[f] = f < static_cast<std::size_t>(screen.d) ? framed_one(centers, frame, static_cast<int>(f))
                                                     : 0.0f;
    }
  }
}

// Groups of kLanes centres, each feature by feature.
inline void prepare_grouped(Screen& screen) {
  const int many = static_cast<int>(whole_vectors(screen.k)), features = screen.features;
  make_room(screen.other, static_cast<std::size_t>(many) * features + kLanes);
  make_room(screen.start, many);
  float* to = aligned(screen.other);
  for (int j = 0; j < many; ++j) {
    if (j >= screen.k) screen.start[j] = -__builtin_inff();
    for (int f = 0; f < features; ++f) {
      to[(j / kLanes * features + f) * kLanes + j % kLanes] =
          j < screen.k ? screen.packed[j * features + f] : 0.0f;
    }
  }
}

template <typename T>
void prepare(Screen& screen, const T* centers, std::int64_t k, std::int64_t d, Metric metric,
             Frame<T> frame) {
  screen.metric = metric;
  screen.k = static_cast<int>(k);
  screen.d = static_cast<int>(d);
  measure_centers(screen, centers, frame);
  const bool euclidean = metric == Metric::euclidean;
  const int features = screen.features = screen.d + (euclidean && screen.guarded);
  const bool narrow = features <= kNarrow;
  screen.tile = kLanes * (narrow ? vectors_for(features) : kWide);
  const int strips = (features * screen.tile * 4 + kStripBytes - 1) / kStripBytes;
  // Whole squares, so that a strip can be packed by itself.
  const int even = (features + strips - 1) / strips;
  screen.strip = narrow ? features : (even + kLanes - 1) / kLanes * kLanes;
  screen.value_bytes = sizeof(T);
  screen.floats = static_cast<std::size_t>(screen.tile) *
                  (features + 1 + (screen.strip < features ? screen.k : 0));
  screen.few = euclidean && !screen.guarded && k <= kFew && d >= (k + 1) * kLanes;
  if (screen.few) prepare_few(screen, centers, frame);
  make_room(screen.packed, k * features);
  make_room(screen.start, k);
  const float error = screen.guarded ? screen_error(screen) : 0.0f;
  const Groups groups(screen.k);
  int first = 0;
  for (int g = 0; g < (narrow ? screen.k : groups.count); ++g) {
    const int size = narrow ? 1 : groups.size + (g < groups.larger);
    for (int r = 0; r < size; ++r) {
      const int j = first + r;
      double norm = 0;
      for (int f = 0; f < features; ++f) {
        const float c = f < screen.d ? framed_one(centers + j * d, frame, f)
                                     : error * screen.norms[j];
        const int strip = f / screen.strip * screen.strip;
        const int wide = strip + screen.strip < features ? screen.strip : features - strip;
        screen.packed[static_cast<std::size_t>(strip) * k +
                      static_cast<std::size_t>(first) * wide + (f - strip) * size + r] = c;
        if (f < screen.d) norm += static_cast<double>(c) * c;
      }
      screen.start[j] = euclidean         ? static_cast<float>(norm / 2 * (error - 1.0))
                        : screen.guarded ? 0x1p-23f * screen.norms[j]
                                         : 0.0f;
    }
    first += size;
  }
  screen.grouped = narrow && k >= 4 * kLanes + 16 * features;
  if (screen.grouped) prepare_grouped(screen);
}

}  // namespace
}  // namespace omnimeans::OMNIMEANS_KERNELS
