// Distances from sparse rows to all centres, at the cost of the values that are there.
//
// |x - c|^2 is |c|^2 plus the sum of x (x - 2c) over the values x of the row.  With u = 2^-53, |c|^2
// is off by 16 u for each of at most six levels of sums; each of the m terms by 2u of |x| (|x| + 2 |c|)
// <= 2 x^2 + c^2; and m additions by m u of all that is added up.  Together that is below
// (m + 110) u (2 |x|^2 + 2 |c|^2).
// Where this leaves open to which float the root is rounded, or is more than 2^-40 of a double, such
// as for a row beside its centre, D is taken.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "pool.hpp"
#include "sparse.hpp"

namespace omnimeans {
namespace {

constexpr double kUnit = 0x1p-53, kTight = 0x1p-40;
constexpr double kLeast = 1e-300;  // more than any product may lose below the range of float64

typedef double Vec8 __attribute__((vector_size(64)));

// The sum of some values, which are overwritten: sums of 64 of them, sums of 64 of these, and so on.
double total(double* values, std::int64_t n) {
  while (n > 1) {
    std::int64_t sums = 0;
    for (std::int64_t first = 0; first < n; first += 64) {
      const std::int64_t end = std::min(n, first + 64);
      Vec8 lanes = {};
      std::int64_t i = first;
      for (; i + 8 <= end; i += 8) {
        Vec8 next;
        __builtin_memcpy(&next, values + i, sizeof next);
        lanes += next;
      }
      double sum = 0;
      for (int l = 0; l < 8; ++l) sum += lanes[l];
      for (; i < end; ++i) sum += values[i];
      values[sums++] = sum;
    }
    n = sums;
  }
  return n == 1 ? values[0] : 0.0;
}

// Centres column by column, twice their values, and their squares; copies of the last fill a line.
struct Table {
  std::int64_t width;
  std::unique_ptr<double[]> twice;  // (d, width)
  std::vector<double> squares;

  template <typename T>
  Table(const T* centers, std::int64_t k, std::int64_t d)
      : width((k + 7) / 8 * 8), twice(std::make_unique_for_overwrite<double[]>(d * width)),
        squares(width) {
    std::vector<double> terms(d);
    for (std::int64_t j = 0; j < k; ++j) {
      for (std::int64_t f = 0; f < d; ++f) {
        const double c = centers[j * d + f];
        terms[f] = c * c;
      }
      squares[j] = total(terms.data(), d);
    }
    for (std::int64_t j = 0; j < width; j += 8) {  // a line of the table at a time
      const T* c[8];
      for (std::int64_t l = 0; l < 8; ++l) c[l] = centers + std::min(j + l, k - 1) * d;
      for (std::int64_t f = 0; f < d; ++f) {
        double* const line = twice.get() + f * width + j;
        for (int l = 0; l < 8; ++l) line[l] = 2 * static_cast<double>(c[l][f]);
      }
    }
  }
};

// Whether a square that may be off by so much is good enough; its root, if so.
bool settled(double square, double error, double* root) {
  *root = std::sqrt(std::max(square, 0.0));
  return error <= kTight * square;
}
bool settled(double square, double error, float* root) {
  const auto least = static_cast<float>(std::sqrt(std::max(square - error, 0.0)));
  *root = static_cast<float>(std::sqrt(std::max(square + error, 0.0)));
  return least == *root;
}

}  // namespace

template <typename T, typename I>
template <typename U>
bool Sparse<T, I>::roots(const T* centers, std::int64_t k, Metric metric, U* out,
                         int threads) const {
  if (metric != Metric::euclidean) return false;
  const std::int64_t d = this->d;
  const Table table(centers, k, d);
  const auto expand = sparse_sums().expand;
  struct Worker {
    std::vector<double> values, near;
    std::vector<std::int64_t> columns;
    std::unique_ptr<Spread<T>> spread;
  };
  std::vector<Worker> workers(threads);
  finish(parallel(
      this->n, chunk(table.width, table.width, threads), threads,
      [&](int id, std::int64_t begin, std::int64_t end) {
        Worker& worker = workers[id];
        for (std::int64_t i = begin; i < end; ++i) {
          const auto x = row(i);
          worker.values.assign(x.values, x.values + x.count);
          worker.columns.assign(x.columns, x.columns + x.count);
          worker.near = table.squares;
          expand(worker.values.data(), worker.columns.data(), x.count, table.twice.get(),
                 table.width, worker.near.data());
          double square = 0;
          for (const double value : worker.values) square += value * value;
          const double unit = 2.1 * kUnit * static_cast<double>(x.count + 110);
          const T* plain = nullptr;
          for (std::int64_t j = 0; j < k; ++j) {
            const double error = unit * (square + table.squares[j]) + kLeast;
            U* const root = out + i * k + j;
            if (settled(worker.near[j], error, root)) continue;
            if (!plain) {
              if (!worker.spread) worker.spread = std::make_unique<Spread<T>>(d);
              plain = worker.spread->fill(x);
            }
            const double away = exact_for<T>().distance(plain, centers + j * d, d, metric);
            *root = static_cast<U>(std::sqrt(away));
          }
          if (plain) worker.spread->clear(x);
        }
      }));
  return true;
}

#define OMNIMEANS_ROOTS(T, I)                                                                 \
  template bool Sparse<T, I>::roots(const T*, std::int64_t, Metric, float*, int) const;       \
  template bool Sparse<T, I>::roots(const T*, std::int64_t, Metric, double*, int) const;
OMNIMEANS_ROOTS(float, std::int32_t)
OMNIMEANS_ROOTS(float, std::int64_t)
OMNIMEANS_ROOTS(double, std::int32_t)
OMNIMEANS_ROOTS(double, std::int64_t)

}  // namespace omnimeans
