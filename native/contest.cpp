// One round of k-means++: which of a few candidates takes most off all shares?
//
// Measuring by D every row that a candidate would win takes longer than all else in a round.  The
// screen's scores tell by how much each row gains, with an error that is known; summed up over the
// rows, with the error, they nearly always tell the best candidate from the others, and only its own
// rows are measured.  Candidates that are too close to be told apart are measured, all of them: the
// choice is the one that D would make.  It is for rows that are few enough to be kept as packed tiles;
// of more rows, the lists that `find` leaves behind spare more looks.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "pool.hpp"
#include "seeding.hpp"

namespace omnimeans {

template <typename T>
struct RowsSeeding<T>::Contest {
  RowsSeeding& self;
  Screen screen;
  std::int64_t tiles = 0;
  std::vector<std::uint64_t> winners;  // (tiles, count) a bit for each row that a candidate may win
  std::vector<double> gains;           // (count,) never too small
  double slack = 0;                    // and too large by no more

  explicit Contest(RowsSeeding& seeding) : self(seeding) {
    const Matrix<T>& x = self.rows_.matrix();
    screen_for<T>().prepare(screen, self.candidates_.data(), self.count_, x.d,
                            self.rows_.metric(), self.rows_.frame());
    tiles = (x.n + screen.tile - 1) / screen.tile;
  }

  // Runs act(worker, tile) for all tiles.
  template <class Act>
  void each_tile(Act&& act) const {
    const std::int64_t rows =
        rows_per_chunk(self.rows_.matrix(), self.count_, self.threads_);
    finish(parallel(tiles, std::max<std::int64_t>(1, rows / screen.tile), self.threads_,
                    [&](int worker, std::int64_t begin, std::int64_t end) {
                      for (std::int64_t tile = begin; tile < end; ++tile) act(worker, tile);
                    }));
  }

  struct Worker {
    std::vector<double> gains;
    double slack = 0;
  };

  void screen_rows(const float* packed) {
    const Matrix<T>& x = self.rows_.matrix();
    const Frame<T> frame = self.rows_.frame();
    const double scale = self.rows_.metric() == Metric::euclidean
                             ? static_cast<double>(frame.scale) * frame.scale
                             : static_cast<double>(frame.scale);
    const double heaviest =
        self.weights_ ? *std::max_element(self.weights_, self.weights_ + x.n) : 1.0;
    std::vector<Worker> workers(self.threads_);
    winners.resize(tiles * self.count_);
    each_tile([&](int worker, std::int64_t number) {
      auto& [sums, margins] = workers[worker];
      sums.resize(self.count_);
      const std::int64_t first = number * screen.tile;
      float limits[kMaxTile], weights[kMaxTile];
      for (int i = 0; i < screen.tile; ++i) {
        const bool there = first + i < x.n;
        const std::int64_t row = there ? first + i : first;
        limits[i] = static_cast<float>(self.closest_[row] * scale);
        weights[i] = !there           ? 0.0f
                     : self.weights_ ? static_cast<float>(self.weights_[row] / heaviest)
                                      : 1.0f;
      }
      float* tile = const_cast<float*>(packed) + first * (x.d + 1);
      kernels().weigh(screen, tile, limits, weights, sums.data(), &margins,
                      winners.data() + number * self.count_);
    });
    gains.assign(self.count_, 0.0);
    for (const Worker& worker : workers) {
      slack += worker.slack;
      for (std::size_t j = 0; j < worker.gains.size(); ++j) gains[j] += worker.gains[j];
    }
    // Shares are whole steps, and a row's gain is the difference of two; weights, scores and sums of
    // a tile are rounded.
    const double most = *std::max_element(gains.begin(), gains.end());
    const double step = std::ldexp(self.magic_ / 1.5, -52) / heaviest * scale;
    slack = slack * (1 + 0x1p-10) + most * 0x1p-16 + static_cast<double>(x.n) * (step + 0x1p-90);
    // A weight that is nothing beside the heaviest may be lost, whatever its row gains.
    const auto lost = [&](double weight) { return weight > 0 && weight < heaviest * 0x1p-100; };
    if (self.weights_ && std::any_of(self.weights_, self.weights_ + x.n, lost)) {
      slack = std::numeric_limits<double>::infinity();
    }
  }

  // act(row, D) for each row that candidate j may win.
  template <class Act>
  void measure(std::int64_t j, Act&& act) const {
    const Matrix<T>& x = self.rows_.matrix();
    each_tile([&](int worker, std::int64_t number) {
      std::uint64_t rows = winners[number * self.count_ + j];
      const std::int64_t first = number * screen.tile, left = x.n - first;
      if (left < screen.tile) rows &= ~std::uint64_t{0} >> (64 - left);
      for (; rows; rows &= rows - 1) {
        const std::int64_t i = first + std::countr_zero(rows);
        double away;
        exact_for<T>().distances(x.row(i), self.candidates_.data() + j * x.d, 1, x.d, x.d,
                                 self.rows_.metric(), &away);
        if (away < self.closest_[i]) act(worker, i, away);
      }
    });
  }

  std::int64_t gain(std::int64_t j) const {
    std::vector<std::int64_t> gains_of(self.threads_);
    measure(j, [&](int worker, std::int64_t i, double away) {
      gains_of[worker] += self.gain(i, away);
    });
    std::int64_t sum = 0;
    for (const std::int64_t part : gains_of) sum += part;
    return sum;
  }

  // The first of those that gain most.
  std::int64_t best() const {
    const double least = *std::max_element(gains.begin(), gains.end()) - slack;
    std::vector<std::int64_t> close;
    for (std::int64_t j = 0; j < self.count_; ++j) {
      if (!(gains[j] < least)) close.push_back(j);  // or NaN
    }
    if (close.size() == 1) return close[0];
    std::int64_t best = -1, most = -1;
    for (const std::int64_t j : close) {
      const std::int64_t saved = gain(j);
      if (saved > most) best = j, most = saved;
    }
    return best;
  }
};

template <typename T>
std::int64_t RowsSeeding<T>::win() {
  Contest contest(*this);
  const float* packed = contest.screen.guarded ? nullptr : rows_.tiles(contest.screen);
  if (!packed) return -1;
  contest.screen_rows(packed);
  const std::int64_t best = contest.best();
  if (best < 0) return -1;  // sums that wrapped tell nothing
  contest.measure(best, [&](int, std::int64_t i, double away) { this->closest_[i] = away; });
  return best;
}

template std::int64_t RowsSeeding<float>::win();
template std::int64_t RowsSeeding<double>::win();

}  // namespace omnimeans
