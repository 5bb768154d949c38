// Assignment: the screen proposes, D decides what the screen leaves in doubt.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "duel.hpp"
#include "pool.hpp"
#include "rows.hpp"

namespace omnimeans {

// Some rows: all from `first` on, or those in a list.
struct Chosen {
  std::int64_t first, count;
  const std::int64_t* list = nullptr;
  std::int64_t operator[](std::int64_t m) const { return list ? list[m] : first + m; }
};

// Finds nearest centres tile by tile and hands them to a sink: `sink.all(first, labels, count)` may
// take a whole tile at once and return true; else `sink.one(row, label, lower, upper)` is called for
// each row.
template <typename T, class Sink>
class Assigner {
 public:
  // `packed` may hold all rows as tiles.
  Assigner(const Matrix<T>& x, const T* centers, const Screen& screen, Frame<T> frame, Sink& sink,
           const float* packed = nullptr)
      : x_(x), centers_(centers), screen_(screen), frame_(frame), sink_(sink), packed_(packed),
        tile_(std::make_unique_for_overwrite<float[]>(screen.floats)) {}

  void assign(Chosen chosen) {
    std::int32_t labels[kMaxTile];
    const T* rows[kMaxTile];
    Ranges* ranges = sink_.ranged() ? &ranges_ : nullptr;
    const bool packed = packed_ && !chosen.list && chosen.first % screen_.tile == 0;
    for (std::int64_t m = 0; m < chosen.count; m += screen_.tile) {
      const int count = static_cast<int>(std::min<std::int64_t>(screen_.tile, chosen.count - m));
      float* tile = tile_.get();
      if (packed) {
        tile = const_cast<float*>(packed_) + (chosen.first + m) * (screen_.d + 1);
      } else {
        if (chosen.list) {
          for (int i = 0; i < count; ++i) rows[i] = x_.row(chosen.list[m + i]);
        } else {
          const T* row = x_.row(chosen.first + m);
          for (int i = 0; i < count; ++i, row += x_.stride) rows[i] = row;
        }
        for (int i = count; i < screen_.tile; ++i) rows[i] = rows[0];
      }
      const void* ahead =
          chosen.list ? nullptr
                      : x_.ahead(chosen.first + m + screen_.tile, screen_.tile,
                                 chosen.first + chosen.count);
      const std::uint64_t doubt = screen_for<T>().propose(
          screen_, packed ? nullptr : rows, frame_, tile, packed ? nullptr : ahead, labels,
          thresholds_, ranges);
      if (doubt == 0 && !chosen.list && sink_.all(chosen.first + m, labels, count)) continue;
      for (int i = 0; i < count; ++i) {
        if (doubt >> i & 1) {
          doubts_[doubtful_] = chosen[m + i];
          doubt_thresholds_[doubtful_] = thresholds_[i];
          second_[doubtful_] = ranges ? ranges_.lower[i] : 0.0f;
          if (++doubtful_ == screen_.tile) decide();
        } else {
          sink_.one(chosen[m + i], labels[i], ranges_.lower[i], ranges_.upper[i]);
        }
      }
    }
  }

  // Decides the rows in doubt by D, among the centres that the screen could not rule out.
  void decide() {
    if (doubtful_ == 0) return;
    for (int i = 0; i < doubtful_; ++i) {
      doubt_rows_[i] = x_.row(doubts_[i]);
      duels_[i] = Duel();
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
    for (int i = 0; i < doubtful_; ++i) {
      const Duel& duel = duels_[i];
      sink_.one(doubts_[i], duel.nearest, duel.lower(second_[i], screen_.metric, frame_.scale),
                duel.upper(screen_.metric, frame_.scale));
    }
    decided_ += doubtful_;
    doubtful_ = 0;
  }

  std::int64_t decided() const { return decided_; }

 private:
  void compare(std::int32_t j, std::uint64_t rows) {
    for (; rows; rows &= rows - 1) {
      const int i = std::countr_zero(rows);
      duels_[i].meet(j, exact_for<T>().distance(doubt_rows_[i], centers_ + j * x_.d, x_.d,
                                                screen_.metric));
    }
  }

  const Matrix<T>& x_;
  const T* centers_;
  const Screen& screen_;
  Frame<T> frame_;
  Sink& sink_;
  const float* packed_;
  std::unique_ptr<float[]> tile_;
  Ranges ranges_;
  float thresholds_[kMaxTile], doubt_thresholds_[kMaxTile], second_[kMaxTile];
  std::int64_t doubts_[kMaxTile];
  const T* doubt_rows_[kMaxTile];
  Duel duels_[kMaxTile];
  int doubtful_ = 0;
  std::int64_t decided_ = 0;
};

// One assigner for each thread that gets any work.  Doubts are collected over all of a thread's rows,
// so that they fill whole tiles.
template <typename T, class Sink>
class Crew {
 public:
  struct Worker {
    Sink sink;
    Assigner<T, Sink> assigner;
    Worker(Sink made, const Matrix<T>& x, const T* centers, const Screen& screen, Frame<T> frame)
        : sink(made), assigner(x, centers, screen, frame, sink) {}
  };

  explicit Crew(int threads) : workers_(threads) {}

  template <class MakeSink>
  [[nodiscard]] bool assign(const Matrix<T>& x, const T* centers, const Screen& screen,
                            Frame<T> frame, MakeSink make_sink) {
    const int threads = static_cast<int>(workers_.size());
    return parallel(
        x.n, rows_per_chunk(x, screen.k, threads), threads,
        [&](int id, std::int64_t begin, std::int64_t end) {
          auto& worker = workers_[id];
          if (!worker) worker.emplace(make_sink(id), x, centers, screen, frame);
          worker->assigner.assign({begin, end - begin});
        },
        [&](int id) {
          if (workers_[id]) workers_[id]->assigner.decide();
        });
  }

  const std::optional<Worker>& at(int worker) const { return workers_[worker]; }

 private:
  std::vector<std::optional<Worker>> workers_;
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

}  // namespace omnimeans
