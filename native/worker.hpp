// What one thread does with its rows in a pass of a fit: those that may have changed look for their
// nearest centre, through the screen that is faster here, and those that moved change the sums.
#pragma once

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <vector>

#include "assigner.hpp"
#include "bounds.hpp"
#include "code_assigner.hpp"
#include "rows.hpp"

namespace omnimeans {

// Keeps labels and sums together: a row that moves is taken out of one sum and added to another.
template <typename T>
struct Mover {
  const Matrix<T>& x;
  const double* weights;
  const Magic& grid;
  std::int32_t* labels;
  std::int64_t* sums;
  Bounds<T>* bounds;
  std::int64_t moved = 0;

  bool ranged() const { return bounds != nullptr; }
  bool all(std::int64_t first, const std::int32_t* now, int count) const {
    return !bounds && std::memcmp(labels + first, now, count * sizeof *now) == 0;
  }
  void one(std::int64_t i, std::int32_t label, float lower, float upper) {
    if (bounds) bounds->set(i, label, lower, upper);
    put(i, label, x.row(i));
  }
  void put(std::int64_t i, std::int32_t label, const T* row) {
    const std::int32_t before = labels[i];
    if (label == before) return;
    const std::int64_t width = 2 * grid.columns();
    labels[i] = label;
    ++moved;
    exact_for<T>().move(row, weights ? weights[i] : 1.0, grid,
                        before < 0 ? nullptr : sums + before * width, sums + label * width);
  }
};

// Nanoseconds that a row takes with each screen, smoothed over passes; 0 while unknown.
struct Race {
  std::array<double, 2> cost = {0, 0};

  void note(int screen, std::int64_t rows, double nanoseconds) {
    double& known = cost[screen];
    const double seen = nanoseconds / static_cast<double>(rows);
    known = known > 0 ? (known + seen) / 2 : seen;
  }
  int best() const { return cost[1] > 0 && cost[1] < cost[0] ? 1 : 0; }
};

template <typename T>
class Worker {
 public:
  struct Task {
    const Matrix<T>& x;
    const T* centers;
    const Screen& screen;
    Frame<T> frame;
    Bounds<T>* bounds;
    bool fresh;  // no bounds yet: every row survives
    const Codes* codes;
    const CodedCenters* coded;
    const float* packed;
    Screening screening;
    std::int64_t batch;  // rows looked at together, so that tiles are full
  };

  Worker(const Task& task, Mover<T> mover, Race race)
      : task_(task), mover_(mover), race_(race),
        tiles_(task.x, task.centers, task.screen, task.frame, mover_, task.packed) {
    if (task.coded) {
      coded_.emplace(task.x, task.centers, *task.codes, *task.coded, task.frame, mover_);
    }
    if (task.bounds) list_.resize(2 * task.batch);
  }

  void serve(std::int64_t begin, std::int64_t end) {
    if (!task_.bounds || task_.fresh) return look({begin, end - begin});
    for (std::int64_t first = begin; first < end; first += task_.batch) {
      std::int64_t* list = list_.data() + waiting_;
      const std::int64_t found = task_.bounds->survivors(mover_.labels, first,
                                                         std::min(end, first + task_.batch), list);
      waiting_ += measuring_pays() ? measure(list, found) : found;
      if (waiting_ >= task_.batch) flush();
    }
  }
  void finish() {
    flush();
    tiles_.decide();
  }

  std::int64_t moved() const { return mover_.moved; }
  std::int64_t decided() const { return tiles_.decided() + (coded_ ? coded_->decided() : 0); }
  const std::array<std::int64_t, 2>& looked() const { return looked_; }
  const Race& race() const { return race_; }

 private:
  void flush() {
    if (waiting_ > 0) look({0, waiting_, list_.data()});
    waiting_ = 0;
  }

  // Rows that fail their bounds may be measured against their own centre before they are looked at.
  // It is tried on some rows of every pass, and goes on while it costs less than the looks it spares.
  bool measuring_pays() const {
    return measured_ < 4 * kMaxTile ||
           measuring_ < static_cast<double>(measured_ - kept_) * race_.cost[race_.best()];
  }
  std::int64_t measure(std::int64_t* list, std::int64_t count) {
    const auto start = Clock::now();
    const std::int64_t kept =
        task_.bounds->measured(task_.x, task_.centers, mover_.labels, list, count);
    measuring_ += std::chrono::duration<double, std::nano>(Clock::now() - start).count();
    measured_ += count;
    kept_ += kept;
    return kept;
  }

  // Each screen is tried once in a pass, the slower one first; the rest goes to the faster.
  void look(Chosen chosen) {
    int screen = task_.screening == Screening::codes && coded_;
    if (task_.screening == Screening::race && coded_) {
      screen = race_.best();
      if (looked_[1 - screen] == 0 && chosen.count >= kMaxTile) screen = 1 - screen;
    }
    const auto start = Clock::now();
    if (screen) {
      coded_->assign(chosen);
    } else {
      tiles_.assign(chosen);
    }
    looked_[screen] += chosen.count;
    if (chosen.count >= kMaxTile) {
      race_.note(screen, chosen.count,
                 std::chrono::duration<double, std::nano>(Clock::now() - start).count());
    }
  }

  using Clock = std::chrono::steady_clock;

  const Task& task_;
  Mover<T> mover_;
  Race race_;
  double measuring_ = 0;  // nanoseconds
  std::int64_t measured_ = 0, kept_ = 0;
  Assigner<T, Mover<T>> tiles_;
  std::optional<CodeAssigner<T, Mover<T>>> coded_;
  std::vector<std::int64_t> list_;
  std::int64_t waiting_ = 0;
  std::array<std::int64_t, 2> looked_ = {0, 0};
};

}  // namespace omnimeans
