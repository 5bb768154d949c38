// Sparse rows (CSR): the values that are not zero, row by row, with their columns in ascending order.
//
// The zeros are never stored and hardly ever looked at: the screen and the sums cost as much as the
// values that are there.  Only D, where it decides, adds up all columns, in the order in which it
// does so for dense rows; so the answer has the same bits.
#pragma once

#include <memory>
#include <vector>

#include "sparse_kernels.hpp"
#include "store.hpp"

namespace omnimeans {

// I numbers the columns.
template <typename T, typename I>
class Sparse final : public Store<T> {
 public:
  Sparse(const T* values, const I* columns, const std::int64_t* starts, std::int64_t n,
         std::int64_t d)
      : Store<T>(n, d), values_(values), columns_(columns), starts_(starts) {}

  void take(const std::int64_t* numbers, std::int64_t count, T* out) const override;
  std::vector<double> peaks(const double* weights, int threads) const override;
  std::int64_t assign(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                      std::int32_t* labels, int threads) const override;
  void distances(const T* centers, const std::int32_t* labels, Metric metric, double* out,
                 int threads) const override;
  void all_pairs(const T* centers, std::int64_t k, Metric metric, double* out,
                 int threads) const override;
  bool lengths(const T* centers, std::int64_t k, Metric metric, float* out,
               int threads) const override {
    return roots(centers, k, metric, out, threads);
  }
  bool lengths(const T* centers, std::int64_t k, Metric metric, double* out,
               int threads) const override {
    return sizeof(T) == sizeof(double) && roots(centers, k, metric, out, threads);
  }
  void shift(const double* weights, const Magic& grid, const std::int32_t* before,
             const std::int32_t* after, std::int64_t k, std::int64_t* sums,
             int threads) const override;
  void medians(const double* weights, const Magic& grid, const std::int32_t* labels,
               std::int64_t k, double* out, int threads) const override;
  void winners(const T* candidates, std::int64_t count, Metric metric, Frame<T> frame,
               const double* closest, int threads, const Won& won) const override;

 private:
  SparseRow<T, I> row(std::int64_t i) const {
    return {values_ + starts_[i], columns_ + starts_[i], starts_[i + 1] - starts_[i]};
  }
  // Rows that a thread takes at a time, where each value costs `work` steps and each row `more`.
  std::int64_t chunk(std::int64_t work, std::int64_t more, int threads) const;

  // Some rows with their values in groups of eight columns, for exact sums.
  struct Tile {
    std::vector<SparseGroup> met;
    std::vector<double> values;
  };
  Tile tile(std::int64_t begin, std::int64_t end) const;
  template <typename U>
  bool roots(const T* centers, std::int64_t k, Metric metric, U* out, int threads) const;

  const T* values_;
  const I* columns_;
  const std::int64_t* starts_;
};

// A row among zeros, as plain values; one for each worker.
template <typename T>
class Spread {
 public:
  explicit Spread(std::int64_t d) : values_(d) {}
  template <typename I>
  const T* fill(SparseRow<T, I> row) {
    for (std::int64_t t = 0; t < row.count; ++t) values_[row.columns[t]] = row.values[t];
    return values_.data();
  }
  template <typename I>
  void clear(SparseRow<T, I> row) {
    for (std::int64_t t = 0; t < row.count; ++t) values_[row.columns[t]] = 0;
  }

 private:
  std::vector<T> values_;
};

// Centres ready for the screen, with copies of earlier ones or without: they can never be the
// lowest of the nearest, but would leave every row near them in doubt.
enum class Copies { keep, drop };
template <typename T>
SparseScreen sparse_screen_of(const T* centers, std::int64_t k, std::int64_t d, Metric metric,
                              const T* offset, double scale, Copies copies, int threads);

template <typename T, typename I>
const SparseKernels<T, I>& sparse_kernels_for();
const SparseSums& sparse_sums();

}  // namespace omnimeans
