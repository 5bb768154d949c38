// The sweep for few centres and many features: rows are read once, as they lie, and never packed.
//
// Features lie across the lanes.  Some rows at a time meet all centres, whose K sums for each row
// stay in registers, and a tile's sums are then reduced across the lanes, kLanes rows at once.  Cost
// per row and feature, in vector instructions per lane: K + 1 products and a subtraction, and for a
// row 5 K more; packing alone costs more than 10 per feature.
// Sums of d products in any order err by no more than those in screen.cpp, which are added in turn.
#pragma once

#include "packing.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

constexpr int kTogether = 8;  // rows whose sums, with kFewBytes of centres, stay in the nearest cache
constexpr int kFewBytes = 10 << 10;
constexpr int kAhead = 8192;  // values: rows mostly lie one behind the other; into the second cache
constexpr int kRowsAtOnce = kGroup / 6;  // 2 K sums in 32 registers, K in 16

// kLanes features of some rows, from f on, with all centres.
template <int K, int R, typename T>
inline void meet(const T* const* rows, Frame<T> frame, int f, const float* centers,
                 std::size_t stride, Vec (&sums)[R][K], Vec (&squares)[R]) {
  Vec x[R];
  for (int r = 0; r < R; ++r) {
    __builtin_prefetch(rows[r] + f + kAhead, 0, 2);
    x[r] = framed<true>(rows[r], frame, f);
    squares[r] += x[r] * x[r];
  }
  for (int j = 0; j < K; ++j) {
    const Vec c = in_register(load(centers + j * stride));
    for (int r = 0; r < R; ++r) sums[r][j] += x[r] * c;
  }
}

// The sum of each vector's lanes, for kLanes of them.
inline Vec reduced(const float* vectors, std::size_t stride) {
  Vec square[kLanes];
  for (int i = 0; i < kLanes; ++i) square[i] = load(vectors + i * stride);
  transpose(square);
  for (int half = kLanes / 2; half >= 1; half /= 2) {
    for (int i = 0; i < half; ++i) square[i] += square[i + half];
  }
  return square[0];
}

// Features [begin, end) of R rows with all centres; adds to the sums in `out`, centre by centre.
// Inline, or else the compiler spends as long on moving sums as on making them.
template <int K, int R, typename T>
[[gnu::always_inline]] inline void meet_strip(const Screen& screen, const T* const* rows,
                                              Frame<T> frame, int begin, int end, float* out) {
  const std::size_t stride = whole_vectors(screen.d);
  const float* centers = aligned(screen.other);
  Vec sums[R][K], squares[R];
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < K; ++j) sums[r][j] = load(out + (r * (K + 1) + j) * kLanes);
    squares[r] = load(out + (r * (K + 1) + K) * kLanes);
  }
  int f = begin;
  for (; f + kLanes <= end; f += kLanes) {
    meet<K, R>(rows, frame, f, centers + f, stride, sums, squares);
  }
  if (f < end) {  // what is left behind whole vectors
    T part[R][kLanes] = {}, offset[kLanes] = {};
    const T* parts[R];
    for (int i = 0; f + i < end; ++i) offset[i] = frame.offset[f + i];
    for (int r = 0; r < R; ++r) {
      for (int i = 0; f + i < end; ++i) part[r][i] = rows[r][f + i];
      parts[r] = part[r];
    }
    const Frame<T> rest{offset, frame.scale};
    meet<K, R>(parts, rest, 0, centers + f, stride, sums, squares);
  }
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < K; ++j) store(out + (r * (K + 1) + j) * kLanes, sums[r][j]);
    store(out + (r * (K + 1) + K) * kLanes, squares[r]);
  }
}

// The tile is work space for the sums, row by row and centre by centre, a vector each.  Some rows meet
// a strip of the centres, which stays in the nearest cache meanwhile, before they meet the next.
template <int K, class Sink, typename T>
void sweep_few(const Screen& screen, const T* const* rows, Frame<T> frame, float* tile,
               float* sizes, Sink& sink) {
  if constexpr (K > 1) {
    if (screen.k != K) return sweep_few<K - 1>(screen, rows, frame, tile, sizes, sink);
  }
  constexpr int R = kRowsAtOnce, kSums = (K + 1) * kLanes;
  const int d = screen.d, strips = (K * d * 4 + kFewBytes - 1) / kFewBytes;
  const int strip = (d / kLanes + strips - 1) / strips * kLanes;
  for (int block = 0; block < screen.tile; block += kTogether) {
    __builtin_memset(tile + block * kSums, 0, sizeof(float) * kTogether * kSums);
    for (int begin = 0; begin < d; begin += strip) {
      const int end = begin + strip < d ? begin + strip : d;
      for (int first = block; first < block + kTogether; first += R) {
        meet_strip<K, R>(screen, rows + first, frame, begin, end, tile + first * kSums);
      }
    }
  }
  for (int v = 0; v < kWide; ++v) {
    const float* vectors = tile + v * kLanes * kSums;
    store(sizes + v * kLanes, reduced(vectors + K * kLanes, kSums));
    for (int j = 0; j < K; ++j) {
      sink.take(j, v, reduced(vectors + j * kLanes, kSums) + screen.start[j]);
    }
  }
}

}  // namespace
}  // namespace omnimeans::OMNIMEANS_KERNELS
