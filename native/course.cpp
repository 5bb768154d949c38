#include "course.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "accumulator.hpp"

namespace omnimeans {
namespace {

// The inertia of the assignment that these means come from, by the parallel axis theorem, where
// that is accurate; negative where it is not.
template <typename T>
double inertia_of(const std::vector<double>& means, const std::vector<double>& weights,
                  const std::vector<double>& centers, const T* grand, Survey survey,
                  std::int64_t d) {
  std::vector<double> middle(grand, grand + d);
  Accumulator sum;
  sum.add(survey.spread);
  for (std::size_t j = 0; j < weights.size(); ++j) {
    double between, behind;
    const auto& exact = exact_for<double>();
    exact.distances(means.data() + j * d, middle.data(), 1, d, d, Metric::euclidean, &between);
    exact.distances(means.data() + j * d, centers.data() + j * d, 1, d, d, Metric::euclidean,
                    &behind);
    sum.add(-(weights[j] * between));
    sum.add(weights[j] * behind);
  }
  const double inertia = sum.value();
  const double lost = survey.spread + std::sqrt(survey.spread) * std::sqrt(survey.remoteness);
  return inertia > lost * 0x1p-12 ? inertia : -1;
}

template <typename T>
double squared_shift(const std::vector<T>& before, const std::vector<T>& after, std::int64_t d) {
  if (before == after) return 0;
  Accumulator sum;
  for (std::size_t i = 0; i < before.size(); i += d) {
    double step;
    exact_for<T>().distances(before.data() + i, after.data() + i, 1, d, d, Metric::euclidean,
                             &step);
    sum.add(step);
  }
  return std::max(sum.value(), std::numeric_limits<double>::min());
}

// Tells these centres from others, all but surely; where it does not, the long way is gone.
template <typename T>
std::uint64_t mark(const std::vector<T>& centers) {
  std::uint64_t mark = 0;
  for (const T value : centers) {
    const double wide = value;
    mark = (std::rotl(mark, 29) ^ std::bit_cast<std::uint64_t>(wide)) * 0x9e3779b97f4a7c15u;
  }
  return mark;
}

}  // namespace

template <typename T>
Course<T> course(Rows<T>& rows, const T* start, std::int64_t k, const std::int64_t* exponents,
                 int bits, Survey survey, std::int64_t max_iter, double tol, int threads) {
  using Clock = std::chrono::steady_clock;
  const std::int64_t n = rows.matrix().n, d = rows.matrix().d;
  Course<T> found;
  std::unordered_set<std::uint64_t> visited;
  std::vector<T> before(k * d), &after = found.centers;
  std::vector<double> means_(k * d), weights(k), centers(k * d);
  after.assign(start, start + k * d);
  double shift = std::numeric_limits<double>::infinity();
  const auto more = [&] {  // one iteration in any case, also where the tolerance is infinite
    return found.lines.empty() || !(shift <= tol);
  };
  while (static_cast<std::int64_t>(found.lines.size()) < max_iter && more()) {
    const auto begun = Clock::now();
    std::swap(before, after);
    const Counts seen = rows.step(before.data(), k, threads, {false, false, Screening::tiles, true});
    means(rows.sums().data(), k, d + 1, exponents, bits, means_.data(), weights.data());
    found.usual = std::find(weights.begin(), weights.end(), 0.0) == weights.end();
    if (!found.usual) break;

    std::copy(before.begin(), before.end(), centers.begin());
    double inertia = inertia_of(means_, weights, centers, rows.frame().offset, survey, d);
    if (inertia < 0) {
      std::vector<double> away(n);
      rows.distances(before.data(), rows.labels(), away.data(), threads);
      inertia = exact_total(away.data(), rows.weights(), n);
    }
    after.resize(k * d);
    std::transform(means_.begin(), means_.end(), after.begin(),
                   [](double mean) { return static_cast<T>(mean); });
    shift = squared_shift(before, after, d);
    const std::chrono::duration<double> taken = Clock::now() - begun;
    found.lines.push_back({inertia, static_cast<double>(seen.moved), shift,
                           static_cast<double>(seen.redecided), taken.count()});
    if (!visited.insert(mark(after)).second && !(shift <= tol)) found.usual = false;
    if (!found.usual) break;
  }
  return found;
}

template Course<float> course(Rows<float>&, const float*, std::int64_t, const std::int64_t*, int,
                              Survey, std::int64_t, double, int);
template Course<double> course(Rows<double>&, const double*, std::int64_t, const std::int64_t*, int,
                               Survey, std::int64_t, double, int);

}  // namespace omnimeans
