// Centres compared by D, for one row; and what the distances say about later rounds.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels.hpp"

namespace omnimeans {

// A distance D in the frame, not squared.
inline double in_frame(double distance, Metric metric, double scale) {
  return (metric == Metric::euclidean ? std::sqrt(distance) : distance) * scale;
}

struct Duel {
  double closest = std::numeric_limits<double>::infinity();
  double second = std::numeric_limits<double>::infinity();
  std::int32_t nearest = 0;

  // Centres must come in the order of their numbers: ties stay with the lowest.
  void meet(std::int32_t j, double away) {
    if (away < closest) {
      second = closest;
      closest = away;
      nearest = j;
    } else if (away < second) {
      second = away;
    }
  }
  float upper(Metric metric, double scale) const {
    return static_cast<float>(in_frame(closest, metric, scale) * (1 + 0x1p-20));
  }
  // `rest` holds for the centres that were not met.
  float lower(float rest, Metric metric, double scale) const {
    const auto met = static_cast<float>(in_frame(second, metric, scale) * (1 - 0x1p-20));
    return met < rest ? met : rest;
  }
};

}  // namespace omnimeans
