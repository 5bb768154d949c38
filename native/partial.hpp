// Plain rows with holes: values that are NaN are missing.
//
// A row is compared with a centre by the features that it has.  D is summed over them in the order
// of complete rows and multiplied by d / (features that it has), so that rows with few of them can
// be compared with others; a complete row has the D that it always has.  (J. K. Dixon, "Pattern
// recognition with partly missing data", IEEE Transactions on Systems, Man, and Cybernetics 9, 1979.)
//
// Sums have two columns a feature: of the values that are there, and of the weights of their rows.
#pragma once

#include <vector>

#include "store.hpp"

namespace omnimeans {

template <typename T>
class Partial final : public Store<T> {
 public:
  // `fill` (d,) stands in for what is missing where plain rows are asked for.
  Partial(Matrix<T> x, const T* fill) : Store<T>(x.n, x.d), x_(x), fill_(fill, fill + x.d) {}

  std::int64_t columns() const override { return 2 * this->d + 1; }
  void take(const std::int64_t* numbers, std::int64_t count, T* out) const override;
  std::vector<double> peaks(const double* weights, int threads) const override;
  std::int64_t assign(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                      std::int32_t* labels, int threads) const override;
  void distances(const T* centers, const std::int32_t* labels, Metric metric, double* out,
                 int threads) const override;
  void all_pairs(const T* centers, std::int64_t k, Metric metric, double* out,
                 int threads) const override;
  void shift(const double* weights, const Magic& grid, const std::int32_t* before,
             const std::int32_t* after, std::int64_t k, std::int64_t* sums,
             int threads) const override;
  // A column of which a cluster has no value gets NaN.
  void medians(const double* weights, const Magic& grid, const std::int32_t* labels,
               std::int64_t k, double* out, int threads) const override;
  void winners(const T* candidates, std::int64_t count, Metric metric, Frame<T> frame,
               const double* closest, int threads, const Won& won) const override;

 private:
  class Compare;

  Matrix<T> x_;
  std::vector<T> fill_;
};

}  // namespace omnimeans
