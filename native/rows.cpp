// The pass: nearest centre by the screen, doubts by D, sums of the rows that moved.
#include "rows.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>

#include "pool.hpp"

namespace omnimeans {

std::int64_t chunk_rows = 0;

namespace {

// Finds nearest centres tile by tile and hands them to a sink: `sink.all(first, labels, count)` may
// take a whole tile at once and return true; else `sink.one(row, label)` is called for each row.
template <typename T, class Sink>
class Assigner {
 public:
  Assigner(const Matrix<T>& x, const T* centers, const Screen& screen, Frame<T> frame, Sink& sink)
      : x_(x), centers_(centers), screen_(screen), frame_(frame), sink_(sink),
        tile_(std::make_unique_for_overwrite<float[]>(screen.floats)) {}

  void assign(std::int64_t begin, std::int64_t end) {
    std::int32_t labels[kMaxTile];
    const T* rows[kMaxTile];
    for (std::int64_t first = begin; first < end; first += screen_.tile) {
      const int count = static_cast<int>(std::min<std::int64_t>(screen_.tile, end - first));
      for (int i = 0; i < count; ++i) rows[i] = x_.row(first + i);
      for (int i = count; i < screen_.tile; ++i) rows[i] = rows[0];
      screen_for<T>().pack(screen_, rows, frame_, tile_.get());
      const std::uint64_t doubt =
          kernels().propose(screen_, tile_.get(), x_.ahead(first + screen_.tile, screen_.tile, end),
                            labels, thresholds_);
      if (doubt == 0 && sink_.all(first, labels, count)) continue;
      for (int i = 0; i < count; ++i) {
        if (doubt >> i & 1) {
          doubts_[doubtful_] = first + i;
          doubt_thresholds_[doubtful_] = thresholds_[i];
          if (++doubtful_ == screen_.tile) decide();
        } else {
          sink_.one(first + i, labels[i]);
        }
      }
    }
  }

  // Decides the rows in doubt by D, among the centres that the screen could not rule out.
  void decide() {
    if (doubtful_ == 0) return;
    for (int i = 0; i < doubtful_; ++i) {
      doubt_rows_[i] = x_.row(doubts_[i]);
      closest_[i] = std::numeric_limits<double>::infinity();
      nearest_[i] = 0;
    }
    for (int i = doubtful_; i < screen_.tile; ++i) doubt_rows_[i] = doubt_rows_[0];
    const std::uint64_t all = ~std::uint64_t{0} >> (64 - doubtful_);
    screen_for<T>().pack(screen_, doubt_rows_, frame_, tile_.get());
    kernels().candidates(
        screen_, tile_.get(), nullptr, doubt_thresholds_, all,
        [](void* self, std::int32_t j, std::uint64_t rows) {
          static_cast<Assigner*>(self)->compare(j, rows);
        },
        this);
    for (int i = 0; i < doubtful_; ++i) sink_.one(doubts_[i], nearest_[i]);
    decided_ += doubtful_;
    doubtful_ = 0;
  }

  std::int64_t decided() const { return decided_; }

 private:
  void compare(std::int32_t j, std::uint64_t rows) {
    for (; rows; rows &= rows - 1) {
      const int i = std::countr_zero(rows);
      const double away = exact_for<T>().distance(doubt_rows_[i], centers_ + j * x_.d, x_.d,
                                                  screen_.metric);
      if (away < closest_[i]) closest_[i] = away, nearest_[i] = j;  // ties stay with the lowest
    }
  }

  const Matrix<T>& x_;
  const T* centers_;
  const Screen& screen_;
  Frame<T> frame_;
  Sink& sink_;
  std::unique_ptr<float[]> tile_;
  float thresholds_[kMaxTile], doubt_thresholds_[kMaxTile];
  std::int64_t doubts_[kMaxTile];
  const T* doubt_rows_[kMaxTile];
  double closest_[kMaxTile];
  std::int32_t nearest_[kMaxTile];
  int doubtful_ = 0;
  std::int64_t decided_ = 0;
};

// Prepares the centres, except those that are copies of earlier ones: ties go to the lowest label,
// so a copy can never win, but would leave every row near it in doubt.
template <typename T>
Screen screen_of(const T* centers, std::int64_t k, std::int64_t d, Metric metric, Frame<T> frame) {
  Screen screen;
  screen_for<T>().prepare(screen, centers, k, d, metric, frame);
  std::vector<std::int32_t> order(k);
  std::iota(order.begin(), order.end(), 0);
  const auto compare = [&](std::int32_t a, std::int32_t b) {
    return std::memcmp(centers + a * d, centers + b * d, d * sizeof(T));
  };
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    const int sign = compare(a, b);
    return sign ? sign < 0 : a < b;
  });
  for (std::int64_t i = 1; i < k; ++i) {
    if (compare(order[i - 1], order[i]) == 0) {
      screen.start[order[i]] = -std::numeric_limits<float>::infinity();
    }
  }
  return screen;
}

// Keeps labels and sums together: a row that moves is taken out of one sum and added to another.
template <typename T>
struct Mover {
  const Matrix<T>& x;
  const double* weights;
  const Magic& grid;
  std::int32_t* labels;
  std::int64_t* sums;
  std::int64_t moved = 0;

  bool all(std::int64_t first, const std::int32_t* now, int count) const {
    return std::memcmp(labels + first, now, count * sizeof *now) == 0;
  }
  void one(std::int64_t i, std::int32_t label) {
    const std::int32_t before = labels[i];
    if (label == before) return;
    const std::int64_t width = 2 * grid.columns();
    labels[i] = label;
    ++moved;
    exact_for<T>().move(x.row(i), weights ? weights[i] : 1.0, grid,
                        before < 0 ? nullptr : sums + before * width, sums + label * width);
  }
};

// Only writes the labels down.
struct Writer {
  std::int32_t* labels;

  bool all(std::int64_t first, const std::int32_t* now, int count) const {
    std::memcpy(labels + first, now, count * sizeof *now);
    return true;
  }
  void one(std::int64_t i, std::int32_t label) const { labels[i] = label; }
};

}  // namespace

template <typename T>
Counts Rows<T>::step(const T* centers, std::int64_t k, int threads) {
  const std::int64_t width = this->width();
  if (labels_[0] < 0 || static_cast<std::int64_t>(sums_.size()) != k * width) {
    sums_.assign(k * width, 0);
    std::fill(labels_, labels_ + x_.n, -1);
  }
  const Frame<T> frame = this->frame();
  const Screen screen = screen_of(centers, k, x_.d, metric_, frame);

  // Worker 0 adds to the sums themselves, the others to sums of their own.
  std::vector<std::vector<std::int64_t>> parts(threads);
  std::vector<Counts> counts(threads);
  const bool whole = parallel(
      x_.n, rows_per_chunk(x_, k, threads), threads,
      [&](int worker, std::int64_t begin, std::int64_t end) {
        if (worker > 0 && parts[worker].empty()) parts[worker].assign(k * width, 0);
        std::int64_t* sums = worker > 0 ? parts[worker].data() : sums_.data();
        Mover<T> mover{x_, weights_, grid_, labels_, sums};
        Assigner assigner(x_, centers, screen, frame, mover);
        assigner.assign(begin, end);
        assigner.decide();
        counts[worker].moved += mover.moved;
        counts[worker].redecided += assigner.decided();
      });
  Counts total;
  for (int worker = 0; worker < threads; ++worker) {
    total.moved += counts[worker].moved;
    total.redecided += counts[worker].redecided;
    for (std::size_t i = 0; i < parts[worker].size(); ++i) sums_[i] += parts[worker][i];
  }
  finish(whole);
  return total;
}

template <typename T>
void nearest(const Matrix<T>& x, const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
             std::int32_t* labels, int threads) {
  const Screen screen = screen_of(centers, k, x.d, metric, frame);
  finish(parallel(x.n, rows_per_chunk(x, k, threads), threads,
                  [&](int, std::int64_t begin, std::int64_t end) {
                    Writer writer{labels};
                    Assigner assigner(x, centers, screen, frame, writer);
                    assigner.assign(begin, end);
                    assigner.decide();
                  }));
}

template <typename T>
void Rows<T>::relabel(const std::int64_t* numbers, std::int64_t count, std::int32_t cluster) {
  const std::int64_t width = this->width();
  for (std::int64_t m = 0; m < count; ++m) {
    const std::int64_t i = numbers[m];
    exact_for<T>().move(x_.row(i), weight(i), grid_, sums_.data() + labels_[i] * width,
                        sums_.data() + cluster * width);
    labels_[i] = cluster;
  }
}

template <typename T>
std::vector<std::int64_t> Rows<T>::total(int threads) const {
  std::vector<std::vector<std::int64_t>> parts(threads);
  finish(parallel(x_.n, rows_per_chunk(x_, 1, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    parts[worker].resize(width());
                    for (std::int64_t i = begin; i < end; ++i) {
                      exact_for<T>().move(x_.row(i), weight(i), grid_, nullptr,
                                          parts[worker].data());
                    }
                  }));
  std::vector<std::int64_t> sum(width());
  for (const auto& part : parts) {
    for (std::size_t i = 0; i < part.size(); ++i) sum[i] += part[i];
  }
  return sum;
}

template <typename T>
void Rows<T>::distances(const T* centers, const std::int32_t* labels, double* out,
                        int threads) const {
  finish(parallel(x_.n, rows_per_chunk(x_, 1, threads), threads,
                  [&](int, std::int64_t begin, std::int64_t end) {
                    if (!labels) {
                      exact_for<T>().distances(centers, x_.row(begin), end - begin, x_.stride,
                                               x_.d, metric_, out + begin);
                      return;
                    }
                    for (std::int64_t i = begin; i < end; ++i) {
                      exact_for<T>().distances(x_.row(i), centers + labels[i] * x_.d, 1, x_.d,
                                               x_.d, metric_, out + i);
                    }
                  }));
}

template <typename T>
void all_pairs(const Matrix<T>& x, const T* centers, std::int64_t k, Metric metric, double* out,
               int threads) {
  finish(parallel(x.n, rows_per_chunk(x, k, threads), threads,
                  [&](int, std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      exact_for<T>().distances(x.row(i), centers, k, x.d, x.d, metric,
                                               out + i * k);
                    }
                  }));
}

template <typename T>
std::vector<double> peaks(const Matrix<T>& x, const double* weights, int threads) {
  std::vector<std::vector<double>> parts(threads);
  finish(parallel(x.n, rows_per_chunk(x, 1, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    parts[worker].resize(x.d + 1);
                    for (std::int64_t i = begin; i < end; ++i) {
                      exact_for<T>().peaks(x.row(i), weights ? weights[i] : 1.0, x.d,
                                           parts[worker].data());
                    }
                  }));
  std::vector<double> all(x.d + 1);
  for (const auto& part : parts) {
    for (std::size_t f = 0; f < part.size(); ++f) all[f] = std::max(all[f], part[f]);
  }
  return all;
}

#define OMNIMEANS_ROWS(T)                                                                       \
  template Counts Rows<T>::step(const T*, std::int64_t, int);                                   \
  template void Rows<T>::relabel(const std::int64_t*, std::int64_t, std::int32_t);              \
  template std::vector<std::int64_t> Rows<T>::total(int) const;                                 \
  template void Rows<T>::distances(const T*, const std::int32_t*, double*, int) const;          \
  template void nearest(const Matrix<T>&, const T*, std::int64_t, Metric, Frame<T>,             \
                        std::int32_t*, int);                                                    \
  template void all_pairs(const Matrix<T>&, const T*, std::int64_t, Metric, double*, int);      \
  template std::vector<double> peaks(const Matrix<T>&, const double*, int);
OMNIMEANS_ROWS(float)
OMNIMEANS_ROWS(double)

}  // namespace omnimeans
