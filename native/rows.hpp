// Rows in memory and the passes over them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "exact.hpp"
#include "kernels.hpp"

namespace omnimeans {

// A matrix whose rows are contiguous, `stride` elements apart.
template <typename T>
struct Matrix {
  const T* data;
  std::int64_t n, d, stride;
  const T* row(std::int64_t i) const { return data + i * stride; }
  // The rows of the next tile, if it is full and lies in one piece.
  const void* ahead(std::int64_t first, int tile, std::int64_t end) const {
    return stride == d && first + tile <= end ? row(first) : nullptr;
  }
};

// Rows that a thread takes at a time; 0 leaves it to the core.  For tests: it never shows in a result.
extern std::int64_t chunk_rows;

// Rows that a thread takes at a time: enough that handing them out costs nothing, few enough to
// share out fairly and to notice an interrupt.
template <typename T>
std::int64_t rows_per_chunk(const Matrix<T>& x, std::int64_t k, int threads) {
  if (chunk_rows > 0) return std::min(chunk_rows, std::max<std::int64_t>(kMaxTile, x.n));
  const std::int64_t by_size = (std::int64_t{1} << 17) / x.d;
  const std::int64_t by_work = (std::int64_t{1} << 26) / (x.d * k);
  const std::int64_t fair = (x.n + 4 * threads - 1) / (4 * threads);
  const std::int64_t rows = std::min({by_size, by_work, fair});
  return std::max<std::int64_t>(kMaxTile, rows / kMaxTile * kMaxTile);
}

// A power of two for the frame of values of this mean square.
double scale_for(double mean_square);

// What a pass counted; the sums stay with the rows.
struct Counts {
  std::int64_t moved = 0, redecided = 0;
  std::int64_t tiled = 0, coded = 0;  // rows that the screen in float32, in eight bits looked at
  std::int64_t compared = 0;          // distances computed, at any precision
};

// The screen that looks at rows: tiles in float32, codes in eight bits, or whichever proves faster.
enum class Screening { tiles, codes, race };

// How a pass finds the nearest centres; no way can be told from another by its result.
struct Way {
  bool tree = false;     // walks down a tree of boxes; else every row by itself, where
  bool bounded = false;  // bounds may spare it the look, and
  Screening screening = Screening::tiles;
  bool packed = false;  // rows are packed once and for all, where they are few
};
inline constexpr std::int64_t kMaxCoded = 1 << 15;  // features: sums of products stay in 32 bits

template <typename T, typename Mass>
class Medians;

template <typename T>
class Rows {
 public:
  Rows(Matrix<T> x, const double* weights, std::int32_t* labels, Metric metric, Magic grid);
  Rows(Rows&&) noexcept;
  ~Rows();

  void set_frame(const T* offset, double mean_square) {
    offset_.assign(offset, offset + x_.d);
    scale_ = static_cast<T>(scale_for(mean_square));
    tiles_.clear();
    typical_ = std::sqrt(mean_square) * static_cast<double>(scale_);
  }

  // Assigns every row to its nearest centre and keeps the sums of the clusters.  Labels of -1 mark
  // a fresh start.  Rows that stay where they are cost nothing in the sums.
  Counts step(const T* centers, std::int64_t k, int threads, Way way = {});
  // Takes the rows as they are labelled, their sums being kept elsewhere: from here on, sums() is
  // what has changed.
  void resume(std::int64_t k);
  // Puts rows into another cluster, by force.
  void relabel(const std::int64_t* numbers, std::int64_t count, std::int32_t cluster);
  // The sums (k, 2, d + 1) of the clusters as they are labelled now.
  const std::vector<std::int64_t>& sums() const { return sums_; }
  // The bounds on the rows' distances to their own and to all other centres, if there are any.
  bool bounds(double* lower, double* upper) const;
  // The sums (2, d + 1) of all rows.
  std::vector<std::int64_t> total(int threads) const;

  // All rows as packed tiles for this screen, made once, where they are few; else null.
  const float* tiles(const Screen& screen) const;

  // The distance of each row to its own centre, to centre 0 if `labels` is null.
  void distances(const T* centers, const std::int32_t* labels, double* out, int threads) const;
  // The exact weighted sum of these distances, rounded once.
  double inertia(const T* centers, const std::int32_t* labels, int threads) const;
  // The coordinate-wise weighted medians (k, d) of the labelled rows; quicker if most rows have the
  // labels of the last call.
  void medians(std::int64_t k, double* out, int threads);

  const Magic& grid() const { return grid_; }
  const Matrix<T>& matrix() const { return x_; }
  const double* weights() const { return weights_; }
  Metric metric() const { return metric_; }
  Frame<T> frame() const { return {offset_.data(), scale_}; }
  bool framed() const { return !offset_.empty(); }
  const std::int32_t* labels() const { return labels_; }
  std::int64_t clusters() const { return static_cast<std::int64_t>(sums_.size()) / width(); }

 private:
  double weight(std::int64_t i) const { return weights_ ? weights_[i] : 1.0; }
  std::int64_t width() const { return 2 * (x_.d + 1); }
  void measure(const T* centers, const std::int32_t* labels, std::int64_t begin, std::int64_t end,
               double* out) const;
  void encode(int threads);
  Counts walk(const T* centers, std::int64_t k, int threads, bool fresh);
  Counts sweep(const T* centers, std::int64_t k, int threads, bool fresh, Way way);

  struct Memory;

  Matrix<T> x_;
  const double* weights_;
  std::int32_t* labels_;
  Metric metric_;
  Magic grid_;
  std::vector<T> offset_;
  T scale_ = 1;
  double typical_ = 1;  // size of the values in the frame
  std::vector<std::int64_t> sums_;
  std::unique_ptr<Memory> memory_;
  mutable std::vector<float> tiles_;
  std::shared_ptr<Medians<T, std::int64_t>> medians_;
  std::shared_ptr<Medians<T, __int128>> weighted_medians_;
};

// The nearest centre of rows that are only passing by.
template <typename T>
void nearest(const Matrix<T>& x, const T* centers, std::int64_t k, Metric metric,
             std::int32_t* labels, int threads);

// The (d + 1) peaks of weighted rows; see Grid.fit.
template <typename T>
std::vector<double> peaks(const Matrix<T>& x, const double* weights, int threads);

// Exact means (k, d) and weights (k,) of sums (k, 2, d + 1), correctly rounded.
void means(const std::int64_t* sums, std::int64_t k, std::int64_t columns,
           const std::int64_t* exponents, int bits, double* out, double* weights, int threads = 1);

// The exact sum of values * weights, correctly rounded; weights may be null.
double exact_total(const double* values, const double* weights, std::int64_t n);

}  // namespace omnimeans
