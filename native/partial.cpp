#include "partial.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "pool.hpp"

namespace omnimeans {
namespace {

// The values that are there, then 1 for each of them; 0 for those that are not.
template <typename T>
void extend(const T* x, std::int64_t d, T* out) {
  for (std::int64_t f = 0; f < d; ++f) {
    const bool there = x[f] == x[f];
    out[f] = there ? x[f] : T{0};
    out[d + f] = there ? T{1} : T{0};
  }
}

struct Weighted {
  double value;
  __int128 mass;
};

// Adding 0 makes -0 and 0 one value, whichever of them was found.
double middle(double a, double b) { return a == b ? a + 0.0 : 0.5 * a + 0.5 * b; }

double median(std::vector<Weighted>& values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end(),
            [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  __int128 all = 0, below = 0;
  for (const Weighted& it : values) all += it.mass;
  std::size_t low = 0;
  while (2 * (below + values[low].mass) < all) below += values[low++].mass;
  std::size_t high = low;
  while (2 * (below + values[high].mass) <= all && high + 1 < values.size()) {
    below += values[high++].mass;
  }
  return middle(values[low].value, values[high].value);
}

}  // namespace

// A row made ready to be compared: where it has no value it takes on the centre's, so that D sees no
// difference there.
template <typename T>
class Partial<T>::Compare {
 public:
  Compare(std::int64_t d, Metric metric) : d_(d), metric_(metric), values_(d) {}
  void open(const T* x) {
    std::copy(x, x + d_, values_.begin());
    missing_.clear();
    for (std::int64_t f = 0; f < d_; ++f) {
      if (x[f] != x[f]) missing_.push_back(f);
    }
    const auto there = d_ - static_cast<std::int64_t>(missing_.size());
    factor_ = static_cast<double>(d_) / static_cast<double>(there);
  }
  double distance(const T* center) {
    for (const std::int64_t f : missing_) values_[f] = center[f];
    double away;
    exact_for<T>().distances(values_.data(), center, 1, d_, d_, metric_, &away);
    return missing_.empty() ? away : away * factor_;
  }

 private:
  std::int64_t d_;
  Metric metric_;
  std::vector<T> values_;
  std::vector<std::int64_t> missing_;
  double factor_ = 1;
};

template <typename T>
void Partial<T>::take(const std::int64_t* numbers, std::int64_t count, T* out) const {
  for (std::int64_t m = 0; m < count; ++m, out += this->d) {
    const T* x = x_.row(numbers[m]);
    for (std::int64_t f = 0; f < this->d; ++f) out[f] = x[f] == x[f] ? x[f] : fill_[f];
  }
}

template <typename T>
std::vector<double> Partial<T>::peaks(const double* weights, int threads) const {
  const std::int64_t d = this->d;
  std::vector<std::vector<double>> parts(threads);
  finish(parallel(this->n, rows_per_chunk(x_, 2, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    parts[worker].resize(2 * d + 1);
                    std::vector<T> extended(2 * d);
                    for (std::int64_t i = begin; i < end; ++i) {
                      extend(x_.row(i), d, extended.data());
                      exact_for<T>().peaks(extended.data(), weights ? weights[i] : 1.0, 2 * d,
                                           parts[worker].data());
                    }
                  }));
  std::vector<double> all(2 * d + 1);
  for (const auto& part : parts) {
    for (std::size_t f = 0; f < part.size(); ++f) all[f] = std::max(all[f], part[f]);
  }
  return all;
}

template <typename T>
std::int64_t Partial<T>::assign(const T* centers, std::int64_t k, Metric metric, Frame<T>,
                                std::int32_t* labels, int threads) const {
  finish(parallel(this->n, rows_per_chunk(x_, k, threads), threads,
                  [&](int, std::int64_t begin, std::int64_t end) {
                    Compare row(this->d, metric);
                    for (std::int64_t i = begin; i < end; ++i) {
                      row.open(x_.row(i));
                      double closest = std::numeric_limits<double>::infinity();
                      labels[i] = 0;
                      for (std::int64_t j = 0; j < k; ++j) {
                        const double away = row.distance(centers + j * this->d);
                        if (away < closest) closest = away, labels[i] = static_cast<std::int32_t>(j);
                      }
                    }
                  }));
  return this->n;
}

template <typename T>
void Partial<T>::distances(const T* centers, const std::int32_t* labels, Metric metric,
                           double* out, int threads) const {
  finish(parallel(this->n, rows_per_chunk(x_, 1, threads), threads,
                  [&](int, std::int64_t begin, std::int64_t end) {
                    Compare row(this->d, metric);
                    for (std::int64_t i = begin; i < end; ++i) {
                      row.open(x_.row(i));
                      out[i] = row.distance(centers + (labels ? labels[i] * this->d : 0));
                    }
                  }));
}

template <typename T>
void Partial<T>::all_pairs(const T* centers, std::int64_t k, Metric metric, double* out,
                           int threads) const {
  finish(parallel(this->n, rows_per_chunk(x_, k, threads), threads,
                  [&](int, std::int64_t begin, std::int64_t end) {
                    Compare row(this->d, metric);
                    for (std::int64_t i = begin; i < end; ++i) {
                      row.open(x_.row(i));
                      for (std::int64_t j = 0; j < k; ++j) {
                        out[i * k + j] = row.distance(centers + j * this->d);
                      }
                    }
                  }));
}

template <typename T>
void Partial<T>::shift(const double* weights, const Magic& grid, const std::int32_t* before,
                       const std::int32_t* after, std::int64_t k, std::int64_t* sums,
                       int threads) const {
  const std::int64_t d = this->d, width = 2 * grid.columns();
  Parts parts(sums, k * width, threads);
  const bool whole = parallel(
      this->n, rows_per_chunk(x_, 1, threads), threads,
      [&](int worker, std::int64_t begin, std::int64_t end) {
        std::int64_t* to = parts.of(worker);
        std::vector<T> extended(2 * d);
        for (std::int64_t i = begin; i < end; ++i) {
          if (before && before[i] == after[i]) continue;
          extend(x_.row(i), d, extended.data());
          const std::int32_t old = before ? before[i] : -1;
          exact_for<T>().move(extended.data(), weights ? weights[i] : 1.0, grid,
                              old < 0 ? nullptr : to + old * width, to + after[i] * width);
        }
      });
  parts.gather();
  finish(whole);
}

template <typename T>
void Partial<T>::medians(const double* weights, const Magic& grid, const std::int32_t* labels,
                         std::int64_t k, double* out, int threads) const {
  const std::int64_t d = this->d;
  // Weights in the finest steps of the grid, so that halves of them are exact.
  const Magic step(&grid.exponents.back(), 1, grid.bits);
  std::vector<__int128> masses(this->n, 1);
  std::vector<std::vector<std::int64_t>> members(k);
  for (std::int64_t i = 0; i < this->n; ++i) {
    if (weights) {
      std::int64_t words[2] = {};
      exact_for<T>().move(nullptr, weights[i], step, nullptr, words);
      masses[i] = static_cast<__int128>(words[0]) * (static_cast<__int128>(1) << grid.bits) + words[1];
    }
    if (masses[i] > 0) members[labels[i]].push_back(i);
  }
  finish(parallel(k * d, 16, threads, [&](int, std::int64_t begin, std::int64_t end) {
    std::vector<Weighted> values;
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t f = item % d;
      values.clear();
      for (const std::int64_t i : members[item / d]) {
        const T value = x_.row(i)[f];
        if (value == value) values.push_back({static_cast<double>(value), masses[i]});
      }
      out[item] = median(values);
    }
  }));
}

template <typename T>
void Partial<T>::winners(const T* candidates, std::int64_t count, Metric metric, Frame<T>,
                         const double* closest, int threads, const Won& won) const {
  finish(parallel(this->n, rows_per_chunk(x_, count, threads), threads,
                  [&](int worker, std::int64_t begin, std::int64_t end) {
                    Compare row(this->d, metric);
                    for (std::int64_t i = begin; i < end; ++i) {
                      row.open(x_.row(i));
                      for (std::int64_t j = 0; j < count; ++j) {
                        const double away = row.distance(candidates + j * this->d);
                        if (away < closest[i]) won(worker, i, static_cast<std::int32_t>(j), away);
                      }
                    }
                  }));
}

template class Partial<float>;
template class Partial<double>;

}  // namespace omnimeans
