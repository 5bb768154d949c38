#include "lent.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <string>

#include "assigner.hpp"
#include "numbers.hpp"
#include "pool.hpp"

namespace omnimeans {
namespace {

// Writes labels down, counted from the first row of a chunk.
struct Writer {
  std::int32_t* labels;
  bool all(std::int64_t first, const std::int32_t* now, int count) const {
    std::copy(now, now + count, labels + first);
    return true;
  }
  void one(std::int64_t i, std::int32_t label, float, float) const { labels[i] = label; }
  bool ranged() const { return false; }
};

}  // namespace

template <typename T>
void Lent<T>::load(std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t last,
                   T* out) const {
  if (where_.file) return load_from_file(begin, end, first, last, out);
  const Layout& x = layout_;
  copy_from(x.data, begin * x.row_step + first * x.column_step, x, end - begin, last - first, out);
}

// Whole rows are read; values of the type computed with need no copy.
template <typename T>
void Lent<T>::load_from_file(std::int64_t begin, std::int64_t end, std::int64_t first,
                             std::int64_t last, T* out) const {
  const Layout& x = layout_;
  const std::int64_t size = size_of(x.number), rows = end - begin;
  const std::int64_t bytes = ((rows - 1) * x.row_step + this->d) * size;
  const bool ready = x.number == number_for<T> && last - first == this->d &&
                     (x.row_step == this->d || rows == 1);
  thread_local std::vector<std::byte> raw;
  if (!ready) raw.resize(static_cast<std::size_t>(bytes));
  void* to = ready ? static_cast<void*>(out) : raw.data();
  const std::int64_t got = where_.file->read(where_.offset + begin * x.row_step * size, bytes, to);
  if (got < bytes) {
    const double rest = static_cast<double>(where_.file->size() - where_.offset);
    const auto row = where_.first + static_cast<std::int64_t>(std::floor(rest / (x.row_step * size)));
    throw std::invalid_argument(where_.ends_early.before + std::to_string(row) +
                                where_.ends_early.after);
  }
  if (!ready) copy_from(raw.data(), first, x, rows, last - first, out);
}

template <typename T>
bool Lent<T>::finite(int threads) const {
  std::atomic<bool> all{true};
  each_chunk(1, threads, [&](int, std::int64_t, std::int64_t rows, const T* x) {
    bool bad = false;
    for (std::int64_t i = 0; i < rows * this->d; ++i) bad |= !(std::abs(x[i]) <= kLargest<T>);
    if (bad) all = false;
  });
  return all;
}

template <typename T>
template <class Body>
void Lent<T>::each_chunk(std::int64_t k, int threads, Body&& body) const {
  const Matrix<T> shape{nullptr, this->n, this->d, this->d};
  const std::int64_t rows = rows_per_chunk(shape, k, threads);
  std::vector<std::unique_ptr<T[]>> buffers(threads);
  finish(parallel(this->n, rows, threads, [&](int worker, std::int64_t begin, std::int64_t end) {
    auto& buffer = buffers[worker];
    if (!buffer) {
      buffer = std::make_unique_for_overwrite<T[]>(std::min(rows, this->n) * this->d);
    }
    load(begin, end, 0, this->d, buffer.get());
    body(worker, begin, end - begin, buffer.get());
  }));
}

template <typename T>
void Lent<T>::take(const std::int64_t* numbers, std::int64_t count, T* out) const {
  for (std::int64_t m = 0; m < count; ++m) {
    load(numbers[m], numbers[m] + 1, 0, this->d, out + m * this->d);
  }
}

template <typename T>
std::vector<double> Lent<T>::peaks(const double* weights, int threads) const {
  std::vector<std::vector<double>> parts(threads);
  each_chunk(1, threads, [&](int worker, std::int64_t begin, std::int64_t rows, const T* x) {
    parts[worker].resize(this->d + 1);
    for (std::int64_t i = 0; i < rows; ++i) {
      exact_for<T>().peaks(x + i * this->d, weights ? weights[begin + i] : 1.0, this->d,
                           parts[worker].data());
    }
  });
  std::vector<double> all(this->d + 1);
  for (const auto& part : parts) {
    for (std::size_t f = 0; f < part.size(); ++f) all[f] = std::max(all[f], part[f]);
  }
  return all;
}

template <typename T>
template <class Then>
std::int64_t Lent<T>::label(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                            std::int32_t* labels, int threads, Then&& then) const {
  const Screen screen = screen_of(centers, k, this->d, metric, frame);
  struct Worker {
    Matrix<T> x;
    Writer sink;
    Assigner<T, Writer> assigner;
    Worker(const T* centers, const Screen& screen, Frame<T> frame, std::int64_t d)
        : x{nullptr, 0, d, d}, sink{nullptr}, assigner(x, centers, screen, frame, sink) {}
  };
  std::vector<std::unique_ptr<Worker>> workers(threads);
  each_chunk(k, threads, [&](int id, std::int64_t begin, std::int64_t rows, const T* x) {
    auto& worker = workers[id];
    if (!worker) worker = std::make_unique<Worker>(centers, screen, frame, this->d);
    worker->x.data = x;
    worker->x.n = rows;
    worker->sink.labels = labels + begin;
    worker->assigner.assign({0, rows});
    worker->assigner.decide();  // before the buffer holds other rows
    then(id, begin, rows, x);
  });
  std::int64_t decided = 0;
  for (const auto& worker : workers) decided += worker ? worker->assigner.decided() : 0;
  return decided;
}

template <typename T>
std::int64_t Lent<T>::assign(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                             std::int32_t* labels, int threads) const {
  return label(centers, k, metric, frame, labels, threads, [](auto...) {});
}

template <typename T>
std::int64_t Lent<T>::step(const T* centers, std::int64_t k, Metric metric, Frame<T> frame,
                           const double* weights, const Magic& grid, const std::int32_t* before,
                           std::int32_t* after, std::int64_t* sums, int threads) const {
  const std::int64_t d = this->d, width = 2 * grid.columns();
  Parts parts(sums, k * width, threads);
  const std::int64_t decided = label(
      centers, k, metric, frame, after, threads,
      [&](int worker, std::int64_t begin, std::int64_t rows, const T* x) {
        std::int64_t* to = parts.of(worker);
        for (std::int64_t i = 0; i < rows; ++i) {
          const std::int32_t old = before[begin + i], now = after[begin + i];
          if (old == now) continue;
          exact_for<T>().move(x + i * d, weights ? weights[begin + i] : 1.0, grid,
                              old < 0 ? nullptr : to + old * width, to + now * width);
        }
      });
  parts.gather();
  return decided;
}

template <typename T>
void Lent<T>::distances(const T* centers, const std::int32_t* labels, Metric metric, double* out,
                        int threads) const {
  const std::int64_t d = this->d;
  each_chunk(1, threads, [&](int, std::int64_t begin, std::int64_t rows, const T* x) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const T* center = centers + (labels ? labels[begin + i] * d : 0);
      exact_for<T>().distances(x + i * d, center, 1, d, d, metric, out + begin + i);
    }
  });
}

template <typename T>
void Lent<T>::all_pairs(const T* centers, std::int64_t k, Metric metric, double* out,
                        int threads) const {
  const std::int64_t d = this->d;
  each_chunk(k, threads, [&](int, std::int64_t begin, std::int64_t rows, const T* x) {
    for (std::int64_t i = 0; i < rows; ++i) {
      exact_for<T>().distances(x + i * d, centers, k, d, d, metric, out + (begin + i) * k);
    }
  });
}

template <typename T>
void Lent<T>::shift(const double* weights, const Magic& grid, const std::int32_t* before,
                    const std::int32_t* after, std::int64_t k, std::int64_t* sums,
                    int threads) const {
  const std::int64_t d = this->d, width = 2 * grid.columns();
  Parts parts(sums, k * width, threads);
  const Matrix<T> shape{nullptr, this->n, d, d};
  const std::int64_t some = rows_per_chunk(shape, 1, threads);
  std::vector<std::unique_ptr<T[]>> buffers(threads);
  const bool whole = parallel(
      this->n, some, threads, [&](int worker, std::int64_t begin, std::int64_t end) {
        std::int64_t moved = 0;
        for (std::int64_t i = begin; i < end; ++i) moved += !before || before[i] != after[i];
        if (moved == 0) return;
        auto& buffer = buffers[worker];
        if (!buffer) buffer = std::make_unique_for_overwrite<T[]>(std::min(some, this->n) * d);
        const bool few = 8 * moved < end - begin;  // not worth bringing all of them
        if (!few) load(begin, end, 0, d, buffer.get());
        std::int64_t* to = parts.of(worker);
        for (std::int64_t i = begin; i < end; ++i) {
          if (before && before[i] == after[i]) continue;
          if (few) load(i, i + 1, 0, d, buffer.get());
          const std::int32_t old = before ? before[i] : -1;
          exact_for<T>().move(buffer.get() + (few ? 0 : (i - begin) * d),
                              weights ? weights[i] : 1.0, grid,
                              old < 0 ? nullptr : to + old * width, to + after[i] * width);
        }
      });
  parts.gather();
  finish(whole);
}

// Some columns at a time, as plain rows of their own.
template <typename T>
void Lent<T>::medians(const double* weights, const Magic& grid, const std::int32_t* labels,
                      std::int64_t k, double* out, int threads) const {
  const std::int64_t n = this->n, d = this->d;
  const std::int64_t strip = std::clamp<std::int64_t>((std::int64_t{1} << 21) / n, 1, d);
  const auto values = std::make_unique_for_overwrite<T[]>(n * strip);
  std::vector<double> found(k * strip);
  std::vector<std::int32_t> kept(labels, labels + n);
  for (std::int64_t first = 0; first < d; first += strip) {
    const std::int64_t columns = std::min(strip, d - first);
    finish(parallel(n, 1024, threads, [&](int, std::int64_t begin, std::int64_t end) {
      load(begin, end, first, first + columns, values.get() + begin * columns);
    }));
    std::vector<std::int64_t> exponents(grid.exponents.begin() + first,
                                        grid.exponents.begin() + first + columns);
    exponents.push_back(grid.exponents.back());
    Rows<T> rows({values.get(), n, columns, columns}, weights, kept.data(),
                 Metric::manhattan, Magic(exponents.data(), columns + 1, grid.bits));
    rows.medians(k, found.data(), threads);
    for (std::int64_t j = 0; j < k; ++j) {
      std::copy_n(found.data() + j * columns, columns, out + j * d + first);
    }
  }
}

template <typename T>
void Lent<T>::winners(const T* candidates, std::int64_t count, Metric metric, Frame<T> frame,
                      const double* closest, int threads, const Won& won) const {
  Screen screen;
  const std::int64_t d = this->d;
  screen_for<T>().prepare(screen, candidates, count, d, metric, frame);
  const double scale = metric == Metric::euclidean ? static_cast<double>(frame.scale) * frame.scale
                                                   : static_cast<double>(frame.scale);
  struct Tile {
    const T* rows[kMaxTile];
    std::int64_t first;
    int worker;
    const T* candidates;
    std::int64_t d;
    Metric metric;
    const double* closest;
    const Won& won;
    void meet(std::int32_t j, std::uint64_t met) const {
      for (; met; met &= met - 1) {
        const int i = std::countr_zero(met);
        double away;
        exact_for<T>().distances(rows[i], candidates + j * d, 1, d, d, metric, &away);
        if (away < closest[first + i]) won(worker, first + i, j, away);
      }
    }
  };
  std::vector<std::unique_ptr<float[]>> spaces(threads);
  each_chunk(count, threads, [&](int worker, std::int64_t begin, std::int64_t rows, const T* x) {
    auto& space = spaces[worker];
    if (!space) space = std::make_unique_for_overwrite<float[]>(screen.floats);
    Tile tile{{}, 0, worker, candidates, d, metric, closest, won};
    float limits[kMaxTile], threshold[kMaxTile];
    for (std::int64_t first = 0; first < rows; first += screen.tile) {
      const int some = static_cast<int>(std::min<std::int64_t>(screen.tile, rows - first));
      for (int i = 0; i < screen.tile; ++i) {
        const std::int64_t row = first + (i < some ? i : 0);
        tile.rows[i] = x + row * d;
        limits[i] = static_cast<float>(closest[begin + row] * scale);
      }
      tile.first = begin + first;
      screen_for<T>().pack(screen, tile.rows, frame, space.get());
      kernels().reach(screen, space.get(), limits, threshold);
      kernels().candidates(
          screen, space.get(), nullptr, threshold, ~std::uint64_t{0} >> (64 - some),
          [](void* context, std::int32_t j, std::uint64_t met) {
            static_cast<const Tile*>(context)->meet(j, met);
          },
          &tile);
    }
  });
}

template class Lent<float>;
template class Lent<double>;

}  // namespace omnimeans
