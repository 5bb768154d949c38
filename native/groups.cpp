#include "groups.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "assigner.hpp"
#include "pool.hpp"

namespace omnimeans {
namespace {

constexpr std::int64_t kBlock = 128;            // rows that are compared with all middles at a time
constexpr std::int64_t kTogether = 1 << 17;     // rows that one thread sorts by group
constexpr std::int64_t kPairs = 1 << 22;        // looks of rows at groups, put off
constexpr double kSlack = 0x1p-30;              // more than all roundings of D and of its root
constexpr double kTiny = 1e-290;                // below, squares lose digits

// What one thread knows of the rows that it has taken on.
template <typename T>
class Seeker {
 public:
  Seeker(const Matrix<T>& x, const Groups<T>& groups, std::int64_t probes)
      : x_(x), groups_(groups), probes_(std::min(probes, groups.count())) {}

  void serve(std::int64_t begin, std::int64_t end, std::int32_t* labels) {
    first_ = begin;
    closest_.assign(end - begin, std::numeric_limits<double>::infinity());
    labels_ = labels + begin;
    home_.resize(end - begin);
    over(begin, end, [&](std::int64_t row, const double* away) { begin_with(row, away); });
    if (probes_ == 0) {
      over(begin, end, [&](std::int64_t row, const double* away) { go_on(row, away); });
    }
  }
  // A row has found a centre of the group that is being looked at.
  void one(std::int64_t row, std::int32_t label, float, float) {
    const std::int64_t place = groups_.starts[group_] + label;
    const double away = exact_for<T>().distance(x_.row(row), groups_.centers + place * x_.d, x_.d,
                                                groups_.metric);
    const auto j = static_cast<std::int32_t>(groups_.names ? groups_.names[place] : place);
    double& closest = closest_[row - first_];
    std::int32_t& nearest = labels_[row - first_];
    if (away < closest || (away == closest && j < nearest)) closest = away, nearest = j;
  }
  bool all(std::int64_t, const std::int32_t*, int) const { return false; }
  bool ranged() const { return false; }
  std::int64_t compared() const { return compared_; }

 private:
  template <class Choose>
  void over(std::int64_t begin, std::int64_t end, Choose&& choose) {
    const std::int64_t count = groups_.count();
    table_.resize(kBlock * count);
    for (std::int64_t first = begin; first < end; first += kBlock) {
      const std::int64_t last = std::min(end, first + kBlock);
      groups_.table[0].fill(x_, first, last, table_.data(), work_);
      for (std::int64_t i = first; i < last; ++i) choose(i, table_.data() + (i - first) * count);
      if (static_cast<std::int64_t>(rows_.size()) > kPairs) look();
    }
    look();
  }

  void begin_with(std::int64_t row, const double* away) {
    const std::int64_t count = groups_.count();
    if (probes_ > 1) {
      near_.clear();  // the nearest so far, in order; of equals the first stays ahead
      for (std::int64_t g = 0; g < count; ++g) {
        const bool full = static_cast<std::int64_t>(near_.size()) == probes_;
        if (full && !(away[g] < away[near_.back()])) continue;
        if (full) near_.pop_back();
        auto place = near_.end();
        while (place != near_.begin() && away[g] < away[*(place - 1)]) --place;
        near_.insert(place, static_cast<std::int32_t>(g));
      }
      for (std::int64_t p = 0; p < probes_; ++p) put_off(row, near_[p]);
      return;
    }
    const auto home = static_cast<std::int32_t>(std::min_element(away, away + count) - away);
    home_[row - first_] = home;
    put_off(row, home);
  }

  // The other groups that may hold a nearer centre.
  void go_on(std::int64_t row, const double* away) {
    const double best = closest_[row - first_];
    const bool squared = groups_.metric == Metric::euclidean;
    const double reach = (squared ? std::sqrt(best) : best) * (1 + kSlack);
    for (std::int64_t g = 0; g < groups_.count(); ++g) {
      const double far = reach + groups_.radius[g];
      if (away[g] * (1 - kSlack) <= (squared ? far * far : far) && g != home_[row - first_]) {
        put_off(row, static_cast<std::int32_t>(g));
      }
    }
  }

  void put_off(std::int64_t row, std::int32_t group) {
    rows_.push_back(row);
    where_.push_back(group);
  }

  // Groups one after the other: each is looked at by all rows that wait for it.
  void look() {
    std::vector<std::int64_t> begins(groups_.count() + 1);
    for (const std::int32_t group : where_) ++begins[group + 1];
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    list_.resize(rows_.size());
    std::vector<std::int64_t> next = begins;
    for (std::size_t m = 0; m < rows_.size(); ++m) list_[next[where_[m]]++] = rows_[m];
    for (group_ = 0; group_ < groups_.count(); ++group_) {
      const std::int64_t count = begins[group_ + 1] - begins[group_];
      if (count == 0) continue;
      const Screen& screen = groups_.screens[group_];
      Assigner<T, Seeker> assigner(x_, groups_.centers + groups_.starts[group_] * x_.d, screen,
                                   groups_.frames[group_].frame(), *this);
      assigner.assign({0, count, list_.data() + begins[group_]});
      assigner.decide();
      compared_ += count * screen.k;
    }
    rows_.clear();
    where_.clear();
  }

  const Matrix<T>& x_;
  const Groups<T>& groups_;
  const std::int64_t probes_;  // 0: as many as it takes
  std::int64_t first_ = 0, group_ = 0, compared_ = 0;
  std::int32_t* labels_ = nullptr;
  std::vector<double> closest_, table_, work_;
  std::vector<std::int32_t> home_, near_, where_;
  std::vector<std::int64_t> rows_, list_;
};

}  // namespace

template <typename T>
Groups<T>::Groups(const T* centers_, std::int64_t d_, const std::int64_t* begins,
                  const T* all_middles, std::int64_t all, Metric metric_, int threads,
                  const std::int32_t* names_)
    : centers(centers_), d(d_), metric(metric_), names(names_) {
  std::vector<T> middles;
  for (std::int64_t g = 0; g < all; ++g) {
    if (begins[g] == begins[g + 1]) continue;
    starts.push_back(begins[g]);
    middles.insert(middles.end(), all_middles + g * d, all_middles + (g + 1) * d);
  }
  const auto found = static_cast<std::int64_t>(starts.size());
  starts.push_back(begins[all]);
  radius.resize(found);
  screens.resize(found);
  table.emplace_back(middles.data(), found, d, metric);
  for (std::int64_t g = 0; g < found; ++g) {
    frames.emplace_back(centers + starts[g] * d, starts[g + 1] - starts[g], d);
  }
  finish(parallel(found, 1, threads, [&](int, std::int64_t g, std::int64_t) {
    const T* mine = centers + starts[g] * d;
    const std::int64_t count = starts[g + 1] - starts[g];
    double most = 0;
    for (std::int64_t j = 0; j < count; ++j) {
      most = std::max(most,
                      exact_for<T>().distance(mine + j * d, middles.data() + g * d, d, metric));
    }
    radius[g] = (metric == Metric::euclidean ? std::sqrt(most + kTiny) : most) * (1 + kSlack);
    screens[g] = screen_of(mine, count, d, metric, frames[g].frame());
  }));
}

template <typename T>
std::int64_t nearest_in_groups(const Matrix<T>& x, const Groups<T>& groups, std::int64_t probes,
                               std::int32_t* labels, int threads) {
  const std::int64_t fair = (x.n + 4 * threads - 1) / (4 * threads);
  const std::int64_t grain =
      chunk_rows > 0 ? chunk_rows : std::clamp<std::int64_t>(fair, 4096, kTogether);
  std::vector<std::optional<Seeker<T>>> crew(threads);
  finish(parallel(x.n, grain, threads, [&](int id, std::int64_t begin, std::int64_t end) {
    if (!crew[id]) crew[id].emplace(x, groups, probes);
    crew[id]->serve(begin, end, labels);
  }));
  std::int64_t compared = x.n * groups.count();
  for (const auto& seeker : crew) compared += seeker ? seeker->compared() : 0;
  return compared;
}

template <typename T>
std::vector<std::int64_t> label_sums(const Matrix<T>& x, const double* weights,
                                     const std::int32_t* labels, std::int64_t k, const Magic& grid,
                                     int threads) {
  const std::int64_t width = 2 * grid.columns();
  std::vector<std::int64_t> sums(k * width), begins(k + 1), order(x.n);
  for (std::int64_t i = 0; i < x.n; ++i) ++begins[labels[i] + 1];
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  std::vector<std::int64_t> next = begins;
  for (std::int64_t i = 0; i < x.n; ++i) order[next[labels[i]]++] = i;
  const std::int64_t grain = std::max<std::int64_t>(1, k / (16 * threads));
  finish(parallel(k, grain, threads, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      for (std::int64_t m = begins[j]; m < begins[j + 1]; ++m) {
        exact_for<T>().move(x.row(order[m]), weights ? weights[order[m]] : 1.0, grid, nullptr,
                            sums.data() + j * width);
      }
    }
  }));
  return sums;
}

#define OMNIMEANS_GROUPS(T)                                                                      \
  template struct Groups<T>;                                                                     \
  template std::int64_t nearest_in_groups(const Matrix<T>&, const Groups<T>&, std::int64_t,      \
                                          std::int32_t*, int);                                   \
  template std::vector<std::int64_t> label_sums(const Matrix<T>&, const double*,                 \
                                                const std::int32_t*, std::int64_t, const Magic&, \
                                                int);
OMNIMEANS_GROUPS(float)
OMNIMEANS_GROUPS(double)
#undef OMNIMEANS_GROUPS

}  // namespace omnimeans
