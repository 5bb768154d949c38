// The plane between two centres, and what its way tells about rows that are not looked at.
//
// The proof of a side.  With m = (a + b) / 2, w = b - a and n = w / |w| for centres a, b, the
// squared distances of x differ by |x - a|^2 - |x - b|^2 = 2 |w| h, where h = (x - m) . n is the
// height above the plane.  With R >= |x - m| and the unit u of the arithmetic, the product misses h
// by no more than (d + 8) u R and what m was rounded.  D, which decides ties, is itself rounded, by
// (d + 3) 2^-53 of |x - a|^2 + |x - b|^2 = 2 |x - m|^2 + |w|^2 / 2; in heights, that is divided by
// 2 |w|.  All of it is below (quad R + slope) R + level.
//
// When the plane has gone from (m, n) to (m', n'), h' = h + (x - m) . (n' - n) + (m - m') . n', so
// a row whose |h| is above |(m - m') . n'| + R |n' - n| and the bounds is where it was.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "halves_kernels.hpp"

namespace omnimeans {

struct Plane {
  static constexpr double kHalfUlp = 0x1p-53;

  std::vector<double> middle, normal;
  double length = 0;
  std::vector<double> origin, across;  // as Aim wants them
  std::vector<float> origin32, across32;
  Aim aim{};

  Plane() = default;
  template <typename T>
  Plane(const T* centers, std::int64_t d) : middle(d), normal(d) {
    double square = 0, offset = 0, remote = 0, shift = 0;
    for (std::int64_t f = 0; f < d; ++f) {
      const double a = centers[f], b = centers[d + f];
      middle[f] = a / 2 + b / 2;
      normal[f] = b - a;
      square += normal[f] * normal[f];
    }
    length = std::sqrt(square);
    std::vector<double> start(d);
    for (std::int64_t f = 0; f < d; ++f) {
      normal[f] = length > 0 ? normal[f] / length : 0.0;
      start[f] = static_cast<double>(static_cast<T>(middle[f]));
      const double rest = middle[f] - start[f];
      offset += rest * rest;
      shift -= rest * normal[f];
      remote += std::abs(middle[f] * normal[f]);
    }
    aim.narrow = sizeof(T) == 4 && d >= kNarrowFeatures;
    origin = padded<double>(start, d, 8, true);
    across = padded<double>(normal, d, 8, false);
    if (aim.narrow) {
      origin32 = padded<float>(start, d, 16, true);
      across32 = padded<float>(normal, d, 16, false);
    }
    const double many = 1.05 * static_cast<double>(d + 8), unit = aim.narrow ? 0x1p-24 : kHalfUlp;
    aim.shift = shift;
    aim.more = std::sqrt(offset) * (1 + 1e-9);
    aim.quad = length > 0 ? many * kHalfUlp / length : 0.0;
    aim.slope = many * (unit + 4 * kHalfUlp);
    aim.level = many * kHalfUlp * length + 8 * kHalfUlp * remote + 2 * unit * std::abs(shift) +
                (aim.narrow ? 1e-36 : 1e-300);
    if (!(length > 0)) aim.level = std::numeric_limits<double>::infinity();
  }

  // Says from where the radii of the rows are measured.
  void measured_from(const std::vector<double>& reference) {
    double square = 0;
    for (std::size_t f = 0; f < middle.size(); ++f) {
      const double gap = reference[f] - middle[f];
      square += gap * gap;
    }
    aim.more = 2 * aim.more + std::sqrt(square) * (1 + 1e-9);
  }
  // For the kernels; the vectors stay where they are.
  Aim aimed() const {
    Aim found = aim;
    found.origin = origin.data(), found.across = across.data();
    found.origin32 = origin32.data(), found.across32 = across32.data();
    return found;
  }

 private:
  template <typename V>
  static std::vector<V> padded(const std::vector<double>& values, std::int64_t d, std::int64_t lanes,
                               bool keep) {
    std::vector<V> found(d + lanes);
    for (std::int64_t f = 0; f < d; ++f) found[f] = static_cast<V>(values[f]);
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const std::int64_t f = d - lanes + lane;
      const bool counted = f < d / lanes * lanes;
      if (f >= 0 && (keep || !counted)) found[d + lane] = static_cast<V>(values[f]);
    }
    return found;
  }
};

// How far rows may have come, at most, since the plane was `old`: reach + turn (radius + more).
struct Drift {
  double reach = 0, turn = 0;  // with all bounds
  double step = 0, change = 0;  // without

  Drift() = default;
  Drift(const Plane& old, const Plane& now, double widest) {
    double drift = 0, coarse = 0;
    for (std::size_t f = 0; f < now.middle.size(); ++f) {
      const double angle = now.normal[f] - old.normal[f], move = old.middle[f] - now.middle[f];
      step += move * now.normal[f];
      change += angle * angle;
      drift += move * move;
      coarse += (std::abs(old.middle[f]) + std::abs(now.middle[f])) * std::abs(now.normal[f]);
    }
    const double many = static_cast<double>(now.middle.size() + 8) * 4 * Plane::kHalfUlp;
    const Aim &a = old.aim, &b = now.aim;
    step = std::abs(step), change = std::sqrt(change), drift = std::sqrt(drift) * (1 + 1e-9);
    turn = change * (1 + 1e-9) + many + a.slope + b.slope + (a.quad + b.quad) * (widest + drift);
    reach = (step + a.level + b.level + (b.slope + b.quad * (widest + drift)) * drift +
             many * (coarse + drift)) * 1.001 + 1e-36;
  }
};

}  // namespace omnimeans
