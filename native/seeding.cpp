#include "seeding.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include "pool.hpp"

namespace omnimeans {
namespace {

constexpr std::int64_t kBlock = 512;  // rows whose shares are summed up together

std::int64_t blocks_of(std::int64_t n) { return (n + kBlock - 1) / kBlock; }

}  // namespace

template <typename T>
Seeding<T>::Seeding(std::int64_t n, std::int64_t d, const double* weights, int threads)
    : n_(n), d_(d), weights_(weights), threads_(threads) {
  bits_ = std::min(50, 62 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n))));
  blocks_.resize(blocks_of(n));
  use_finest_steps();
  count_shares();
}

template <typename T>
double Seeding<T>::weighted(std::int64_t i) const {
  const double away = centers_ ? closest_[i] : 1.0;
  return weights_ ? away * weights_[i] : away;
}

template <typename T>
std::int64_t Seeding<T>::share_of(double value) const {
  return std::bit_cast<std::int64_t>(value + magic_) - std::bit_cast<std::int64_t>(magic_);
}

template <typename T>
std::int64_t Seeding<T>::gain(std::int64_t row, double away) const {
  return share(row) - share_of(weights_ ? away * weights_[row] : away);
}

// The largest share gets `bits_` bits, so that no sum overflows.
template <typename T>
void Seeding<T>::use_finest_steps() {
  std::vector<double> peaks(threads_);
  finish(parallel(static_cast<std::int64_t>(blocks_.size()), 64, threads_,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    double peak = peaks[worker];
                    const std::int64_t last = std::min(end * kBlock, n_);
                    for (std::int64_t i = begin * kBlock; i < last; ++i) {
                      peak = std::max(peak, weighted(i));
                    }
                    peaks[worker] = peak;
                  }));
  int exponent = 0;
  std::frexp(*std::max_element(peaks.begin(), peaks.end()), &exponent);
  magic_ = std::ldexp(1.5, std::max(exponent - bits_, -1000) + 52);
}

template <typename T>
void Seeding<T>::count_shares() {
  finish(parallel(static_cast<std::int64_t>(blocks_.size()), 64, threads_,
                  [&](int, std::int64_t begin, std::int64_t end) {
                    for (std::int64_t block = begin; block < end; ++block) {
                      std::int64_t sum = 0;
                      const std::int64_t last = std::min((block + 1) * kBlock, n_);
                      for (std::int64_t i = block * kBlock; i < last; ++i) sum += share(i);
                      blocks_[block] = sum;
                    }
                  }));
  total_ = 0;
  for (const std::int64_t sum : blocks_) total_ += sum;
}

template <typename T>
void Seeding<T>::draw(const std::uint64_t* tickets, std::int64_t count, std::int64_t* out) const {
  const std::int64_t n = n_;
  std::vector<std::int64_t> below(blocks_.size());  // shares of a block and of all before it
  std::int64_t sum = 0;
  for (std::size_t block = 0; block < below.size(); ++block) below[block] = sum += blocks_[block];
  for (std::int64_t t = 0; t < count; ++t) {
    const auto target =
        static_cast<std::int64_t>(static_cast<unsigned __int128>(tickets[t]) * total_ >> 64);
    // The first row with more than `target` shares up to and with its own; the last if none has.
    const std::int64_t block =
        std::upper_bound(below.begin(), below.end(), target) - below.begin();
    std::int64_t i = std::min(block * kBlock, n);
    std::int64_t seen = block ? below[block - 1] : 0;
    while (i < n && (seen += share(i)) <= target) ++i;
    out[t] = std::min(i, n - 1);
  }
}

template <typename T>
void Seeding<T>::closest(const std::int64_t* numbers, std::int64_t count, double* out) const {
  for (std::int64_t m = 0; m < count; ++m) {
    out[m] = centers_ ? closest_[numbers[m]] : std::numeric_limits<double>::infinity();
  }
}

template <typename T>
void Seeding<T>::meet(const T* candidates, std::int64_t count) {
  candidates_.assign(candidates, candidates + count * d_);
  count_ = count;
  gains_.assign(count, 0);  // the first centre is as good as any
  listed_ = false;
  current_ = true;
  if (centers_ > 0) list_winners();
}

template <typename T>
void Seeding<T>::list_winners() {
  found_.resize(threads_);
  // Lists of 4 bytes a row, or of 768 KiB where that is more; rows are numbered in 32 bits.
  const std::int64_t entries = n_ >> 32 ? 0 : std::max<std::int64_t>(n_ / 3, 1 << 16);
  std::vector<Finder> finders;
  finders.reserve(threads_);
  for (auto& lists : found_) {
    lists.resize(std::max<std::size_t>(lists.size(), count_));
    for (auto& list : lists) list.clear();
    finders.push_back({*this, lists, std::vector<std::int64_t>(count_), entries / threads_});
  }
  find(finders);
  listed_ = true;
  std::fill(gains_.begin(), gains_.end(), 0);
  for (const Finder& finder : finders) {
    listed_ = listed_ && finder.room >= 0;
    for (std::int64_t j = 0; j < count_; ++j) gains_[j] += finder.gains[j];
  }
}

template <typename T>
void Seeding<T>::worth(const std::int64_t* which, std::int64_t count, std::int64_t* out) {
  if (!current_ && !listed_) {
    list_winners();
    current_ = true;
  }
  for (std::int64_t m = 0; m < count; ++m) {
    out[m] = current_ ? gains_[which[m]] : 0;
    if (current_) continue;
    for (const auto& lists : found_) {
      for (const Nearer& it : lists[which[m]]) {
        if (it.distance() < closest_[it.row]) out[m] += gain(it.row, it.distance());
      }
    }
  }
}

template <typename T>
void Seeding<T>::adopt(std::int64_t which) {
  const bool first = centers_ == 0;
  if (listed_) {
    for (const auto& lists : found_) {
      for (const Nearer& it : lists[which]) {
        if (it.distance() >= closest_[it.row]) continue;
        const std::int64_t before = share(it.row);
        closest_[it.row] = it.distance();
        const std::int64_t change = share(it.row) - before;
        blocks_[it.row / kBlock] += change;
        total_ += change;
      }
    }
  } else {
    if (first) closest_.assign(n_, std::numeric_limits<double>::infinity());
    measure(candidates_.data() + which * columns());
  }
  has_adopted(listed_);
}

// Brings the shares up to date with closest_, unless they have been `counted`.
template <typename T>
void Seeding<T>::has_adopted(bool counted) {
  const bool first = ++centers_ == 1;
  current_ = false;
  if (!counted && !first) count_shares();
  if (first || total_ < std::int64_t{1} << (bits_ - 10)) {  // the steps have become too coarse
    use_finest_steps();
    count_shares();
  }
}

// Measures the rows of a tile that may belong to a candidate.
template <typename T>
struct RowsSeeding<T>::Met {
  const RowsSeeding& self;
  Finder& finder;
  std::int64_t first = 0;

  void meet(std::int32_t j, std::uint64_t rows) {
    const Matrix<T>& x = self.rows_.matrix();
    for (; rows; rows &= rows - 1) {
      const std::int64_t i = first + std::countr_zero(rows);
      double away;
      exact_for<T>().distances(x.row(i), self.candidates_.data() + j * x.d, 1, x.d, x.d,
                               self.rows_.metric(), &away);
      if (away < self.closest_[i]) finder.note(i, j, away);
    }
  }
};

template <typename T>
void RowsSeeding<T>::find(std::vector<Finder>& finders) {
  const Matrix<T>& x = rows_.matrix();
  const int threads = this->threads_;
  Screen screen;
  const Frame<T> frame = rows_.frame();
  screen_for<T>().prepare(screen, this->candidates_.data(), this->count_, x.d, rows_.metric(),
                          frame);
  const double scale = rows_.metric() == Metric::euclidean
                           ? static_cast<double>(frame.scale) * frame.scale
                           : static_cast<double>(frame.scale);
  std::vector<std::unique_ptr<float[]>> tiles(threads);
  const std::int64_t grain = rows_per_chunk(x, this->count_, threads);
  finish(parallel(x.n, grain, threads, [&](int worker, std::int64_t begin, std::int64_t end) {
    if (!tiles[worker]) tiles[worker] = std::make_unique_for_overwrite<float[]>(screen.floats);
    float* tile = tiles[worker].get();
    Met met{*this, finders[worker]};
    const T* rows[kMaxTile];
    float limits[kMaxTile], threshold[kMaxTile];
    for (std::int64_t first = begin; first < end; first += screen.tile) {
      const int count = static_cast<int>(std::min<std::int64_t>(screen.tile, end - first));
      for (int i = 0; i < screen.tile; ++i) {
        const std::int64_t row = first + (i < count ? i : 0);
        rows[i] = x.row(row);
        limits[i] = static_cast<float>(this->closest_[row] * scale);
      }
      screen_for<T>().pack(screen, rows, frame, tile);
      kernels().reach(screen, tile, limits, threshold);
      met.first = first;
      kernels().candidates(
          screen, tile, x.ahead(first + screen.tile, screen.tile, end), threshold,
          ~std::uint64_t{0} >> (64 - count),
          [](void* context, std::int32_t j, std::uint64_t rows) {
            static_cast<Met*>(context)->meet(j, rows);
          },
          &met);
    }
  }));
}

template <typename T>
void RowsSeeding<T>::measure(const T* center) {
  const Matrix<T>& x = rows_.matrix();
  finish(parallel(
      x.n, 4 * kBlock, this->threads_, [&](int, std::int64_t begin, std::int64_t end) {
        double away[kBlock];
        for (std::int64_t first = begin; first < end; first += kBlock) {
          const std::int64_t rows = std::min(kBlock, end - first);
          exact_for<T>().distances(center, x.row(first), rows, x.stride, x.d, rows_.metric(),
                                   away);
          for (std::int64_t i = 0; i < rows; ++i) {
            this->closest_[first + i] = std::min(this->closest_[first + i], away[i]);
          }
        }
      }));
}

template <typename T>
bool RowsSeeding<T>::take(const std::int64_t* numbers, std::int64_t count, T* out) const {
  const Matrix<T>& x = rows_.matrix();
  for (std::int64_t m = 0; m < count; ++m) std::copy_n(x.row(numbers[m]), x.d, out + m * x.d);
  return true;
}

template <typename T>
std::vector<std::int64_t> Seeding<T>::play(const std::uint64_t* tickets, const double* luck,
                                           std::int64_t count, std::int64_t trials,
                                           std::int64_t rounds) {
  std::vector<std::int64_t> pool(count), chosen, round, gains;
  std::vector<double> before(count), now(count);
  std::vector<T> values(count * d_);
  draw(tickets, count, pool.data());
  closest(pool.data(), count, before.data());
  if (!take(pool.data(), count, values.data())) {
    throw std::invalid_argument("these rows cannot be taken out");
  }
  // In a round of its own nothing has shrunk meanwhile: every candidate is fair.
  if (rounds == 1 && count == trials && centers_ > 0) {
    candidates_ = values;
    count_ = count;
    if (const std::int64_t best = win(); best >= 0) {
      has_adopted(false);
      return {pool[best]};
    }
  }
  meet(values.data(), count);
  std::int64_t used = 0;
  while (static_cast<std::int64_t>(chosen.size()) < rounds) {
    const bool first = centers_ == 0;  // then every candidate is fair, and there may be fewer
    closest(pool.data(), count, now.data());
    round.clear();
    for (std::int64_t m = used; m < count && static_cast<std::int64_t>(round.size()) < trials; ++m) {
      if (first || luck[m] * before[m] <= now[m]) round.push_back(m);
    }
    if (!first && static_cast<std::int64_t>(round.size()) < trials) break;
    gains.resize(round.size());
    worth(round.data(), static_cast<std::int64_t>(round.size()), gains.data());
    const std::int64_t best =
        round[std::max_element(gains.begin(), gains.end()) - gains.begin()];
    adopt(best);
    chosen.push_back(pool[best]);
    used = round.back() + 1;
  }
  return chosen;
}

template <typename T>
std::vector<std::int64_t> Seeding<T>::play_each(const std::uint64_t* bits, std::int64_t count,
                                                std::int64_t trials, std::int64_t k) {
  std::vector<std::int64_t> chosen;
  std::vector<double> luck(trials);
  while (static_cast<std::int64_t>(chosen.size()) < k) {
    const std::int64_t drawn = centers_ ? trials : 1;
    if (count < 2 * drawn) break;
    for (std::int64_t m = 0; m < drawn; ++m) {
      luck[m] = static_cast<double>(bits[drawn + m] >> 11) * 0x1p-53;
    }
    for (const std::int64_t row : play(bits, luck.data(), drawn, trials, 1)) chosen.push_back(row);
    bits += 2 * drawn;
    count -= 2 * drawn;
  }
  return chosen;
}

template class Seeding<float>;
template class Seeding<double>;
template class RowsSeeding<float>;
template class RowsSeeding<double>;

}  // namespace omnimeans
