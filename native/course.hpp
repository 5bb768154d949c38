// Lloyd's algorithm in one call, for rows so few that the way from one call to the next would take
// longer than an iteration.
//
// The loop is the one of src/omnimeans/_fit.py, for its usual case, down to the bit.  Whatever asks
// for a decision, an empty cluster or centres that have been met before, ends it at once, and the
// caller goes the long way from the start.
#pragma once

#include <vector>

#include "rows.hpp"

namespace omnimeans {

// The figures of one iteration, as a row of an array.
struct Line {
  double inertia, moved, shift, redecided, seconds;
};
inline constexpr int kFigures = sizeof(Line) / sizeof(double);

// What the rows told when they were placed.
struct Survey {
  double spread, remoteness;
};

template <typename T>
struct Course {
  std::vector<Line> lines;
  std::vector<T> centers;  // (k, d) after the last iteration
  bool usual = true;       // false: nothing of this is to be used
};

template <typename T>
Course<T> course(Rows<T>& rows, const T* start, std::int64_t k, const std::int64_t* exponents,
                 int bits, Survey survey, std::int64_t max_iter, double tol, int threads);

}  // namespace omnimeans
