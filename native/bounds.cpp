#include "bounds.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace omnimeans {
namespace {

constexpr double kUp = 1 + 0x1p-20, kDown = 1 - 0x1p-20;  // more than any rounding here
constexpr float kTiny = 1e-30f;  // below it float32 may have lost a bound

float rounded_up(double x) { return static_cast<float>(x + std::fabs(x) * 0x1p-22); }
float rounded_down(double x) { return static_cast<float>(x - std::fabs(x) * 0x1p-22); }

}  // namespace

template <typename T>
bool Bounds<T>::meet(const T* centers, std::int64_t k, const Matrix<T>& x, Metric metric,
                     double scale, bool fresh) {
  metric_ = metric;
  scale_ = scale;
  const std::int64_t size = k * x.d;
  fresh = fresh || static_cast<std::int64_t>(last_.size()) != size;
  if (fresh) {
    lower_.assign(x.n, -kFar);
    upper_.assign(x.n, kFar);
    room_.assign((x.n + kBlock - 1) / kBlock, -kFar);
    own_.assign(k, 0.0);
    others_.assign(k, 0.0);
    stay_.assign(k, 0.0f);
    most_ = 0;
  } else {
    std::vector<double> moves(k);
    double first = 0, second = 0;
    for (std::int64_t j = 0; j < k; ++j) {
      const double away = exact_for<T>().distance(last_.data() + j * x.d, centers + j * x.d, x.d,
                                                  metric);
      moves[j] = in_frame(away, metric, scale) * kUp + (away > 0 ? kTiny : 0);
      if (moves[j] > first) {
        second = first;
        first = moves[j];
      } else if (moves[j] > second) {
        second = moves[j];
      }
    }
    for (std::int64_t j = 0; j < k; ++j) {
      own_[j] += moves[j] * kUp;
      others_[j] += (moves[j] == first ? second : first) * kUp;
      stay_[j] = rounded_up(own_[j] + others_[j]);
    }
    most_ += (first + std::max(first, second)) * kUp;
  }
  last_.assign(centers, centers + size);
  return fresh;
}

template <typename T>
void Bounds<T>::set(std::int64_t i, std::int32_t label, float lower, float upper) {
  lower_[i] = rounded_down(std::min<double>(lower, kFar) + others_[label]);
  upper_[i] = rounded_up(upper - own_[label]);
  room_[i / kBlock] = -kFar;
}

template <typename T>
std::int64_t Bounds<T>::survivors(const std::int32_t* labels, std::int64_t begin, std::int64_t end,
                                  std::int64_t* list) {
  std::int64_t found = 0;
  for (std::int64_t first = begin; first < end;) {
    const std::int64_t block = first / kBlock;
    const std::int64_t last = std::min(end, (block + 1) * kBlock);
    if (!(room_[block] > most_)) {
      float least = kFar;
      std::uint64_t cramped =
          kernels().cramped(lower_.data() + first, upper_.data() + first, labels + first,
                            stay_.data(), static_cast<int>(last - first), kTiny, &least);
      const bool whole = last - first == std::min<std::int64_t>(kBlock, lower_.size() - first);
      if (!cramped && whole && first % kBlock == 0) room_[block] = most_ + (least - kTiny) * kDown;
      for (; cramped; cramped &= cramped - 1) list[found++] = first + std::countr_zero(cramped);
    }
    first = last;
  }
  return found;
}

template <typename T>
std::int64_t Bounds<T>::measured(const Matrix<T>& x, const T* centers, const std::int32_t* labels,
                                 std::int64_t* list, std::int64_t count) {
  std::int64_t kept = 0;
  for (std::int64_t m = 0; m < count; ++m) {
    const std::int64_t i = list[m];
    const std::int32_t label = labels[i];
    const double lower = (lower_[i] - others_[label]) * kDown;
    if (lower > 0) {
      const double away =
          exact_for<T>().distance(x.row(i), centers + label * x.d, x.d, metric_);
      const double upper = kUp * in_frame(away, metric_, scale_);
      upper_[i] = rounded_up(upper - own_[label]);
      if (lower - upper > kTiny) continue;
    }
    list[kept++] = i;
  }
  return kept;
}

template <typename T>
void Bounds<T>::show(const std::int32_t* labels, std::int64_t n, double* lower,
                     double* upper) const {
  for (std::int64_t i = 0; i < n; ++i) {
    lower[i] = (lower_[i] - others_[labels[i]]) / scale_;
    upper[i] = (upper_[i] + own_[labels[i]]) / scale_;
  }
}

template class Bounds<float>;
template class Bounds<double>;

}  // namespace omnimeans
