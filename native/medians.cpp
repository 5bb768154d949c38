// Coordinate-wise weighted medians of clusters.
//
// A centre hardly moves from one iteration to the next.  So the rows are first compared with the
// median of the last iteration: how many lie below it, how many do not lie above it, and which
// values come next on either side.  Mostly that tells the new median; only columns where it does
// not are selected from, and only weighted ones are sorted.
#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "pool.hpp"
#include "rows.hpp"

namespace omnimeans {
namespace {

constexpr std::int64_t kStrip = 256;  // columns compared together: what is seen of them fits the cache
constexpr std::int64_t kAhead = 3;    // rows fetched ahead: those of a cluster do not lie side by side
constexpr std::int64_t kGathered = 16;  // columns gathered together: one cache line of float32

// Adding 0 makes -0 and 0 one value, whichever of them was found.
double middle(double a, double b) { return a == b ? a + 0.0 : 0.5 * a + 0.5 * b; }

// The middle of two neighbouring ranks (or of one rank twice).
template <typename T>
double selected(T* values, std::int64_t count, std::int64_t low, std::int64_t high) {
  std::nth_element(values, values + high, values + count);
  if (low == high) return values[high] + 0.0;
  return middle(*std::max_element(values, values + high), values[high]);
}

// What a strip of columns looks like around a guess.
template <typename T>
struct Around {
  Counted<T> less[kStrip] = {}, not_greater[kStrip] = {};
  T below[kStrip], above[kStrip];
  Around() {
    std::fill(below, below + kStrip, -std::numeric_limits<T>::infinity());
    std::fill(above, above + kStrip, std::numeric_limits<T>::infinity());
  }
  // The value of this rank, if it is the guess or next to it.
  bool at(std::int64_t rank, std::int64_t column, T guess, T& value) const {
    if (rank >= less[column] && rank < not_greater[column]) return value = guess, true;
    if (rank + 1 == less[column]) return value = below[column], true;
    if (rank == not_greater[column]) return value = above[column], true;
    return false;
  }
};

struct Weighted {
  double value;
  std::int64_t row;
};

// The rows of each cluster, in order; rows without weight are left out.
struct Members {
  std::vector<std::int64_t> start;
  std::unique_ptr<std::int64_t[]> rows;

  Members(const std::int32_t* labels, const double* weights, std::int64_t n, std::int64_t k)
      : start(k + 1), rows(std::make_unique_for_overwrite<std::int64_t[]>(n)) {
    const auto counts = [&](std::int64_t i) { return !weights || weights[i] > 0; };
    for (std::int64_t i = 0; i < n; ++i) start[labels[i] + 1] += counts(i);
    for (std::int64_t j = 0; j < k; ++j) start[j + 1] += start[j];
    std::vector<std::int64_t> next(start.begin(), start.end() - 1);
    for (std::int64_t i = 0; i < n; ++i) {
      if (counts(i)) rows[next[labels[i]]++] = i;
    }
  }
};

// A column whose median is not next to the guess, but among the values on one side of it.
struct Open {
  std::int64_t column;
  bool above;         // only values above the guess are looked at, else only those below
  std::int64_t rank;  // how many values the others are, if they come first
};

template <typename T>
void plain_medians(const Matrix<T>& x, const std::int64_t* rows, std::int64_t count,
                   std::int64_t first, std::int64_t columns, const T* guess, double* out) {
  const std::int64_t low = (count - 1) / 2, high = count / 2;
  Around<T> seen;
  for (std::int64_t m = 0; m < count; ++m) {
    const char* ahead = reinterpret_cast<const char*>(x.row(rows[std::min(m + kAhead, count - 1)]) + first);
    for (std::int64_t byte = 0; byte < columns * static_cast<std::int64_t>(sizeof(T)); byte += 64) __builtin_prefetch(ahead + byte);
    exact_for<T>().around(x.row(rows[m]) + first, guess + first, columns, seen.less,
                          seen.not_greater, seen.below, seen.above);
  }
  Open open[kStrip];
  std::int64_t opened = 0;
  for (std::int64_t c = 0; c < columns; ++c) {
    T a, b;
    if (seen.at(low, c, guess[first + c], a) && seen.at(high, c, guess[first + c], b)) {
      out[first + c] = middle(a, b);
    } else {
      const bool above = high >= seen.not_greater[c];
      open[opened++] = {first + c, above, above ? seen.not_greater[c] : 0};
    }
  }
  std::vector<T> values(std::min(opened, kGathered) * count);
  for (std::int64_t done = 0; done < opened; done += kGathered) {
    const std::int64_t some = std::min(kGathered, opened - done);
    std::int64_t kept[kGathered] = {};
    for (std::int64_t m = 0; m < count; ++m) {
      const T* row = x.row(rows[m]);
      for (std::int64_t c = 0; c < some; ++c) {
        const Open& it = open[done + c];
        const T value = row[it.column], level = guess[it.column];
        values[c * count + kept[c]] = value;
        kept[c] += it.above ? value > level : value < level;
      }
    }
    for (std::int64_t c = 0; c < some; ++c) {
      const Open& it = open[done + c];
      out[it.column] = selected(values.data() + c * count, kept[c], low - it.rank, high - it.rank);
    }
  }
}

// The weights are whole numbers of the grid's finest steps, so that halves of them are exact.
template <typename T>
void weighted_medians(const Matrix<T>& x, const std::int64_t* rows, std::int64_t count,
                      std::int64_t first, std::int64_t columns,
                      const std::vector<__int128>& masses, double* out) {
  std::vector<Weighted> order(count);
  for (std::int64_t f = first; f < first + columns; ++f) {
    __int128 all = 0, below = 0;
    for (std::int64_t m = 0; m < count; ++m) {
      order[m] = {static_cast<double>(x.row(rows[m])[f]), rows[m]};
      all += masses[rows[m]];
    }
    std::sort(order.begin(), order.end(),
              [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
    std::int64_t low = 0;
    while (2 * (below + masses[order[low].row]) < all) below += masses[order[low++].row];
    std::int64_t high = low;
    while (2 * (below + masses[order[high].row]) <= all && high + 1 < count) {
      below += masses[order[high++].row];
    }
    out[f] = middle(order[low].value, order[high].value);
  }
}

}  // namespace

template <typename T>
void Rows<T>::medians(std::int64_t k, const T* guess, double* out, int threads) const {
  const Members members(labels_, weights_, x_.n, k);
  std::vector<__int128> masses(weights_ ? x_.n : 0);
  std::vector<std::int64_t> words(width());
  for (std::size_t i = 0; i < masses.size(); ++i) {
    std::fill(words.begin(), words.end(), 0);
    exact_for<T>().move(x_.row(i), weights_[i], grid_, nullptr, words.data());
    masses[i] = static_cast<__int128>(words[x_.d]) * (static_cast<__int128>(1) << grid_.bits) +
                words[2 * x_.d + 1];
  }
  const std::int64_t strips = (x_.d + kStrip - 1) / kStrip;
  finish(parallel(k * strips, 1, threads, [&](int, std::int64_t item, std::int64_t) {
    const std::int64_t j = item / strips, first = item % strips * kStrip;
    const std::int64_t columns = std::min(kStrip, x_.d - first);
    const std::int64_t* rows = members.rows.get() + members.start[j];
    const std::int64_t count = members.start[j + 1] - members.start[j];
    double* center = out + j * x_.d;
    if (count == 0) {
      std::fill(center + first, center + first + columns, 0.0);
    } else if (weights_) {
      weighted_medians(x_, rows, count, first, columns, masses, center);
    } else {
      plain_medians(x_, rows, count, first, columns, guess ? guess + j * x_.d : x_.row(rows[0]),
                    center);
    }
  }));
}

template void Rows<float>::medians(std::int64_t, const float*, double*, int) const;
template void Rows<double>::medians(std::int64_t, const double*, double*, int) const;

}  // namespace omnimeans
