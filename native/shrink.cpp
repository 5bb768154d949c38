#include "shrink.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pool.hpp"

namespace omnimeans {
namespace {

double square(const double* a, const double* b, std::int64_t d) {
  double sum = 0.0;
  for (std::int64_t f = 0; f < d; ++f) sum += (a[f] - b[f]) * (a[f] - b[f]);
  return sum;
}

double pairs_of(std::int64_t count) {
  return 0.5 * static_cast<double>(count) * static_cast<double>(count - 1);
}

// The adjusted Rand index of two labellings with labels below k.
double agreement(const std::int32_t* a, const std::int32_t* b, std::int64_t n, std::int64_t k) {
  std::vector<std::int64_t> table(k * k), rows(k), columns(k);
  for (std::int64_t i = 0; i < n; ++i) {
    ++table[a[i] * k + b[i]];
    ++rows[a[i]];
    ++columns[b[i]];
  }
  double together = 0.0, first = 0.0, second = 0.0;
  for (const std::int64_t count : table) together += pairs_of(count);
  for (const std::int64_t count : rows) first += pairs_of(count);
  for (const std::int64_t count : columns) second += pairs_of(count);
  const double every = pairs_of(n), expected = every > 0.0 ? first * second / every : 0.0;
  const double best = 0.5 * (first + second);
  return best == expected ? 1.0 : (together - expected) / (best - expected);
}

}  // namespace

// G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
double Stream::next() {
  std::uint64_t z = seed + ++place * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

Tiled::Tiled(const double* x, std::int64_t n, std::int64_t d)
    : x(x), n(n), d(d), tiles((n + kPairTile - 1) / kPairTile), across(tiles * d * kPairTile) {
  for (std::int64_t t = 0; t < tiles; ++t)
    lay_across(x, n, d, t * kPairTile, across.data() + t * d * kPairTile);
}

void Tiled::nearest(const double* centers, std::int64_t k, std::int32_t* labels) const {
  const Passing passing{centers, k, d, nullptr, nullptr, 0, 0, 0};
  double closest[kPairTile];
  std::int32_t which[kPairTile];
  for (std::int64_t t = 0, i = 0; t < tiles; ++t, i += kPairTile) {
    pair_kernels().nearest(tile(t), passing, Metric::euclidean, closest, which);
    std::copy(which, which + std::min<std::int64_t>(kPairTile, n - i), labels + i);
  }
}

Shrinker::Shrinker(const double* x, const double* weights, std::int64_t n, std::int64_t d,
                   Stream stream)
    : rows_(x, n, d), d_(d), stream_(stream), weights_(rows_.tiles * kPairTile) {
  for (std::int64_t i = 0; i < n; ++i) weights_[i] = weights ? weights[i] : 1.0;
}

Passing Shrinker::passing(const std::vector<double>& rows) const {
  return {rows.data(), static_cast<std::int64_t>(rows.size()) / d_, d_, nullptr, nullptr, 0, 0, 0};
}

// Each centre is the best of some candidates, drawn by their squared distance to the nearest.
void Shrinker::begin(std::int64_t k) {
  const std::int64_t room = rows_.tiles * kPairTile;
  std::vector<double> closest(room, 1.0), up_to(rows_.n), away(kTrials * room);
  std::vector<double> candidates(kTrials * d_);
  double out[kTrials * kPairTile];
  centers_.clear();
  for (std::int64_t found = 0; found < k; ++found) {
    double total = 0.0;
    for (std::int64_t i = 0; i < rows_.n; ++i) up_to[i] = total += weights_[i] * closest[i];
    for (int trial = 0; trial < kTrials; ++trial) {
      const double ticket = stream_.next() * total;
      const auto drawn = std::upper_bound(up_to.begin(), up_to.end() - 1, ticket) - up_to.begin();
      std::copy(rows_.x + drawn * d_, rows_.x + (drawn + 1) * d_, candidates.begin() + trial * d_);
    }
    if (!found) std::fill(closest.begin(), closest.end(), std::numeric_limits<double>::infinity());
    double left[kTrials][kPairTile] = {};
    for (std::int64_t t = 0; t < rows_.tiles; ++t) {
      pair_kernels().distances(rows_.tile(t), passing(candidates), Metric::euclidean, out);
      const double *near = &closest[t * kPairTile], *weights = &weights_[t * kPairTile];
      for (int trial = 0; trial < kTrials; ++trial) {
        double* nearer = &away[trial * room + t * kPairTile];
        for (int lane = 0; lane < kPairTile; ++lane) {
          const double one = out[trial * kPairTile + lane];
          nearer[lane] = one < near[lane] ? one : near[lane];
          left[trial][lane] += weights[lane] * nearer[lane];
        }
      }
    }
    double sums[kTrials] = {};
    for (int trial = 0; trial < kTrials; ++trial)
      for (int lane = 0; lane < kPairTile; ++lane) sums[trial] += left[trial][lane];
    const auto best = std::min_element(sums, sums + kTrials) - sums;
    std::copy(&away[best * room], &away[best * room] + room, closest.begin());
    centers_.insert(centers_.end(), candidates.begin() + best * d_,
                    candidates.begin() + (best + 1) * d_);
  }
  k_ = k;
  assigned_ = false;
}

template <int kFeatures>
void Shrinker::add_up(std::int64_t t, const std::int32_t* which) {
  const std::int64_t d = kFeatures ? kFeatures : d_;
  const double *row = rows_.x + t * kPairTile * d, *weights = &weights_[t * kPairTile];
  const auto count = static_cast<int>(std::min<std::int64_t>(kPairTile, rows_.n - t * kPairTile));
  for (int lane = 0; lane < count; ++lane, row += d) {
    double* sum = &sums_[((lane & 1) * k_ + which[lane]) * (d + 1)];
    for (std::int64_t f = 0; f < d; ++f) sum[f] += weights[lane] * row[f];
    sum[d] += weights[lane];
  }
}

void Shrinker::refine(int most, double share) {
  const auto add = d_ == 1   ? &Shrinker::add_up<1>
                   : d_ == 2 ? &Shrinker::add_up<2>
                   : d_ == 3 ? &Shrinker::add_up<3>
                             : &Shrinker::add_up<0>;
  double closest[kPairTile];
  std::int32_t which[kPairTile];
  double before = std::numeric_limits<double>::infinity();
  for (int iteration = 0; iteration < most; ++iteration) {
    sizes_.assign(k_, 0.0);
    sums_.assign(2 * k_ * (d_ + 1), 0.0);
    double within[kPairTile] = {};
    for (std::int64_t t = 0; t < rows_.tiles; ++t) {
      pair_kernels().nearest(rows_.tile(t), passing(centers_), Metric::euclidean, closest, which);
      const double* weights = &weights_[t * kPairTile];
      for (int lane = 0; lane < kPairTile; ++lane) within[lane] += weights[lane] * closest[lane];
      (this->*add)(t, which);
    }
    inertia_ = 0.0;
    for (const double lane : within) inertia_ += lane;
    for (std::int64_t j = 0; j < k_; ++j) {
      const double* even = &sums_[j * (d_ + 1)];
      const double* odd = even + k_ * (d_ + 1);
      sizes_[j] = even[d_] + odd[d_];
      if (!(sizes_[j] > 0.0)) continue;  // stays where it is, and is the first to be merged
      for (std::int64_t f = 0; f < d_; ++f) centers_[j * d_ + f] = (even[f] + odd[f]) / sizes_[j];
    }
    if (before - inertia_ <= share * inertia_) break;
    before = inertia_;
  }
  assigned_ = true;
}

void Shrinker::merge(std::int64_t merges) {
  std::vector<double> away(k_ * k_);
  const auto measure = [&](std::int64_t a, std::int64_t b) {
    away[a * k_ + b] = away[b * k_ + a] = square(&centers_[a * d_], &centers_[b * d_], d_);
  };
  for (std::int64_t a = 0; a < k_; ++a)
    for (std::int64_t b = 0; b < a; ++b) measure(a, b);
  std::vector<bool> gone(k_);
  for (std::int64_t merged = 0; merged < merges; ++merged) {
    double least = std::numeric_limits<double>::infinity();
    std::int64_t keeps = 0, goes = 1;
    for (std::int64_t a = 0; a < k_; ++a) {
      if (gone[a]) continue;
      for (std::int64_t b = a + 1; b < k_; ++b) {
        const double both = sizes_[a] + sizes_[b];
        const double cost = both > 0.0 ? away[a * k_ + b] * (sizes_[a] * sizes_[b] / both) : 0.0;
        if (!gone[b] && cost < least) {
          least = cost;
          keeps = a;
          goes = b;
        }
      }
    }
    const double both = sizes_[keeps] + sizes_[goes];
    const double part = both > 0.0 ? sizes_[keeps] / both : 0.5;
    for (std::int64_t f = 0; f < d_; ++f) {
      double& value = centers_[keeps * d_ + f];
      value = part * value + (1.0 - part) * centers_[goes * d_ + f];
    }
    sizes_[keeps] = both;
    gone[goes] = true;
    for (std::int64_t b = 0; b < k_; ++b)
      if (b != keeps && !gone[b]) measure(keeps, b);
  }
  std::int64_t kept = 0;
  for (std::int64_t j = 0; j < k_; ++j) {
    if (gone[j]) continue;
    std::copy(&centers_[j * d_], &centers_[j * d_] + d_, &centers_[kept * d_]);
    ++kept;
  }
  k_ = kept;
  centers_.resize(k_ * d_);
  assigned_ = false;
}

void shrink_references(const Box& box, const Shrinking& plan, const std::uint64_t* seeds,
                       std::int64_t count, double* out, int threads) {
  const std::int64_t columns = static_cast<std::int64_t>(plan.ks.size());
  finish(parallel(count, 1, threads, [&](int, std::int64_t begin, std::int64_t end) {
    std::vector<double> x(box.n * box.d);
    for (std::int64_t set = begin; set < end; ++set) {
      Stream stream{seeds[set]};
      for (std::int64_t i = 0; i < box.n; ++i)
        for (std::int64_t f = 0; f < box.d; ++f)
          x[i * box.d + f] = box.low[f] + stream.next() * box.width[f];
      Shrinker(x.data(), box.weights, box.n, box.d, stream)
          .run(plan, [&](std::size_t i, double inertia, const double*) {
            out[set * columns + i] = inertia;
          });
    }
  }));
}

void shrink_parts(const Parts& parts, const Shrinking& plan, const std::uint64_t* seeds,
                  std::int64_t count, double* out, int threads) {
  const std::int64_t columns = static_cast<std::int64_t>(plan.ks.size());
  finish(parallel(count, 1, threads, [&](int, std::int64_t begin, std::int64_t end) {
    std::vector<double> x(parts.part * parts.d), weights(parts.weights ? parts.part : 0);
    const Tiled all(parts.x, parts.n, parts.d);
    std::vector<std::int32_t> labels(parts.n);
    for (std::int64_t set = begin; set < end; ++set) {
      const std::int64_t* numbers = parts.numbers + set * parts.part;
      for (std::int64_t i = 0; i < parts.part; ++i) {
        const double* row = parts.x + numbers[i] * parts.d;
        std::copy(row, row + parts.d, x.begin() + i * parts.d);
        if (parts.weights) weights[i] = parts.weights[numbers[i]];
      }
      Shrinker(x.data(), parts.weights ? weights.data() : nullptr, parts.part, parts.d,
               Stream{seeds[set]})
          .run(plan, [&](std::size_t i, double, const double* centers) {
            const std::int64_t k = plan.ks[i];
            all.nearest(centers, k, labels.data());
            out[set * columns + i] = agreement(parts.labels + i * parts.n, labels.data(), parts.n, k);
          });
    }
  }));
}

}  // namespace omnimeans
