// The pass of a fit: rows that may have changed find their nearest centre, rows that moved change
// the sums.  Which screen looks at them, and whether bounds spare rows the look, never shows in the
// result; it is settled by measurement.
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "pool.hpp"
#include "store.hpp"
#include "tree.hpp"
#include "worker.hpp"

namespace omnimeans {

// What a fit keeps from one pass to the next.
template <typename T>
struct Rows<T>::Memory {
  std::optional<Bounds<T>> bounds;
  std::optional<Codes> codes;
  std::optional<Tree<T>> tree;
  Race race;
  int nap = 0, next_nap = 1;  // passes without bounds, now and after the next failure

  // Whether this pass shall use bounds.  Where they spare few rows they are left out for a while,
  // each time for longer.
  bool rested(bool fresh) {
    if (fresh) nap = 0, next_nap = 1;
    return nap == 0 || --nap == 0;
  }
  void judge(std::int64_t spared, std::int64_t rows) {
    if (4 * spared > rows) {
      next_nap = 1;
    } else {
      nap = next_nap;
      next_nap = std::min(2 * next_nap, 8);
      bounds.reset();
    }
  }
};

template <typename T>
Rows<T>::Rows(Matrix<T> x, const double* weights, std::int32_t* labels, Metric metric, Magic grid)
    : x_(x), weights_(weights), labels_(labels), metric_(metric), grid_(std::move(grid)),
      memory_(std::make_unique<Memory>()) {}
template <typename T>
Rows<T>::Rows(Rows&&) noexcept = default;
template <typename T>
Rows<T>::~Rows() = default;

template <typename T>
void Rows<T>::encode(int threads) {
  memory_->codes.emplace(x_.n, x_.d);
  Codes& codes = *memory_->codes;
  std::vector<float> residuals(threads, 0.0f);
  const float floor = static_cast<float>(typical_ * 0x1p-30);
  finish(parallel(x_.n, rows_per_chunk(x_, 1, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    std::vector<float> work(x_.d);
                    residuals[worker] = std::max(
                        residuals[worker], codes_for<T>().encode(x_.data, x_.stride, begin, end,
                                                                 frame(), floor, codes, work.data()));
                  }));
  codes.residual = *std::max_element(residuals.begin(), residuals.end());
}

template <typename T>
Counts Rows<T>::step(const T* centers, std::int64_t k, int threads, Way way) {
  const bool fresh = labels_[0] < 0 || static_cast<std::int64_t>(sums_.size()) != k * width();
  if (fresh) {
    sums_.assign(k * width(), 0);
    std::fill(labels_, labels_ + x_.n, -1);
  }
  // Bounds do not outlast a pass that knows nothing of them, nor do the owners of boxes.
  if (way.tree && x_.d <= kMaxTreeFeatures) {
    memory_->bounds.reset();
    return walk(centers, k, threads, fresh);
  }
  if (memory_->tree) memory_->tree->forget();
  return sweep(centers, k, threads, fresh, way);
}

template <typename T>
Counts Rows<T>::walk(const T* centers, std::int64_t k, int threads, bool fresh) {
  auto& tree = memory_->tree;
  if (!tree) tree.emplace(x_, metric_, threads);
  if (fresh) tree->forget();
  Counts total;
  Parts sums(sums_.data(), static_cast<std::int64_t>(sums_.size()), threads);
  std::vector<std::optional<Mover<T>>> movers(threads);
  const bool whole = tree->assign(
      centers, k, fresh, threads, total.compared,
      [&](int worker, std::int64_t i, std::int32_t label, const T* row) {
        auto& mover = movers[worker];
        if (!mover) mover.emplace(Mover<T>{x_, weights_, grid_, labels_, sums.of(worker), nullptr});
        mover->put(i, label, row);
      });
  for (const auto& mover : movers) total.moved += mover ? mover->moved : 0;
  sums.gather();
  finish(whole);
  return total;
}

template <typename T>
Counts Rows<T>::sweep(const T* centers, std::int64_t k, int threads, bool fresh, Way way) {
  const Frame<T> frame = this->frame();
  const Screen screen = screen_of(centers, k, x_.d, metric_, frame);

  auto& bounds = memory_->bounds;
  bool unbounded = fresh || !bounds;  // no bounds from an earlier pass
  // A copy of a centre is not looked at, so what is found would not bound the distance from it.
  const bool copies = std::any_of(screen.start.begin(), screen.start.begin() + k,
                                  [](float start) { return std::isinf(start); });
  if (!way.bounded || copies || !memory_->rested(fresh)) {
    bounds.reset();
  } else {
    if (!bounds) bounds.emplace();
    unbounded = bounds->meet(centers, k, x_, metric_, frame.scale, unbounded);
  }

  std::optional<CodedCenters> coded;
  // Eight bits have no word for underflow, which a frame of ordinary size keeps away.
  const bool codable = code_screen() && metric_ == Metric::euclidean && x_.d <= kMaxCoded &&
                       typical_ > 0x1p-40 && typical_ < 0x1p40;
  if (way.screening != Screening::tiles && codable) {
    if (!memory_->codes) encode(threads);
    coded.emplace(k, x_.d);
    const std::int64_t some = std::max<std::int64_t>((1 << 14) / x_.d, k / threads);
    finish(parallel(k, some, threads, [&](int, std::int64_t begin, std::int64_t end) {
      std::vector<float> work(x_.d);
      codes_for<T>().prepare(*coded, centers, begin, end, frame, *memory_->codes, work.data());
    }));
    coded->measure();
    for (std::int64_t j = 0; j < k; ++j) {  // copies of other centres
      const bool far = std::isinf(coded->base[j]);  // its start is not that of a copy
      if (!far && std::isinf(screen.start[j])) coded->start[j] = screen.start[j];
    }
  }

  const std::int64_t grain = rows_per_chunk(x_, k, threads);
  const typename Worker<T>::Task task{
      x_, centers, screen, frame, bounds ? &*bounds : nullptr, unbounded,
      coded ? &*memory_->codes : nullptr, coded ? &*coded : nullptr,
      way.packed ? tiles(screen) : nullptr, way.screening,
      std::max<std::int64_t>(grain, 8 * kMaxTile)};
  Counts total;
  Parts sums(sums_.data(), static_cast<std::int64_t>(sums_.size()), threads);
  std::vector<std::unique_ptr<Worker<T>>> crew(threads);
  const bool whole = parallel(
      x_.n, grain, threads,
      [&](int id, std::int64_t begin, std::int64_t end) {
        auto& worker = crew[id];
        if (!worker) {
          const Mover<T> mover{x_, weights_, grid_, labels_, sums.of(id), task.bounds};
          worker = std::make_unique<Worker<T>>(task, mover, memory_->race);
        }
        worker->serve(begin, end);
      },
      [&](int id) {
        if (crew[id]) crew[id]->finish();
      });
  for (const auto& worker : crew) {
    if (!worker) continue;
    total.moved += worker->moved();
    total.redecided += worker->decided();
    total.tiled += worker->looked()[0];
    total.coded += worker->looked()[1];
    memory_->race = worker->race();
  }
  sums.gather();
  total.compared = (total.tiled + total.coded) * k;
  if (bounds && !unbounded) memory_->judge(x_.n - total.tiled - total.coded, x_.n);
  finish(whole);
  return total;
}

template <typename T>
bool Rows<T>::bounds(double* lower, double* upper) const {
  if (memory_->bounds) memory_->bounds->show(labels_, x_.n, lower, upper);
  return memory_->bounds.has_value();
}

template <typename T>
void Rows<T>::resume(std::int64_t k) {
  sums_.assign(k * width(), 0);
  memory_->bounds.reset();
  if (memory_->tree) memory_->tree->forget();
}

template <typename T>
void Rows<T>::relabel(const std::int64_t* numbers, std::int64_t count, std::int32_t cluster) {
  const std::int64_t width = this->width();
  for (std::int64_t m = 0; m < count; ++m) {
    const std::int64_t i = numbers[m];
    exact_for<T>().move(x_.row(i), weight(i), grid_, sums_.data() + labels_[i] * width,
                        sums_.data() + cluster * width);
    labels_[i] = cluster;
    if (memory_->bounds) memory_->bounds->forget(i);
  }
  if (memory_->tree) memory_->tree->forget();
}

template class Rows<float>;
template class Rows<double>;

}  // namespace omnimeans
