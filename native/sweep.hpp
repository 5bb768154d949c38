// The sweep: all centres pass over a tile of rows, and what becomes of each score is up to a sink.
#pragma once

#include "packing.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

// Some features of a tile of rows, few enough to stay in the nearest cache while all centres pass.
struct Strip {
  const float* tile;
  int features;
  bool begins, ends;
  const char* ahead;  // the same features of as many rows to come, to be fetched meanwhile; or null
  int ahead_step;     // bytes of a feature of theirs
};

template <Metric M, typename C>  // of one centre, or of as many as there are lanes
inline Vec fold(Vec sum, Vec x, C c) {
  if constexpr (M == Metric::euclidean) {
    return sum + x * c;
  } else {
    return sum - vabs(x - c);
  }
}

// Keeps the two best scores of each lane.
template <int V>
struct Best {
  Vec best[V], second[V];
  IVec label[V];
  Best() {
    for (int v = 0; v < V; ++v) {
      best[v] = second[v] = broadcast(-__builtin_inff());
      label[v] = broadcast(std::int32_t{0});
    }
  }
  inline void take(int j, int v, Vec score) {
    const IVec index = broadcast(std::int32_t{j});
    second[v] = vmax(second[v], vmin(best[v], score));
    label[v] = score > best[v] ? index : label[v];
    best[v] = vmax(best[v], score);
  }
};

// Reports the centres whose score reaches the threshold of a lane.
template <int V>
struct Reach {
  const float* threshold;
  std::uint64_t rows;
  FoundCenter found;
  void* context;
  std::uint64_t hits = 0;
  inline void take(int j, int v, Vec score) {
    const std::uint64_t reached = not_greater(load(threshold + v * kLanes), score);  // or NaN
    hits |= reached << (v * kLanes);
    if (v == V - 1) {
      if (hits & rows) found(context, j, hits & rows);
      hits = 0;
    }
  }
};

// One register tile over a strip of features.  Scores come from `partial` (or from `start` on the
// first strip) and go back there (or to the sink after the last strip).
template <Metric M, int R, int V, class Sink>
inline void sweep_group(const Strip& strip, const float* c, const float* start, float* partial,
                        int first, Sink& sink) {
  Vec score[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v)
      score[r][v] = strip.begins ? broadcast(start[r]) : load(partial + (r * V + v) * kLanes);
  const float* tile = strip.tile;
  const char* ahead = first == 0 ? strip.ahead : nullptr;
  for (int f = 0; f < strip.features; ++f, tile += V * kLanes, c += R) {
    if (ahead) {
      for (int byte = 0; byte < strip.ahead_step; byte += 64) __builtin_prefetch(ahead + byte);
      ahead += strip.ahead_step;
    }
    Vec x[V];
    for (int v = 0; v < V; ++v) x[v] = load(tile + v * kLanes);
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v) score[r][v] = fold<M>(score[r][v], x[v], c[r]);
  }
  if (!strip.ends) {
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v) store(partial + (r * V + v) * kLanes, score[r][v]);
    return;
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sink.take(first + r, v, score[r][v]);
}

template <Metric M, int R, int V, class Sink>
inline void sweep_sized(int size, const Strip& strip, const float* c, const float* start,
                        float* partial, int first, Sink& sink) {
  if (size == R) {
    sweep_group<M, R, V>(strip, c, start, partial, first, sink);
  } else if constexpr (R > 1) {
    sweep_sized<M, R - 1, V>(size, strip, c, start, partial, first, sink);
  }
}

// `strip_at(f, features)` says where some features of the tile lie; it may bring them there.
template <Metric M, class StripAt, class Sink>
inline void sweep_wide(const Screen& screen, StripAt strip_at, float* scores, const void* ahead,
                       Sink& sink) {
  const Groups groups(screen.k);
  const int width = screen.tile;
  for (int f = 0; f < screen.features; f += screen.strip) {
    const int features =
        f + screen.strip < screen.features ? screen.strip : screen.features - f;
    const Strip strip{strip_at(f, features), features, f == 0, f + features == screen.features,
                      ahead ? static_cast<const char*>(ahead) +
                                  static_cast<std::size_t>(f) * width * screen.value_bytes
                            : nullptr,
                      width * screen.value_bytes};
    const float* packed = screen.packed.data() + static_cast<std::size_t>(f) * screen.k;
    int first = 0;
    for (int g = 0; g < groups.count; ++g) {
      const int size = groups.size + (g < groups.larger);
      sweep_sized<M, kGroup, kWide>(size, strip, packed + static_cast<std::size_t>(first) * features,
                                    screen.start.data() + first,
                                    scores + static_cast<std::size_t>(first) * width, first, sink);
      first += size;
    }
  }
}

}  // namespace
}  // namespace omnimeans::OMNIMEANS_KERNELS
