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

// The sink meets the best of each group as if it were the group's first.
template <Metric M, int D, int V, class Sink>
inline void sweep_groups(const Screen& screen, const float* tile, Sink& sink) {
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
    for (int v = 0; v < V; ++v) sink.take(first, v, most[v]);
  }
}

// The scores of a group of centres, across the lanes, for one row of the tile.
template <Metric M, int D, int V>
inline Vec group_scores(const Screen& screen, const float* tile, int row, int first) {
  const float* c = aligned(screen.other) + first * D;
  Vec score = load(screen.start.data() + first);
  for (int f = 0; f < D; ++f) {
    score = fold<M>(score, broadcast(tile[f * V * kLanes + row]), load(c + f * kLanes));
  }
  return score;
}

// Which of its group the best one was, and whether another of the group comes second.
template <Metric M, int D, int V>
inline void meet_again(const Screen& screen, const float* tile, Best<V>& seen) {
  float best[V * kLanes], second[V * kLanes];
  std::int32_t label[V * kLanes];
  __builtin_memcpy(best, seen.best, sizeof best);
  __builtin_memcpy(second, seen.second, sizeof second);
  __builtin_memcpy(label, seen.label, sizeof label);
  for (int i = 0; i < V * kLanes; ++i) {
    const Vec score = group_scores<M, D, V>(screen, tile, i, label[i]), most = broadcast(best[i]);
    const std::uint32_t winners = not_greater(most, score);
    const float next = highest(score < most ? score : broadcast(-__builtin_inff()));
    // no branches: which way it goes differs from row to row
    const float in_group = std::has_single_bit(winners) ? next : best[i];
    second[i] = in_group > second[i] ? in_group : second[i];
    label[i] += std::countr_zero(winners) % kLanes;
  }
  __builtin_memcpy(seen.second, second, sizeof second);
  __builtin_memcpy(seen.label, label, sizeof label);
}

}  // namespace
}  // namespace omnimeans::OMNIMEANS_KERNELS
