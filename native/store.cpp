#include "store.hpp"

#include <algorithm>

#include "pool.hpp"

namespace omnimeans {

template <typename T>
OwnFrame<T>::OwnFrame(const T* centers, std::int64_t k, std::int64_t d) : offset(d) {
  double square = 0;
  for (std::int64_t f = 0; f < d; ++f) {
    double sum = 0;
    for (std::int64_t j = 0; j < k; ++j) sum += static_cast<double>(centers[j * d + f]) / k;
    offset[f] = static_cast<T>(sum);
  }
  for (std::int64_t i = 0; i < k * d; ++i) {
    const double away = static_cast<double>(centers[i]) - offset[i % d];
    square += away * away / k;
  }
  scale = static_cast<T>(scale_for(square));
}

template <typename T>
Counts Held<T>::step(const T* centers, std::int64_t k, int threads) {
  const std::int64_t n = store_.n;
  if (labels_[0] < 0 || static_cast<std::int64_t>(sums_.size()) != k * width()) {
    sums_.assign(k * width(), 0);
    std::fill(labels_, labels_ + n, -1);
  }
  std::vector<std::int32_t> next(n);
  Counts counts;
  try {
    counts.redecided = store_.step(centers, k, metric_, frame(), weights_, grid_, labels_,
                                   next.data(), sums_.data(), threads);
  } catch (...) {  // half of the rows may be in the wrong sums: begin again
    sums_.clear();
    std::fill(labels_, labels_ + n, -1);
    throw;
  }
  for (std::int64_t i = 0; i < n; ++i) counts.moved += labels_[i] != next[i];
  std::copy(next.begin(), next.end(), labels_);
  return counts;
}

template <typename T>
void Held<T>::relabel(const std::int64_t* numbers, std::int64_t count, std::int32_t cluster) {
  std::vector<std::int32_t> next(labels_, labels_ + store_.n);
  for (std::int64_t m = 0; m < count; ++m) next[numbers[m]] = cluster;
  store_.shift(weights_, grid_, labels_, next.data(), clusters(), sums_.data(), 1);
  std::copy(next.begin(), next.end(), labels_);
}

template <typename T>
std::vector<std::int64_t> Held<T>::total(int threads) const {
  std::vector<std::int64_t> sum(width());
  const std::vector<std::int32_t> all(store_.n);
  store_.shift(weights_, grid_, nullptr, all.data(), 1, sum.data(), threads);
  return sum;
}

template <typename T>
double Held<T>::inertia(const T* centers, const std::int32_t* labels, int threads) const {
  std::vector<double> away(store_.n);
  distances(centers, labels, away.data(), threads);
  return exact_total(away.data(), weights_, store_.n);
}

template struct OwnFrame<float>;
template struct OwnFrame<double>;
template class Held<float>;
template class Held<double>;

}  // namespace omnimeans
