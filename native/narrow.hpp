// Sweeps for few features: rows stay in registers, and the centres stream past.
//
// Met one at a time, centres cost d + 5 instructions per vector of rows: min, max, max, compare, blend.
// Where they are many, groups of kLanes compete: only the best of a group is met that way, which leaves
// d + 1 + 5 / kLanes.  In the end each row meets the group of its best once more, across the lanes, to
// see which of them it was, and whether its second best is in there as well.  The same operations in
// the same order give the same score; a best score that is not found exactly once is left in doubt.
#pragma once

#include <bit>

#include "sweep.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

template <int D, int V>
inline void load_rows(const float* tile, Vec (&x)[D][V]) {
  for (int f = 0; f < D; ++f)
    for (int v = 0; v < V; ++v) x[f][v] = load(tile + (f * V + v) * kLanes);
}

template <Metric M, int D, int V>
inline void score_rows(const Vec (&x)[D][V], const float* c, float start, Vec (&score)[V]) {
  for (int v = 0; v < V; ++v) score[v] = broadcast(start);
  for (int f = 0; f < D; ++f)
    for (int v = 0; v < V; ++v) score[v] = fold<M>(score[v], x[f][v], c[f]);
}

template <Metric M, int D, int V, class Sink>
inline void sweep_narrow(const Screen& screen, const float* tile, Sink& sink) {
  Vec x[D][V], score[V];
  load_rows(tile, x);
  const float* c = screen.packed.data();
  for (int j = 0; j < screen.k; ++j, c += D) {
    score_rows<M>(x, c, screen.start[j], score);
    for (int v = 0; v < V; ++v) sink.take(j, v, score[v]);
  }
}

// Which of a group of centres the rows of vector `v` are nearest to, and whether another comes second.
template <Metric M, int D, int V>
inline void meet_again(const Screen& screen, const float* tile, int v, Best<V>& seen) {
  float best[kLanes], second[kLanes];
  std::int32_t label[kLanes];
  store(best, seen.best[v]);
  store(second, seen.second[v]);
  store(label, seen.label[v]);
  for (int i = 0; i < kLanes; ++i) {
    const float* c = aligned(screen.other) + label[i] * D;
    Vec score = load(screen.start.data() + label[i]);
    for (int f = 0; f < D; ++f) {
      const Vec x = broadcast(tile[(f * V + v) * kLanes + i]);
      score = fold<M>(score, x, load(c + f * kLanes));
    }
    const Vec most = broadcast(best[i]);
    const std::uint32_t winners = not_greater(most, score);
    const float next = std::has_single_bit(winners)
                           ? highest(score < most ? score : broadcast(-__builtin_inff()))
                           : best[i];
    if (next > second[i]) second[i] = next;
    label[i] += std::countr_zero(winners) % kLanes;
  }
  seen.second[v] = load(second);
  __builtin_memcpy(&seen.label[v], label, sizeof label);
}

template <Metric M, int D, int V>
inline void sweep_grouped(const Screen& screen, const float* tile, Best<V>& seen) {
  Vec x[D][V], score[V];
  load_rows(tile, x);
  const float* c = screen.packed.data();
  for (int first = 0; first < screen.k; first += kLanes) {
    const int end = first + kLanes < screen.k ? first + kLanes : screen.k;
    Vec most[V];
    for (int v = 0; v < V; ++v) most[v] = broadcast(-__builtin_inff());
    for (int j = first; j < end; ++j, c += D) {
      score_rows<M>(x, c, screen.start[j], score);
      for (int v = 0; v < V; ++v) most[v] = vmax(most[v], score[v]);
    }
    for (int v = 0; v < V; ++v) seen.take(first, v, most[v]);
  }
  for (int v = 0; v < V; ++v) meet_again<M, D, V>(screen, tile, v, seen);
}

}  // namespace
}  // namespace omnimeans::OMNIMEANS_KERNELS
