// Rows that are not plain arrays of the numbers computed with, and what can be done with them.
//
// A store knows how its rows lie in memory: in another number type or layout, sparse, with holes.
// Whatever it is, its answers are, bit for bit, those for the same rows as a plain array.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "rows.hpp"

namespace omnimeans {

// Told by winners(): this worker found that the row is nearer to candidate j than to its own centre.
using Won = std::function<void(int worker, std::int64_t row, std::int32_t j, double away)>;

template <typename T>
class Store {
 public:
  const std::int64_t n, d;

  Store(std::int64_t rows, std::int64_t columns) : n(rows), d(columns) {}
  virtual ~Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Columns of the sums: the features, what else is summed, and the weight.
  virtual std::int64_t columns() const { return d + 1; }
  // These rows as a plain array.
  virtual void take(const std::int64_t* numbers, std::int64_t count, T* out) const = 0;
  // The largest |value * weight| of each column of the sums, and the largest weight.
  virtual std::vector<double> peaks(const double* weights, int threads) const = 0;
  // Writes the nearest centre of every row; returns how many rows D had to decide.
  virtual std::int64_t assign(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                              std::int32_t* labels, int threads) const = 0;
  // Both in one: writes the nearest centre of every row to `after`, and moves the rows whose centre
  // was another one `before` (-1: none) in the sums; returns how many rows D had to decide.
  virtual std::int64_t step(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                            const double* weights, const Magic& grid, const std::int32_t* before,
                            std::int32_t* after, std::int64_t* sums, int threads) const {
    const std::int64_t decided = assign(centers, k, metric, frame, after, threads);
    shift(weights, grid, before, after, k, sums, threads);
    return decided;
  }
  // The distance of each row to its own centre, to centre 0 if `labels` is null.
  virtual void distances(const T* centers, const std::int32_t* labels, Metric metric, double* out,
                         int threads) const = 0;
  // The distance of each row to each centre, (n, k).
  virtual void all_pairs(const T* centers, std::int64_t k, Metric metric, double* out,
                         int threads) const = 0;
  // Their roots, (n, k); false, if there is no faster way to them.  As float they are
  // those of all_pairs; as double they are off by a few parts in 1e13 at most.
  virtual bool lengths(const T*, std::int64_t, Metric, float*, int) const { return false; }
  virtual bool lengths(const T*, std::int64_t, Metric, double*, int) const { return false; }
  // Takes each row out of the sums of `before` (null: of none) and puts it into those of `after`.
  virtual void shift(const double* weights, const Magic& grid, const std::int32_t* before,
                     const std::int32_t* after, std::int64_t k, std::int64_t* sums,
                     int threads) const = 0;
  // The coordinate-wise weighted medians (k, d) of the labelled rows.
  virtual void medians(const double* weights, const Magic& grid, const std::int32_t* labels,
                       std::int64_t k, double* out, int threads) const = 0;
  // Reports every row that is nearer to a candidate than `closest`, by D.
  virtual void winners(const T* candidates, std::int64_t count, Metric metric, Frame<T> frame,
                       const double* closest, int threads, const Won& won) const = 0;
};

// The frame of unplaced rows: that of the centres, which leaves the least to be decided by D.
template <typename T>
struct OwnFrame {
  std::vector<T> offset;
  T scale;
  OwnFrame(const T* centers, std::int64_t k, std::int64_t d);
  Frame<T> frame() const { return {offset.data(), scale}; }
};

// Placed rows: a store with weights, labels and sums.  The verbs are those of Rows.
template <typename T>
class Held {
 public:
  Held(const Store<T>& store, const double* weights, std::int32_t* labels, Metric metric, Magic grid)
      : store_(store), weights_(weights), labels_(labels), metric_(metric), grid_(std::move(grid)) {}

  void set_frame(const T* offset, double mean_square) {
    offset_.assign(offset, offset + store_.d);
    scale_ = static_cast<T>(scale_for(mean_square));
  }
  Counts step(const T* centers, std::int64_t k, int threads);
  // Takes the rows as they are labelled, their sums being kept elsewhere: from here on, sums() is
  // what has changed.
  void resume(std::int64_t k) { sums_.assign(k * width(), 0); }
  void relabel(const std::int64_t* numbers, std::int64_t count, std::int32_t cluster);
  std::vector<std::int64_t> total(int threads) const;
  void distances(const T* centers, const std::int32_t* labels, double* out, int threads) const {
    store_.distances(centers, labels, metric_, out, threads);
  }
  double inertia(const T* centers, const std::int32_t* labels, int threads) const;
  void medians(std::int64_t k, double* out, int threads) const {
    store_.medians(weights_, grid_, labels_, k, out, threads);
  }

  const Store<T>& store() const { return store_; }
  const std::vector<std::int64_t>& sums() const { return sums_; }
  const double* weights() const { return weights_; }
  const std::int32_t* labels() const { return labels_; }
  Metric metric() const { return metric_; }
  Frame<T> frame() const { return {offset_.data(), scale_}; }
  bool framed() const { return !offset_.empty(); }
  std::int64_t clusters() const { return static_cast<std::int64_t>(sums_.size()) / width(); }

 private:
  std::int64_t width() const { return 2 * store_.columns(); }

  const Store<T>& store_;
  const double* weights_;
  std::int32_t* labels_;
  Metric metric_;
  Magic grid_;
  std::vector<T> offset_;
  T scale_ = 1;
  std::vector<std::int64_t> sums_;
};

// Parts of sums that several workers add to, one part each; worker 0 has the sums themselves.
class Parts {
 public:
  Parts(std::int64_t* sums, std::int64_t size, int threads) : sums_(sums), size_(size), parts_(threads) {}
  std::int64_t* of(int worker) {
    if (worker == 0) return sums_;
    if (parts_[worker].empty()) parts_[worker].assign(size_, 0);
    return parts_[worker].data();
  }
  void gather() {
    for (const auto& part : parts_) {
      for (std::size_t i = 0; i < part.size(); ++i) sums_[i] += part[i];
    }
  }

 private:
  std::int64_t* sums_;
  std::int64_t size_;
  std::vector<std::vector<std::int64_t>> parts_;
};

}  // namespace omnimeans
