// Dense rows of any number type and layout, lent out some at a time as plain rows.
//
// Nothing is ever converted as a whole: a worker brings the rows of its chunk into a buffer of its
// own, which stays in its cache, and works on that as on any plain rows.
#pragma once

#include <memory>
#include <vector>

#include "file.hpp"
#include "store.hpp"

namespace omnimeans {

enum class Number { f64, f32, f16, i64, i32, i16, i8, u64, u32, u16, u8, truth };

struct Layout {
  const void* data;  // null for rows in a file
  Number number;
  std::int64_t n, d;
  std::int64_t row_step, column_step;  // in values; either may be negative, but not in a file
};

// Where rows lie in a file.
struct InFile {
  std::unique_ptr<File> file;
  std::int64_t offset;  // bytes before the first value
  std::int64_t first;   // number of the first row, for messages
  EndsEarly ends_early;
};

template <typename T>
class Lent final : public Store<T> {
 public:
  explicit Lent(Layout layout, InFile where = {})
      : Store<T>(layout.n, layout.d), layout_(layout), where_(std::move(where)) {}

  void take(const std::int64_t* numbers, std::int64_t count, T* out) const override;
  std::vector<double> peaks(const double* weights, int threads) const override;
  std::int64_t assign(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                      std::int32_t* labels, int threads) const override;
  std::int64_t step(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                    const double* weights, const Magic& grid, const std::int32_t* before,
                    std::int32_t* after, std::int64_t* sums, int threads) const override;
  // Whether all values are finite numbers.
  bool finite(int threads) const;
  void distances(const T* centers, const std::int32_t* labels, Metric metric, double* out,
                 int threads) const override;
  void all_pairs(const T* centers, std::int64_t k, Metric metric, double* out,
                 int threads) const override;
  void shift(const double* weights, const Magic& grid, const std::int32_t* before,
             const std::int32_t* after, std::int64_t k, std::int64_t* sums,
             int threads) const override;
  void medians(const double* weights, const Magic& grid, const std::int32_t* labels,
               std::int64_t k, double* out, int threads) const override;
  void winners(const T* candidates, std::int64_t count, Metric metric, Frame<T> frame,
               const double* closest, int threads, const Won& won) const override;

 private:
  // Brings rows [begin, end) and columns [first, last) to `out`, row by row.
  void load(std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t last,
            T* out) const;
  void load_from_file(std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t last,
                      T* out) const;
  // Labels all rows chunk by chunk; then(worker, begin, rows, data) looks at each chunk afterwards.
  template <class Then>
  std::int64_t label(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                     std::int32_t* labels, int threads, Then&& then) const;
  // Hands out all rows: body(worker, begin, rows, data of the row `begin`).
  template <class Body>
  void each_chunk(std::int64_t k, int threads, Body&& body) const;

  Layout layout_;
  InFile where_;
};

}  // namespace omnimeans
